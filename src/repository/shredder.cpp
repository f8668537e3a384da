#include "repository/shredder.h"

#include <algorithm>

#include "bson/builder.h"
#include "repository/segment.h"

namespace holdfast::repository {
namespace {

using shred::ColumnClass;

/// The tree is thrown away beyond this: names that are data would let it grow for ever.
constexpr std::size_t max_nodes = 32'768;
/// So many elements that may follow another are tried; a path that is then made twice only costs
/// a second definition of a shape.
constexpr std::size_t max_looked_at = 16;
constexpr std::size_t known_id_slots = 32'768;
constexpr std::size_t type_count = 256;
/// Node 0 means none.
constexpr std::uint32_t root = 1;

std::size_t string_size(const std::uint8_t* at) {
  return std::strlen(reinterpret_cast<const char*>(at));
}

/// Encoded size of a value of a valid document.
std::size_t size_of(bson::Type type, const std::uint8_t* at, std::size_t remaining) {
  switch (type) {
    case bson::Type::object_id: return 12;
    case bson::Type::int32: return 4;
    case bson::Type::float64:
    case bson::Type::int64:
    case bson::Type::date:
    case bson::Type::timestamp: return 8;
    case bson::Type::boolean: return 1;
    case bson::Type::string:
    case bson::Type::symbol:
    case bson::Type::code: return 4 + load_little_endian<std::uint32_t>(at);
    case bson::Type::document:
    case bson::Type::array: return load_little_endian<std::uint32_t>(at);
    case bson::Type::null: return 0;
    default: return bson::value_size(type, {at, remaining}).value_or(0);
  }
}

/// Rows of `Width` bytes → planes.
template <std::size_t Width>
void append_planes(BlockBuffer& out, ByteView rows) {
  const std::size_t count = rows.size() / Width;
  std::uint8_t* const to = out.extend(rows.size());
  const std::uint8_t* from = rows.data();
  for (std::size_t row = 0; row < count; ++row, from += Width) {
    for (std::size_t byte = 0; byte < Width; ++byte) to[byte * count + row] = from[byte];
  }
}

void append_planes(BlockBuffer& out, ByteView rows, std::size_t width) {
  switch (width) {
    case 1: out.append(rows); break;
    case 2: append_planes<2>(out, rows); break;
    case 4: append_planes<4>(out, rows); break;
    case 8: append_planes<8>(out, rows); break;
    case 12: append_planes<12>(out, rows); break;
    default: append_planes<16>(out, rows); break;
  }
}

/// Whether the names are "0", "1", … and all values have the first one's type.
bool is_uniform(const std::uint8_t* document, std::uint64_t& count) {
  const std::uint8_t* at = document + 4;
  const std::uint8_t* const end = document + load_little_endian<std::uint32_t>(document) - 1;
  const std::uint8_t type = *at;
  std::array<char, 12> name{'0', 0};  // as much of an index as a document can have
  std::size_t digits = 1;
  for (count = 0; at < end; ++count) {
    if (*at != type || std::memcmp(at + 1, name.data(), digits + 1) != 0) return false;
    at += 2 + digits;
    at += size_of(static_cast<bson::Type>(type), at, static_cast<std::size_t>(end - at));
    std::size_t digit = digits;
    while (digit > 0 && name[digit - 1] == '9') name[--digit] = '0';
    if (digit > 0) {
      ++name[digit - 1];
    } else {
      name[digits++] = '0';
      name[digits] = 0;
      name[0] = '1';
    }
  }
  return true;
}

}  // namespace

Shredder::Shredder() : nodes_(root + 1), known_ids_(known_id_slots) {}

const Shredded* Shredder::shred(ByteView entries) {
  begin();
  while (!entries.empty() && !hopeless_) shred_entry(entries);
  if (hopeless_) return nullptr;
  finish();
  return &out_;
}

void Shredder::begin() {
  if (++block_ == 0) *this = Shredder();  // after 2^32 blocks: old marks must not come back
  if (block_ == 0) ++block_;
  shapes_ = 0;
  column_count_ = 0;
  events_.clear();
  last_position_ = 0;
  ids_.clear();
  path_.clear();
  hopeless_ = false;
  if (nodes_.size() > max_nodes) {
    nodes_ = std::vector<Node>(root + 1);
    keys_ = {};
    keys_by_header_ = {};
  }
  static_cast<void>(new_column(ColumnClass::fixed8));  // shred::position_column, the first
}

void Shredder::shred_entry(ByteView& rest) {
  const auto kind = static_cast<Entry::Kind>(rest.front());
  events_.push(rest.front());
  rest = rest.subspan(1);
  if (kind == Entry::Kind::put_at) {
    const auto position = load_little_endian<std::uint64_t>(rest.data());
    const std::uint64_t step_bits = shred::zigzag(position - last_position_);
    last_position_ = position;
    columns_[shred::position_column].values.append(
        reinterpret_cast<const std::uint8_t*>(&step_bits), sizeof(step_bits));
    rest = rest.subspan(sizeof(position));
  }
  near_date_ = 0;
  shred_document(rest.data());
  rest = rest.subspan(load_little_endian<std::uint32_t>(rest.data()));
}

void Shredder::shred_document(const std::uint8_t* document) {
  const std::size_t path_begin = path_.size();
  emit_shape(find_shape(document));
  const std::size_t path_end = path_.size();
  const std::uint8_t* at = document + 4;
  for (std::size_t step_at = path_begin; step_at < path_end; ++step_at) {
    const auto type = static_cast<bson::Type>(*at);
    const Step taken = path_[step_at];
    const Node& node = nodes_[taken.node];
    at += node.header.size();
    shred_value(type, node.key, at, taken.value_size);
    at += taken.value_size;
  }
  path_.resize(path_begin);
}

void Shredder::shred_array(const std::uint8_t* document, std::uint32_t key) {
  const std::uint32_t total = load_little_endian<std::uint32_t>(document);
  if (total == 5) {
    events_.push(shred::empty_array);
    return;
  }
  std::uint64_t count = 0;
  const auto type = static_cast<bson::Type>(document[4]);
  if (!is_uniform(document, count)) {
    events_.push(shred::mixed_array);
    shred_document(document);
    return;
  }
  events_.push(document[4]);
  events_.push_varint(count);
  const std::uint32_t elements = element_key(key, type);
  const std::uint8_t* at = document + 4;
  const std::uint8_t* const end = document + total - 1;
  while (at < end) {
    at += 2 + string_size(at + 1);
    const std::size_t size = size_of(type, at, static_cast<std::size_t>(end - at));
    shred_value(type, elements, at, size);
    at += size;
  }
}

std::uint32_t Shredder::find_shape(const std::uint8_t* document) {
  const std::uint8_t* at = document + 4;
  const std::uint8_t* const end = document + load_little_endian<std::uint32_t>(document) - 1;
  std::uint32_t node = root;
  while (at < end) {
    const auto type = static_cast<bson::Type>(*at);
    node = step(node, at, static_cast<std::size_t>(end - at));
    at += nodes_[node].header.size();
    const std::size_t size = size_of(type, at, static_cast<std::size_t>(end - at));
    path_.push_back({node, static_cast<std::uint32_t>(size)});
    at += size;
  }
  return node;
}

std::uint32_t Shredder::step(std::uint32_t node, const std::uint8_t* element,
                             std::size_t remaining) {
  std::uint32_t before = 0;
  std::size_t looked_at = 0;
  for (std::uint32_t child = nodes_[node].first_child; child != 0 && looked_at < max_looked_at;
       child = nodes_[child].next_sibling, ++looked_at) {
    const std::string& header = nodes_[child].header;
    if (header.size() <= remaining && std::memcmp(header.data(), element, header.size()) == 0) {
      if (before != 0) {  // to the front
        nodes_[before].next_sibling = nodes_[child].next_sibling;
        nodes_[child].next_sibling = nodes_[node].first_child;
        nodes_[node].first_child = child;
      }
      return child;
    }
    before = child;
  }
  const auto made = static_cast<std::uint32_t>(nodes_.size());
  Node fresh;
  fresh.header.assign(reinterpret_cast<const char*>(element), 2 + string_size(element + 1));
  fresh.parent = node;
  fresh.next_sibling = nodes_[node].first_child;
  fresh.key = key_of(fresh.header);
  nodes_.push_back(std::move(fresh));
  nodes_[node].first_child = made;
  hopeless_ = hopeless_ || nodes_.size() > 2 * max_nodes;
  return made;
}

void Shredder::emit_shape(std::uint32_t leaf) {
  Node& node = nodes_[leaf];
  if (node.shape_block == block_) {
    events_.push_varint(node.shape);
    return;
  }
  node.shape_block = block_;
  node.shape = shapes_++;
  events_.push_varint(node.shape);
  define_shape(leaf);
}

void Shredder::define_shape(std::uint32_t leaf) {
  std::vector<std::uint32_t> path;
  for (std::uint32_t node = leaf; node > root; node = nodes_[node].parent) {
    path.push_back(node);
  }
  for (auto node = path.rbegin(); node != path.rend(); ++node) {
    events_.append(as_bytes(nodes_[*node].header));
  }
  events_.push(shred::shape_end);
}

void Shredder::shred_value(bson::Type type, std::uint32_t key, const std::uint8_t* value,
                           std::size_t size) {
  const ColumnClass column_class = shred::class_of(type);
  if (column_class == ColumnClass::none) {
    if (type == bson::Type::document) shred_document(value);
    if (type == bson::Type::array) shred_array(value, key);
    return;
  }
  Column& column = column_of(key, column_class);
  switch (type) {
    case bson::Type::object_id: shred_object_id(column, value); return;
    case bson::Type::int32: {
      const std::uint32_t bits = shred::zigzag32(load_little_endian<std::uint32_t>(value));
      column.values.append(reinterpret_cast<const std::uint8_t*>(&bits), sizeof(bits));
      return;
    }
    case bson::Type::int64:
    case bson::Type::date: {
      const auto number = load_little_endian<std::uint64_t>(value);
      const bool date = type == bson::Type::date;
      const std::uint64_t bits = shred::zigzag(number - (date ? near_date_ : 0));
      if (date) near_date_ = number;
      column.values.append(reinterpret_cast<const std::uint8_t*>(&bits), sizeof(bits));
      return;
    }
    case bson::Type::string:
    case bson::Type::symbol:
    case bson::Type::code:
      column.values.push_varint(size - 5);  // without prefix and NUL
      column.content.append(value + 4, size - 5);
      return;
    default:
      if (column_class != ColumnClass::bytes) {
        column.values.append(value, size);
        return;
      }
      column.values.push_varint(size);
      column.content.append(value, size);
  }
}

void Shredder::shred_object_id(Column& column, const std::uint8_t* value) {
  const std::uint32_t known = known_id(value);
  const auto reference = static_cast<std::uint16_t>(known);
  column.values.append(reinterpret_cast<const std::uint8_t*>(&reference), sizeof(reference));
  const auto parts = shred::ObjectIdParts::read(value);
  if (near_date_ == 0) near_date_ = parts.milliseconds();
  if (known != 0) return;
  parts.write_difference(column.last_id, column.content.extend(shred::object_id_bytes));
  column.last_id = parts;
}

/// The number of an id that was met before; else 0, and it is remembered while there is room.
std::uint32_t Shredder::known_id(const std::uint8_t* value) {
  const auto head = load_little_endian<std::uint64_t>(value);
  const auto tail = load_little_endian<std::uint32_t>(value + 8);
  std::uint64_t hash = (head ^ (std::uint64_t{tail} << 24U)) * 0x9e3779b97f4a7c15U;
  hash ^= hash >> 32U;
  for (std::size_t slot = hash % known_id_slots;; slot = (slot + 1) % known_id_slots) {
    KnownId& known = known_ids_[slot];
    if (known.block != block_) {
      if (ids_.size() == shred::max_known_ids) return 0;
      auto& id = ids_.emplace_back();
      std::memcpy(id.data(), value, id.size());
      known = {block_, static_cast<std::uint32_t>(ids_.size())};
      return 0;
    }
    if (std::memcmp(ids_[known.number - 1].data(), value, shred::object_id_bytes) == 0) {
      return known.number;
    }
  }
}

Shredder::Column& Shredder::column_of(std::uint32_t key, ColumnClass column_class) {
  ColumnKey& found = keys_[key];
  if (found.block != block_) {
    found.block = block_;
    found.column = new_column(column_class);
  }
  return columns_[found.column];
}

std::uint32_t Shredder::new_column(ColumnClass column_class) {
  if (column_count_ == shred::max_columns) {
    hopeless_ = true;  // what is made of this block is thrown away
    return shred::position_column;
  }
  if (column_count_ == columns_.size()) columns_.emplace_back();
  Column& column = columns_[column_count_];
  column.column_class = column_class;
  column.values.clear();
  column.content.clear();
  column.last_id = {};
  return static_cast<std::uint32_t>(column_count_++);
}

std::uint32_t Shredder::key_of(const std::string& header) {
  const auto [at, fresh] =
      keys_by_header_.try_emplace(header, static_cast<std::uint32_t>(keys_.size()));
  if (fresh) keys_.emplace_back();
  return at->second;
}

std::uint32_t Shredder::element_key(std::uint32_t array_key, bson::Type type) {
  if (keys_[array_key].element_keys.empty()) keys_[array_key].element_keys.resize(type_count);
  std::uint32_t known = keys_[array_key].element_keys[static_cast<std::uint8_t>(type)];
  if (known == 0) {
    keys_.emplace_back();
    known = static_cast<std::uint32_t>(keys_.size() - 1);
    keys_[array_key].element_keys[static_cast<std::uint8_t>(type)] = known;
  }
  return known;
}

void Shredder::finish() {
  out_.structure.clear();
  out_.text.clear();
  out_.planes.clear();
  out_.structure.push_varint(column_count_);
  for (std::size_t at = 0; at < column_count_; ++at) {
    const Column& column = columns_[at];
    out_.structure.push(static_cast<std::uint8_t>(column.column_class));
    out_.structure.push_varint(column.values.size());
    out_.structure.push_varint(column.content.size());
  }
  out_.structure.append(events_.view());
  for (std::size_t at = 0; at < column_count_; ++at) {
    const Column& column = columns_[at];
    if (column.column_class == ColumnClass::bytes) {
      out_.structure.append(column.values.view());
      out_.text.append(column.content.view());
      continue;
    }
    append_planes(out_.planes, column.values.view(), shred::width_of(column.column_class));
    append_planes(out_.planes, column.content.view(), shred::object_id_bytes);
  }
}

}  // namespace holdfast::repository
