#include "repository/unshredder.h"

#include <cstring>

#include "bson/builder.h"
#include "repository/segment.h"

namespace holdfast::repository {
namespace {

using shred::ColumnClass;

/// As validate_document allows, and one for the entry itself.
constexpr int max_depth = bson::max_nesting + 1;

bool take_varint_from(const std::uint8_t*& at, const std::uint8_t* end, std::uint64_t& number) {
  if (at != end && *at < 0x80U) {
    number = *at++;
    return true;
  }
  number = 0;
  for (unsigned shift = 0; shift < 64 && at != end; shift += 7) {
    const std::uint8_t byte = *at++;
    number |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80U) return true;
  }
  return false;
}

template <std::size_t Width>
void rows_from_planes(const std::uint8_t* planes, std::size_t count, std::uint8_t* rows) {
  for (std::size_t row = 0; row < count; ++row, rows += Width) {
    for (std::size_t byte = 0; byte < Width; ++byte) rows[byte] = planes[byte * count + row];
  }
}

void rows_from_planes(const std::uint8_t* planes, std::size_t size, std::size_t width,
                      std::uint8_t* rows) {
  switch (width) {
    case 2: rows_from_planes<2>(planes, size / 2, rows); break;
    case 4: rows_from_planes<4>(planes, size / 4, rows); break;
    case 8: rows_from_planes<8>(planes, size / 8, rows); break;
    case 12: rows_from_planes<12>(planes, size / 12, rows); break;
    case 16: rows_from_planes<16>(planes, size / 16, rows); break;
    default:
      if (size > 0) std::memcpy(rows, planes, size);
  }
}

/// The next decimal index: digits without a NUL; returns their number.
std::size_t count_up(std::uint8_t* name, std::size_t digits) {
  std::size_t digit = digits;
  while (digit > 0 && name[digit - 1] == '9') name[--digit] = '0';
  if (digit > 0) {
    ++name[digit - 1];
    return digits;
  }
  name[0] = '1';
  name[digits] = '0';
  return digits + 1;
}

}  // namespace

Status Unshredder::unshred(ByteView structure, ByteView text, ByteView planes,
                           std::span<std::uint8_t> out) {
  out_ = out.data();
  out_end_ = out.data() + out.size();
  next_column_ = shred::position_column + 1;
  shapes_.clear();
  fields_.clear();
  keys_by_header_.clear();
  element_keys_.clear();
  column_by_key_.clear();
  ids_.clear();
  last_position_ = 0;
  if (!read_columns(structure, text, planes) || !read_entries()) {
    return Error(ErrorCode::corrupt, "a block whose parts do not fit together");
  }
  return {};
}

bool Unshredder::read_columns(ByteView structure, ByteView text, ByteView planes) {
  events_ = structure.data();
  events_end_ = structure.data() + structure.size();
  std::uint64_t count = 0;
  if (!take_varint(count) || count == 0 || count > shred::max_columns) return false;
  columns_.assign(count, {});
  std::vector<std::pair<std::uint64_t, std::uint64_t>> sizes(count);
  for (std::size_t at = 0; at < count; ++at) {
    if (events_ == events_end_ || *events_ > static_cast<std::uint8_t>(ColumnClass::object_id)) {
      return false;
    }
    columns_[at].column_class = static_cast<ColumnClass>(*events_++);
    if (!take_varint(sizes[at].first) || !take_varint(sizes[at].second)) return false;
  }
  // From the end of the structure: lengths of strings. In front of them: events.
  std::uint64_t lengths = 0;
  const auto left = [this] { return static_cast<std::uint64_t>(events_end_ - events_); };
  for (std::size_t at = 0; at < count; ++at) {
    if (columns_[at].column_class != ColumnClass::bytes) continue;
    if (sizes[at].first > left() - lengths) return false;
    lengths += sizes[at].first;
  }
  const std::uint8_t* length_at = events_end_ - lengths;
  events_end_ = length_at;

  rows_.reset(planes.size());
  std::uint8_t* row_at = rows_.data();
  const auto turn = [&planes, &row_at](std::uint64_t size,
                                       std::size_t width) -> const std::uint8_t* {
    if (size > planes.size() || (width == 0 ? size != 0 : size % width != 0)) return nullptr;
    rows_from_planes(planes.data(), size, width, row_at);
    planes = planes.subspan(size);
    row_at += size;
    return row_at - size;
  };
  for (std::size_t at = 0; at < count; ++at) {
    Column& column = columns_[at];
    const auto [values, content] = sizes[at];
    if (column.column_class == ColumnClass::bytes) {
      if (content > text.size()) return false;
      column.values = length_at;
      length_at += values;
      column.content = text.data();
      text = text.subspan(content);
    } else {
      const bool ids = column.column_class == ColumnClass::object_id;
      if (content > 0 && !ids) return false;
      column.values = turn(values, shred::width_of(column.column_class));
      column.content = turn(content, ids ? shred::object_id_bytes : 0);
      if ((values > 0 && column.values == nullptr) || (content > 0 && column.content == nullptr)) {
        return false;
      }
    }
    column.values_end = column.values + values;
    column.content_end = column.content + content;
  }
  return text.empty() && planes.empty();
}

