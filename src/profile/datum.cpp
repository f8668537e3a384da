#include "profile/datum.h"

#include <bit>
#include <cassert>
#include <cstring>

#include "bson/builder.h"
#include "bson/decimal128.h"
#include "bson/order.h"

namespace holdfast::profile {

using bson::Type;

namespace {

int sign_of(std::weak_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

template <typename T>
int compare_plain(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int bracket(const Datum& datum) {
  return bson::bracket_of(datum.missing() ? Type::undefined : datum.type());
}

int compare_arrays(const Datum& a, const Datum& b) {
  // At least one is a list; the other may be encoded, so both are walked side by side.
  Arena arena;
  const auto left = elements_of(arena, a);
  const auto right = elements_of(arena, b);
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (const int order = compare(left[i], right[i]); order != 0) return order;
  }
  return compare_plain(left.size(), right.size());
}

}  // namespace

Datum::Datum(bson::ValueView value) : type_(static_cast<std::uint8_t>(value.type())) {
  switch (value.type()) {
    case Type::float64: number_ = value.as_double(); break;
    case Type::int32: integer_ = value.as_int32(); break;
    case Type::int64: integer_ = value.as_int64(); break;
    case Type::boolean: integer_ = value.as_bool() ? 1 : 0; break;
    case Type::date: integer_ = value.as_date(); break;
    case Type::timestamp: integer_ = static_cast<std::int64_t>(value.as_timestamp()); break;
    default:
      size_ = static_cast<std::uint32_t>(value.bytes().size());
      bytes_ = value.bytes().data();
  }
}

Datum Datum::of_bool(bool value) {
  Datum datum(Type::boolean);
  datum.integer_ = value ? 1 : 0;
  return datum;
}

Datum Datum::of_int32(std::int32_t value) {
  Datum datum(Type::int32);
  datum.integer_ = value;
  return datum;
}

Datum Datum::of_int64(std::int64_t value) {
  Datum datum(Type::int64);
  datum.integer_ = value;
  return datum;
}

Datum Datum::of_integer(std::int64_t value) {
  const bool fits = value >= INT32_MIN && value <= INT32_MAX;
  return fits ? of_int32(static_cast<std::int32_t>(value)) : of_int64(value);
}

Datum Datum::of_double(double value) {
  Datum datum(Type::float64);
  datum.number_ = value;
  return datum;
}

Datum Datum::of_date(std::int64_t milliseconds) {
  Datum datum(Type::date);
  datum.integer_ = milliseconds;
  return datum;
}

Datum Datum::of_string(Arena& arena, std::string_view text) {
  std::uint8_t* at = arena.allocate(text.size() + 5);
  const auto length = static_cast<std::uint32_t>(text.size() + 1);
  std::memcpy(at, &length, sizeof length);
  if (!text.empty()) std::memcpy(at + 4, text.data(), text.size());
  at[4 + text.size()] = 0;
  Datum datum(Type::string);
  datum.bytes_ = at;
  datum.size_ = length + 4;
  return datum;
}

Datum Datum::of_bytes(Arena& arena, Type type, ByteView bytes) {
  assert(!in_place(type));
  std::uint8_t* at = arena.allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  Datum datum(type);
  datum.bytes_ = at;
  datum.size_ = static_cast<std::uint32_t>(bytes.size());
  return datum;
}

Datum Datum::of_list(std::span<const Datum> items) {
  Datum datum(Type::array);
  datum.list_ = true;
  datum.items_ = items.data();
  datum.size_ = static_cast<std::uint32_t>(items.size());
  return datum;
}

bool Datum::in_place(Type type) {
  switch (type) {
    case Type::float64:
    case Type::int32:
    case Type::int64:
    case Type::boolean:
    case Type::date:
    case Type::timestamp: return true;
    default: return false;
  }
}

bool Datum::nullish() const { return missing() || is(Type::null) || is(Type::undefined); }

bool Datum::is_number() const {
  return is(Type::int32) || is(Type::int64) || is(Type::float64) || is(Type::decimal128);
}

bool Datum::truthy() const {
  if (missing()) return false;
  switch (type()) {
    case Type::null:
    case Type::undefined: return false;
    case Type::boolean:
    case Type::int32:
    case Type::int64: return integer_ != 0;
    case Type::float64: return number_ != 0;
    case Type::decimal128: return !bson::decode_decimal128(bytes()).is_zero();
    default: return true;
  }
}

std::string_view Datum::as_string() const { return as_text(bytes().subspan(4, size_ - 5)); }

bson::ValueView Datum::view(std::array<std::uint8_t, 8>& scratch) const {
  assert(!missing() && !list_);
  if (!in_place(type())) return {type(), bytes()};
  std::size_t size = 8;
  if (is(Type::int32)) {
    const auto narrow = static_cast<std::int32_t>(integer_);
    std::memcpy(scratch.data(), &narrow, size = 4);
  } else if (is(Type::boolean)) {
    scratch[0] = integer_ != 0 ? 1 : 0;
    size = 1;
  } else {
    std::memcpy(scratch.data(), &integer_, 8);
  }
  return {type(), ByteView(scratch.data(), size)};
}

bson::Value Datum::to_value() const {
  if (missing()) return {Type::undefined, {}};
  if (!list_) {
    std::array<std::uint8_t, 8> scratch;
    return bson::Value(view(scratch));
  }
  bson::Builder out;
  append_to(out, "", *this);
  const bson::Document document = std::move(out).finish();
  return bson::Value(*document.view().find(""));
}

void append_to(bson::Builder& out, std::string_view name, const Datum& datum) {
  if (datum.is_list()) {
    out.begin_array(name);
    std::size_t index = 0;
    for (const Datum& item : datum.items()) {
      // An array has no holes: the server puts null where an expression gave nothing.
      append_to(out, bson::array_index_name(index++), item.missing() ? Datum::null() : item);
    }
    out.end();
    return;
  }
  std::array<std::uint8_t, 8> scratch;
  out.append(name, datum.view(scratch));
}

int compare(const Datum& a, const Datum& b) {
  if (!a.missing() && !b.missing() && a.type() == b.type()) {
    switch (a.type()) {
      case Type::int32:
      case Type::int64:
      case Type::date: return compare_plain(a.as_integer(), b.as_integer());
      case Type::boolean: return compare_plain(a.as_bool(), b.as_bool());
      case Type::string: return compare_plain(a.as_string().compare(b.as_string()), 0);
      case Type::object_id: return std::memcmp(a.bytes().data(), b.bytes().data(), 12);
      default: break;
    }
  }
  const int left = bracket(a);
  const int right = bracket(b);
  if (left != right) return left < right ? -1 : 1;
  if (a.missing() || b.missing()) return 0;
  if (a.is_list() || b.is_list()) return compare_arrays(a, b);
  std::array<std::uint8_t, 8> first;
  std::array<std::uint8_t, 8> second;
  return sign_of(bson::compare(a.view(first), b.view(second)));
}

std::span<const Datum> elements_of(Arena& arena, const Datum& array) {
  if (array.is_list()) return array.items();
  ArenaVector<Datum> items(arena);
  for (const bson::Element& element : array.as_document()) items.push_back(Datum(element.value));
  return items.span();
}

std::string_view type_name(const Datum& datum) {
  return datum.missing() ? "missing" : type_name(datum.type());
}

std::string_view type_name(Type type) {
  switch (type) {
    case Type::float64: return "double";
    case Type::string: return "string";
    case Type::document: return "object";
    case Type::array: return "array";
    case Type::binary: return "binData";
    case Type::undefined: return "undefined";
    case Type::object_id: return "objectId";
    case Type::boolean: return "bool";
    case Type::date: return "date";
    case Type::null: return "null";
    case Type::regex: return "regex";
    case Type::db_pointer: return "dbPointer";
    case Type::code: return "javascript";
    case Type::symbol: return "symbol";
    case Type::code_with_scope: return "javascriptWithScope";
    case Type::int32: return "int";
    case Type::timestamp: return "timestamp";
    case Type::int64: return "long";
    case Type::decimal128: return "decimal";
    case Type::min_key: return "minKey";
    case Type::max_key: return "maxKey";
  }
  return "unknown";
}

}  // namespace holdfast::profile
