#include "checks/join_key.h"

#include <xxhash.h>

#include <cmath>
#include <cstring>

#include "bson/decimal128.h"
#include "bson/order.h"
#include "profile/decimal.h"

namespace holdfast::checks {
namespace {

using bson::Type;
using profile::Datum;

void append_type(Bytes& out, Type type) { out.push_back(static_cast<std::uint8_t>(type)); }

void append_sized(Bytes& out, ByteView bytes) {
  append_little_endian(out, static_cast<std::uint32_t>(bytes.size()));
  append_bytes(out, bytes);
}

void append_double(Bytes& out, double value) {
  append_type(out, Type::float64);
  append_little_endian(out, std::isnan(value) ? std::nan("") : value);
}

/// Integers as int64, other doubles as they are, decimals that no double equals in lowest terms.
void append_number(Bytes& out, const Datum& number) {
  std::array<std::uint8_t, 8> scratch;
  const bson::ValueView view = number.view(scratch);
  if (const auto integer = view.integral()) {
    append_type(out, Type::int64);
    append_little_endian(out, *integer);
    return;
  }
  if (number.is(Type::float64)) return append_double(out, number.as_double());
  bson::Decimal128 decimal = bson::decode_decimal128(number.bytes());
  const Datum nearest = Datum::of_double(profile::to_double(decimal));
  if (profile::compare(nearest, number) == 0) return append_double(out, nearest.as_double());
  while (decimal.coefficient != 0 && decimal.coefficient % 10 == 0) {
    decimal.coefficient /= 10;
    ++decimal.exponent;
  }
  append_type(out, Type::decimal128);
  append_little_endian(out, static_cast<std::uint8_t>(decimal.negative ? 1 : 0));
  append_little_endian(out, decimal.exponent);
  append_little_endian(out, static_cast<std::uint64_t>(decimal.coefficient));
  append_little_endian(out, static_cast<std::uint64_t>(decimal.coefficient >> 64U));
}

void append_fields(Bytes& out, bson::DocumentView document) {
  for (const bson::Element& element : document) {
    append_sized(out, as_bytes(element.name));
    append_join_key(out, Datum(element.value));
  }
  out.push_back(0);
}

}  // namespace

void append_join_key(Bytes& out, const Datum& value) {
  if (value.missing()) return append_type(out, Type::undefined);
  if (value.is_number()) return append_number(out, value);
  switch (value.type()) {
    case Type::object_id:
      append_type(out, Type::object_id);
      append_bytes(out, value.bytes());
      break;
    case Type::string:
    case Type::symbol:
      append_type(out, Type::string);
      append_sized(out, as_bytes(value.as_string()));
      break;
    case Type::boolean:
    case Type::date:
    case Type::timestamp:
      append_type(out, value.type());
      append_little_endian(out, value.as_integer());
      break;
    case Type::document:
      append_type(out, Type::document);
      append_fields(out, value.as_document());
      break;
    case Type::array:
      append_type(out, Type::array);
      profile::for_each_element(value, [&out](const Datum& item) {
        append_join_key(out, item);
        return true;
      });
      out.push_back(0);
      break;
    default: append_type(out, value.type()); append_sized(out, value.bytes());
  }
}

ShortKey shorten(ByteView join_key) {
  ShortKey key;
  if (join_key.size() == 13 && join_key[0] == static_cast<std::uint8_t>(Type::object_id)) {
    std::memcpy(&key.low, join_key.data() + 1, 8);
    std::uint32_t rest = 0;
    std::memcpy(&rest, join_key.data() + 9, 4);
    key.high = rest;
    return key;
  }
  const XXH128_hash_t hash = XXH3_128bits(join_key.data(), join_key.size());
  return {hash.low64, hash.high64 | (std::uint64_t{1} << 63U)};
}

}  // namespace holdfast::checks