bool Unshredder::read_entries() {
  Column& positions = columns_[shred::position_column];
  while (events_ != events_end_) {
    const auto kind = static_cast<Entry::Kind>(*events_++);
    std::uint8_t* const at = room(1);
    if (at == nullptr) return false;
    *at = static_cast<std::uint8_t>(kind);
    if (kind == Entry::Kind::put_at) {
      std::uint8_t* const to = room(sizeof(std::uint64_t));
      if (to == nullptr || positions.column_class != ColumnClass::fixed8 ||
          positions.values_end - positions.values < 8) {
        return false;
      }
      last_position_ += shred::unzigzag(load_little_endian<std::uint64_t>(positions.values));
      positions.values += 8;
      std::memcpy(to, &last_position_, sizeof(last_position_));
    }
    near_date_ = 0;
    if (!read_document(0)) return false;
  }
  return out_ == out_end_;
}

bool Unshredder::read_document(int depth) {
  if (depth > max_depth) return false;
  std::uint32_t number = 0;
  if (!read_shape(number)) return false;
  const Shape shape = shapes_[number];
  std::uint8_t* const start = room(4);
  if (start == nullptr) return false;
  for (std::uint32_t at = 0; at < shape.field_count; ++at) {
    const Field field = fields_[shape.first_field + at];
    std::uint8_t* const to = room(field.header.size());
    if (to == nullptr) return false;
    std::memcpy(to, field.header.data(), field.header.size());
    if (!read_value(field.type, field.key, depth)) return false;
  }
  std::uint8_t* const end = room(1);
  if (end == nullptr) return false;
  *end = 0;
  const auto size = static_cast<std::uint32_t>(out_ - start);
  std::memcpy(start, &size, sizeof(size));
  return true;
}

bool Unshredder::read_shape(std::uint32_t& number) {
  std::uint64_t wanted = 0;
  if (!take_varint(wanted) || wanted > shapes_.size()) return false;
  number = static_cast<std::uint32_t>(wanted);
  if (wanted < shapes_.size()) return true;
  Shape shape{static_cast<std::uint32_t>(fields_.size()), 0};
  while (true) {
    if (events_ == events_end_) return false;
    if (*events_ == shred::shape_end) break;
    const auto left = static_cast<std::size_t>(events_end_ - events_);
    const void* const name_end = left > 1 ? std::memchr(events_ + 1, 0, left - 1) : nullptr;
    if (name_end == nullptr) return false;
    const std::size_t size =
        static_cast<std::size_t>(static_cast<const std::uint8_t*>(name_end) - events_) + 1;
    const std::string_view header(reinterpret_cast<const char*>(events_), size);
    const auto [key, fresh] =
        keys_by_header_.try_emplace(header, static_cast<std::uint32_t>(column_by_key_.size()));
    if (fresh) column_by_key_.push_back(0);
    fields_.push_back({static_cast<bson::Type>(*events_), header, key->second});
    ++shape.field_count;
    events_ += size;
  }
  ++events_;
  shapes_.push_back(shape);
  return true;
}

bool Unshredder::read_array(std::uint32_t key, int depth) {
  if (events_ == events_end_ || depth > max_depth) return false;
  const std::uint8_t event = *events_++;
  if (event == shred::mixed_array) return read_document(depth);
  std::uint8_t* const start = room(4);
  if (start == nullptr) return false;
  if (event != shred::empty_array && !read_uniform(key, static_cast<bson::Type>(event), depth)) {
    return false;
  }
  std::uint8_t* const end = room(1);
  if (end == nullptr) return false;
  *end = 0;
  const auto size = static_cast<std::uint32_t>(out_ - start);
  std::memcpy(start, &size, sizeof(size));
  return true;
}

bool Unshredder::read_uniform(std::uint32_t key, bson::Type type, int depth) {
  std::uint64_t count = 0;
  if (!take_varint(count)) return false;
  const std::uint32_t elements = element_key(key, type);
  std::array<std::uint8_t, 24> name{'0'};
  std::size_t digits = 1;
  for (std::uint64_t at = 0; at < count; ++at) {
    std::uint8_t* const to = room(2 + digits);  // bounds `count`, and so the digits
    if (to == nullptr) return false;
    to[0] = static_cast<std::uint8_t>(type);
    std::memcpy(to + 1, name.data(), digits);
    to[1 + digits] = 0;
    digits = count_up(name.data(), digits);
    if (!read_value(type, elements, depth)) return false;
  }
  return true;
}

