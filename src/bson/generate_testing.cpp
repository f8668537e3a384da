#include "bson/generate_testing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "bson/builder.h"
#include "bson/extended_json.h"

namespace holdfast::bson {

namespace {

using Random = std::mt19937_64;

bool one_in(Random& random, std::size_t chances) { return pick_below(random, chances) == 0; }

template <typename T, std::size_t Size>
const T& pick(Random& random, const std::array<T, Size>& from) {
  return from[pick_below(random, Size)];
}

template <typename T>
Value plain_value(Type type, T number) {
  Bytes bytes;
  append_little_endian(bytes, number);
  return Value(type, std::move(bytes));
}

Bytes random_bytes(Random& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::string random_text(Random& random, bool utf8, bool nul) {
  static constexpr std::array<std::string_view, 14> pieces = {
      "a",    "B", "word", " ",      "\"",         "\\",         "\n",
      "\x7f", "é", "سلام", "\u2028", "\U0001F600", "$numberInt", "\x01"};
  static constexpr std::array<std::string_view, 4> bad_pieces = {"\xff", "\xc0\x80", "\xed\xa0\x80",
                                                                 "\xe2\x82"};
  std::string text;
  const std::size_t count = one_in(random, 20) ? 200 : pick_below(random, 6);
  for (std::size_t at = 0; at < count; ++at) {
    if (nul && one_in(random, 20)) text += '\0';
    text += !utf8 && one_in(random, 8) ? pick(random, bad_pieces) : pick(random, pieces);
  }
  return text;
}

std::string random_name(Random& random, const GenerateOptions& options) {
  static constexpr std::array<std::string_view, 10> names = {
      "a", "b", "c", "name", "createdAt", "0", "12", "with.dot", "", "é"};
  static constexpr std::array<std::string_view, 4> bad_names = {"$oid", "$date", "$", "\xff"};
  if (!options.json_safe && one_in(random, 12)) return std::string(pick(random, bad_names));
  if (one_in(random, 10)) {
    const std::string text = random_text(random, options.json_safe, false);
    return text.starts_with('$') ? "x" + text : text;
  }
  return std::string(pick(random, names));
}

std::int64_t random_integer(Random& random) {
  static constexpr std::array<std::int64_t, 9> middles = {
      0, INT32_MAX, INT32_MIN, 1LL << 53, -(1LL << 53), INT64_MAX, INT64_MIN, 1LL << 62, 1000};
  if (one_in(random, 3)) return static_cast<std::int64_t>(random());
  const auto middle = static_cast<std::uint64_t>(pick(random, middles));
  return static_cast<std::int64_t>(middle + pick_below(random, 5) - 2);
}

double random_double(Random& random) {
  using Limits = std::numeric_limits<double>;
  static constexpr std::array<double, 12> specials = {0.0,
                                                      -0.0,
                                                      1.5,
                                                      0.1,
                                                      Limits::infinity(),
                                                      -Limits::infinity(),
                                                      Limits::max(),
                                                      Limits::min(),
                                                      Limits::denorm_min(),
                                                      0x1p53,
                                                      0x1p63,
                                                      1e22};
  switch (pick_below(random, 4)) {
    case 0: return pick(random, specials);
    case 1: return static_cast<double>(random_integer(random));
    case 2:
      return std::ldexp(static_cast<double>(random() % 2000) - 1000.0,
                        static_cast<int>(pick_below(random, 40)) - 20);
    default: break;
  }
  const double value = std::bit_cast<double>(random());
  return std::isnan(value) ? std::nan("") : value;
}

Value decimal_value(std::uint64_t high, std::uint64_t low) {
  Bytes bytes;
  append_little_endian(bytes, low);
  append_little_endian(bytes, high);
  return Value(Type::decimal128, std::move(bytes));
}

Value random_decimal(Random& random, bool canonical) {
  constexpr std::uint64_t infinity = 0x7800000000000000U;
  constexpr std::uint64_t nan = 0x7c00000000000000U;
  constexpr std::uint64_t bias = 6176;
  const std::uint64_t sign = (random() & 1U) << 63U;
  switch (pick_below(random, canonical ? 5 : 6)) {
    case 0: return decimal_value(one_in(random, 2) ? nan : infinity | sign, 0);
    case 1: return decimal_value(sign | (pick_below(random, 12288) << 49U), 0);
    case 2: return decimal_value(sign | (pick_below(random, 12288) << 49U), random());
    case 3:
    case 4: {
      // Near the integers and doubles that are generated.
      const auto integer = random_integer(random);
      const auto magnitude = integer < 0 ? 0U - static_cast<std::uint64_t>(integer)
                                         : static_cast<std::uint64_t>(integer);
      const std::uint64_t exponent = bias - (one_in(random, 2) ? 0 : pick_below(random, 6));
      return decimal_value((integer < 0 ? 1ULL << 63U : 0) | (exponent << 49U), magnitude);
    }
    default: return decimal_value(random(), random());
  }
}

Value random_regex(Random& random, bool json_safe) {
  std::string options;
  for (const char option : std::string_view("ilmsux")) {
    if (one_in(random, 3)) options += option;
  }
  if (!json_safe) std::reverse(options.begin(), options.end());
  Bytes bytes = to_bytes(as_bytes(random_text(random, json_safe, false)));
  bytes.push_back(0);
  append_bytes(bytes, as_bytes(options));
  bytes.push_back(0);
  return Value(Type::regex, std::move(bytes));
}

void append_text(Bytes& out, std::string_view text) {
  append_little_endian(out, static_cast<std::int32_t>(text.size() + 1));
  append_bytes(out, as_bytes(text));
  out.push_back(0);
}

Value random_binary(Random& random, bool json_safe) {
  static constexpr std::array<std::uint8_t, 7> subtypes = {0, 2, 3, 4, 5, 6, 0x80};
  const std::uint8_t subtype = pick(random, subtypes);
  const Bytes data = random_bytes(random, pick_below(random, 20));
  const bool inner_length = subtype == 2 && (json_safe || !one_in(random, 4));
  Bytes bytes;
  append_little_endian(bytes, static_cast<std::int32_t>(data.size() + (inner_length ? 4 : 0)));
  bytes.push_back(subtype);
  if (inner_length) append_little_endian(bytes, static_cast<std::int32_t>(data.size()));
  append_bytes(bytes, data);
  return Value(Type::binary, std::move(bytes));
}

Document random_fields(Random& random, const GenerateOptions& options, bool array, Builder out) {
  GenerateOptions inner = options;
  --inner.max_depth;
  std::vector<std::string> used = {"_id"};
  const std::size_t count = pick_below(random, options.max_fields + 1);
  for (std::size_t at = 0; at < count; ++at) {
    std::string name = array ? array_index_name(at) : random_name(random, options);
    const bool repeated = std::find(used.begin(), used.end(), name) != used.end();
    if (repeated && !options.repeat_names) continue;
    out.append(name, generate_value(random, inner).view());
    used.push_back(std::move(name));
  }
  return std::move(out).finish();
}

Value random_container(Random& random, const GenerateOptions& options, bool array) {
  if (options.max_depth <= 0)
    return Value(array ? Type::array : Type::document, Document().bytes());
  return Value(array ? Type::array : Type::document,
               random_fields(random, options, array, Builder()).bytes());
}

Value random_code_with_scope(Random& random, const GenerateOptions& options) {
  Bytes bytes(4);
  append_text(bytes, random_text(random, options.json_safe, true));
  append_bytes(bytes, random_container(random, options, false).view().bytes());
  const auto total = static_cast<std::int32_t>(bytes.size());
  std::memcpy(bytes.data(), &total, sizeof(total));
  return Value(Type::code_with_scope, std::move(bytes));
}

Value random_of_type(Random& random, Type type, const GenerateOptions& options) {
  switch (type) {
    case Type::float64: return plain_value(type, random_double(random));
    case Type::int32: return plain_value(type, static_cast<std::int32_t>(random_integer(random)));
    case Type::int64: return plain_value(type, random_integer(random));
    case Type::decimal128: return random_decimal(random, options.json_safe);
    case Type::date: return plain_value(type, random_integer(random) >> pick_below(random, 40));
    case Type::timestamp: return plain_value(type, random());
    case Type::boolean: return Value(type, {static_cast<std::uint8_t>(random() & 1U)});
    case Type::object_id: return Value(type, random_bytes(random, 12));
    case Type::binary: return random_binary(random, options.json_safe);
    case Type::regex: return random_regex(random, options.json_safe);
    case Type::document: return random_container(random, options, false);
    case Type::array: return random_container(random, options, true);
    case Type::code_with_scope: return random_code_with_scope(random, options);
    case Type::string:
    case Type::symbol:
    case Type::code:
    case Type::db_pointer: {
      Bytes bytes;
      append_text(bytes, random_text(random, options.json_safe, true));
      if (type == Type::db_pointer) append_bytes(bytes, random_bytes(random, 12));
      return Value(type, std::move(bytes));
    }
    case Type::undefined:
    case Type::null:
    case Type::min_key:
    case Type::max_key: return Value(type, {});
  }
  throw std::logic_error("no such type");
}

}  // namespace

std::size_t pick_below(Random& random, std::size_t bound) { return random() % bound; }

Value generate_value(Random& random, const GenerateOptions& options) {
  static constexpr std::array<Type, 21> types = {
      Type::float64,   Type::string,     Type::document, Type::array,      Type::binary,
      Type::undefined, Type::object_id,  Type::boolean,  Type::date,       Type::null,
      Type::regex,     Type::db_pointer, Type::code,     Type::symbol,     Type::code_with_scope,
      Type::int32,     Type::timestamp,  Type::int64,    Type::decimal128, Type::min_key,
      Type::max_key};
  return random_of_type(random, pick(random, types), options);
}

Value generate_number(Random& random) {
  static constexpr std::array<Type, 4> types = {Type::float64, Type::int32, Type::int64,
                                                Type::decimal128};
  return random_of_type(random, pick(random, types), {});
}

Value generate_id(Random& random) {
  if (!one_in(random, 3)) return Value(Type::object_id, random_bytes(random, 12));
  GenerateOptions options;
  options.max_depth = 2;
  options.max_fields = 3;
  for (;;) {
    Value id = generate_value(random, options);
    const Type type = id.view().type();
    if (type != Type::array && type != Type::regex && type != Type::undefined) return id;
  }
}

Document generate_document(Random& random, const GenerateOptions& options) {
  return random_fields(random, options, false, Builder());
}

Document generate_document_with_id(Random& random, ValueView id, const GenerateOptions& options) {
  Builder out;
  out.append("_id", id);
  return random_fields(random, options, false, std::move(out));
}

Document document_from_json(std::string_view json) {
  auto document = from_json(json);
  if (!document) throw std::invalid_argument(document.error().message());
  return std::move(document).value();
}

Value value_from_json(std::string_view json) {
  const Document document = document_from_json("{\"v\":" + std::string(json) + "}");
  return Value(document.view().begin()->value);
}

}  // namespace holdfast::bson