bool Unshredder::read_value(bson::Type type, std::uint32_t key, int depth) {
  const ColumnClass column_class = shred::class_of(type);
  if (column_class == ColumnClass::none) {
    if (type == bson::Type::document) return read_document(depth + 1);
    if (type == bson::Type::array) return read_array(key, depth + 1);
    return true;
  }
  Column* const column = column_of(key, column_class);
  if (column == nullptr) return false;
  if (column_class == ColumnClass::object_id) return read_object_id(*column);
  if (column_class == ColumnClass::bytes) return read_bytes(*column, type);
  return read_fixed(*column, type);
}

bool Unshredder::read_object_id(Column& column) {
  std::uint8_t* const to = room(shred::object_id_bytes);
  if (to == nullptr || column.values == column.values_end) return false;
  const auto reference = load_little_endian<std::uint16_t>(column.values);
  column.values += sizeof(reference);
  if (reference > ids_.size()) return false;
  if (reference != 0) {
    std::memcpy(to, ids_[reference - 1], shred::object_id_bytes);
    if (near_date_ == 0) near_date_ = shred::ObjectIdParts::read(to).milliseconds();
    return true;
  }
  if (column.content == column.content_end) return false;
  shred::ObjectIdParts& id = column.last_id;
  id.add_difference(column.content);
  column.content += shred::object_id_bytes;
  id.write(to);
  if (near_date_ == 0) near_date_ = id.milliseconds();
  if (ids_.size() < shred::max_known_ids) ids_.push_back(to);
  return true;
}

bool Unshredder::read_fixed(Column& column, bson::Type type) {
  const std::size_t width = shred::width_of(column.column_class);
  std::uint8_t* const to = room(width);
  if (to == nullptr || column.values == column.values_end) return false;
  const std::uint8_t* const from = column.values;
  column.values += width;
  if (type == bson::Type::int32) {
    const std::uint32_t number = shred::unzigzag32(load_little_endian<std::uint32_t>(from));
    std::memcpy(to, &number, sizeof(number));
  } else if (type == bson::Type::int64 || type == bson::Type::date) {
    const bool date = type == bson::Type::date;
    const std::uint64_t number =
        shred::unzigzag(load_little_endian<std::uint64_t>(from)) + (date ? near_date_ : 0);
    if (date) near_date_ = number;
    std::memcpy(to, &number, sizeof(number));
  } else {
    std::memcpy(to, from, width);
  }
  return true;
}

bool Unshredder::read_bytes(Column& column, bson::Type type) {
  std::uint64_t size = 0;
  if (!take_varint_from(column.values, column.values_end, size)) return false;
  if (size > static_cast<std::uint64_t>(column.content_end - column.content)) return false;
  const bool text =
      type == bson::Type::string || type == bson::Type::symbol || type == bson::Type::code;
  std::uint8_t* to = room(text ? size + 5 : size);
  if (to == nullptr) return false;
  if (text) {
    const auto prefix = static_cast<std::uint32_t>(size + 1);
    std::memcpy(to, &prefix, sizeof(prefix));
    to += sizeof(prefix);
    to[size] = 0;
  }
  if (size > 0) std::memcpy(to, column.content, size);
  column.content += size;
  return true;
}

Unshredder::Column* Unshredder::column_of(std::uint32_t key, ColumnClass column_class) {
  std::uint32_t& known = column_by_key_[key];
  if (known == 0) {
    if (next_column_ == columns_.size() || columns_[next_column_].column_class != column_class) {
      return nullptr;
    }
    known = static_cast<std::uint32_t>(next_column_++) + 1;
  }
  return &columns_[known - 1];
}

std::uint32_t Unshredder::element_key(std::uint32_t array_key, bson::Type type) {
  const std::uint64_t both = (std::uint64_t{array_key} << 8U) | static_cast<std::uint8_t>(type);
  const auto [key, fresh] =
      element_keys_.try_emplace(both, static_cast<std::uint32_t>(column_by_key_.size()));
  if (fresh) column_by_key_.push_back(0);
  return key->second;
}

bool Unshredder::take_varint(std::uint64_t& number) {
  return take_varint_from(events_, events_end_, number);
}

std::uint8_t* Unshredder::room(std::size_t size) {
  if (size > static_cast<std::size_t>(out_end_ - out_)) return nullptr;
  std::uint8_t* const at = out_;
  out_ += size;
  return at;
}

}  // namespace holdfast::repository
