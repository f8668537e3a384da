#include "bson/extended_json_wrapper.h"

#include <bson/bson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

#include "bson/json_text.h"

namespace holdfast::bson {

namespace {

using Unwrapped = Result<std::optional<Value>>;

Error bad(std::string what) { return Error(ErrorCode::usage, std::move(what)); }

template <typename T>
Value number_value(Type type, T number) {
  Bytes bytes;
  append_little_endian(bytes, number);
  return Value(type, std::move(bytes));
}

void append_text(Bytes& out, std::string_view text) {
  append_little_endian(out, static_cast<std::int32_t>(text.size() + 1));
  append_bytes(out, as_bytes(text));
  out.push_back(0);
}

Value text_value(Type type, std::string_view text) {
  Bytes bytes;
  append_text(bytes, text);
  return Value(type, std::move(bytes));
}

Value binary_value(std::uint8_t subtype, ByteView data) {
  Bytes bytes;
  const std::size_t inner = subtype == 2 ? 4 : 0;
  append_little_endian(bytes, static_cast<std::int32_t>(data.size() + inner));
  bytes.push_back(subtype);
  if (inner != 0) append_little_endian(bytes, static_cast<std::int32_t>(data.size()));
  append_bytes(bytes, data);
  return Value(Type::binary, std::move(bytes));
}

std::size_t count_fields(DocumentView object) {
  return static_cast<std::size_t>(std::distance(object.begin(), object.end()));
}

std::optional<std::string_view> text_of(ValueView value) {
  if (value.type() != Type::string) return std::nullopt;
  return value.as_string();
}

template <typename T>
std::optional<T> parse_integer(std::string_view text) {
  T number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// --- Wrappers of one field; `value` is that field's.

Unwrapped unwrap_object_id(ValueView value) {
  const auto text = text_of(value);
  const auto bytes = text ? from_hex(*text) : std::nullopt;
  if (!bytes || bytes->size() != 12) return bad("$oid needs 24 hexadecimal digits");
  return std::optional(Value(Type::object_id, *bytes));
}

Unwrapped unwrap_symbol(ValueView value) {
  const auto text = text_of(value);
  if (!text) return bad("$symbol needs a string");
  return std::optional(text_value(Type::symbol, *text));
}

Unwrapped unwrap_int32(ValueView value) {
  const auto text = text_of(value);
  const auto number = text ? parse_integer<std::int32_t>(*text) : std::nullopt;
  if (!number) return bad("$numberInt needs a string with a 32-bit integer");
  return std::optional(number_value(Type::int32, *number));
}

Unwrapped unwrap_int64(ValueView value) {
  const auto text = text_of(value);
  const auto number = text ? parse_integer<std::int64_t>(*text) : std::nullopt;
  if (!number) return bad("$numberLong needs a string with a 64-bit integer");
  return std::optional(number_value(Type::int64, *number));
}

Unwrapped unwrap_double(ValueView value) {
  const auto text = text_of(value);
  const auto number = text ? parse_double(*text) : std::nullopt;
  if (!number) return bad("$numberDouble needs a string with a number");
  return std::optional(number_value(Type::float64, *number));
}

Unwrapped unwrap_decimal128(ValueView value) {
  const auto text = text_of(value);
  bson_decimal128_t decimal{};
  if (!text || text->find('\0') != std::string_view::npos ||
      !bson_decimal128_from_string(std::string(*text).c_str(), &decimal)) {
    return bad("$numberDecimal needs a string with a decimal number");
  }
  Bytes bytes;
  append_little_endian(bytes, static_cast<std::uint64_t>(decimal.low));
  append_little_endian(bytes, static_cast<std::uint64_t>(decimal.high));
  return std::optional(Value(Type::decimal128, std::move(bytes)));
}

Unwrapped unwrap_date(ValueView value) {
  if (const auto text = text_of(value)) {
    const auto date = parse_date(*text);
    if (!date) return bad("$date needs a time like 2012-12-24T12:15:30.501Z");
    return std::optional(number_value(Type::date, *date));
  }
  const auto milliseconds = value.integral();
  if (!milliseconds) return bad("$date needs a time, or milliseconds since 1970");
  return std::optional(number_value(Type::date, *milliseconds));
}

Unwrapped unwrap_timestamp(ValueView value) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  std::optional<std::int64_t> seconds;
  std::optional<std::int64_t> increment;
  if (value.type() == Type::document && count_fields(value.as_document()) == 2) {
    seconds = value.as_document().find_integral("t");
    increment = value.as_document().find_integral("i");
  }
  if (!seconds || !increment || *seconds < 0 || *seconds > most || *increment < 0 ||
      *increment > most) {
    return bad("$timestamp needs t and i, both unsigned 32-bit integers");
  }
  const auto bits = static_cast<std::uint64_t>(*seconds) << 32U;
  return std::optional(
      number_value(Type::timestamp, bits | static_cast<std::uint64_t>(*increment)));
}

Unwrapped make_regex(std::string_view pattern, std::string_view options) {
  if (pattern.find('\0') != std::string_view::npos ||
      options.find('\0') != std::string_view::npos) {
    return bad("a regular expression cannot hold NUL");
  }
  Bytes bytes = to_bytes(as_bytes(pattern));
  bytes.push_back(0);
  append_bytes(bytes, as_bytes(sort_options(options)));
  bytes.push_back(0);
  return std::optional(Value(Type::regex, std::move(bytes)));
}

Unwrapped unwrap_regular_expression(ValueView value) {
  std::optional<std::string_view> pattern;
  std::optional<std::string_view> options;
  if (value.type() == Type::document && count_fields(value.as_document()) == 2) {
    pattern = value.as_document().find_string("pattern");
    options = value.as_document().find_string("options");
  }
  if (!pattern || !options) return bad("$regularExpression needs strings pattern and options");
  return make_regex(*pattern, *options);
}

Unwrapped unwrap_db_pointer(ValueView value) {
  std::optional<std::string_view> name;
  std::optional<ValueView> id;
  if (value.type() == Type::document && count_fields(value.as_document()) == 2) {
    name = value.as_document().find_string("$ref");
    id = value.as_document().find("$id");
  }
  if (!name || !id || id->type() != Type::object_id) {
    return bad("$dbPointer needs a string $ref and an ObjectId $id");
  }
  Bytes bytes;
  append_text(bytes, *name);
  append_bytes(bytes, id->as_object_id());
  return std::optional(Value(Type::db_pointer, std::move(bytes)));
}

Unwrapped unwrap_undefined(ValueView value) {
  if (value.type() != Type::boolean || !value.as_bool()) return bad("$undefined needs true");
  return std::optional(Value(Type::undefined, {}));
}

Unwrapped unwrap_min_key(ValueView value) {
  if (value.integral() != 1) return bad("$minKey needs 1");
  return std::optional(Value(Type::min_key, {}));
}

Unwrapped unwrap_max_key(ValueView value) {
  if (value.integral() != 1) return bad("$maxKey needs 1");
  return std::optional(Value(Type::max_key, {}));
}

Unwrapped unwrap_uuid(ValueView value) {
  constexpr std::size_t size = 36;
  constexpr std::array<std::size_t, 4> hyphens = {8, 13, 18, 23};
  const auto text = text_of(value);
  std::string digits;
  if (text && text->size() == size) {
    for (std::size_t at = 0; at < size; ++at) {
      const bool hyphen = std::find(hyphens.begin(), hyphens.end(), at) != hyphens.end();
      if (!hyphen || (*text)[at] != '-') digits += (*text)[at];
    }
  }
  const auto bytes = digits.size() == 32 ? from_hex(digits) : std::nullopt;
  if (!bytes) return bad("$uuid needs a text like 73ffd264-44b3-4c69-90e8-e7d1dfc035d4");
  return std::optional(binary_value(4, *bytes));
}

Unwrapped make_binary(std::optional<std::string_view> base64, std::optional<int> subtype) {
  if (!base64 || !subtype) return bad("$binary needs base64 and subType, one or two hex digits");
  const auto data = decode_base64(*base64);
  if (!data) return bad("the data of $binary is not base64");
  return std::optional(binary_value(static_cast<std::uint8_t>(*subtype), *data));
}

std::optional<int> parse_subtype(ValueView value) {
  const auto text = text_of(value);
  if (!text || text->empty() || text->size() > 2) return std::nullopt;
  const auto bytes = from_hex(text->size() == 1 ? "0" + std::string(*text) : std::string(*text));
  return bytes ? std::optional<int>((*bytes)[0]) : std::nullopt;
}

Unwrapped unwrap_binary(ValueView value) {
  if (value.type() != Type::document || count_fields(value.as_document()) != 2) {
    return make_binary(std::nullopt, std::nullopt);
  }
  const auto subtype = value.as_document().find("subType");
  return make_binary(value.as_document().find_string("base64"),
                     subtype ? parse_subtype(*subtype) : std::nullopt);
}

// --- Wrappers of two fields, in either order; nothing where the fields are a query's operators.

/// v1: {"$binary": "<base64>", "$type": "<hex>"}; old shells wrote the type as a number.
Unwrapped unwrap_old_binary(DocumentView object) {
  const auto type = object.find("$type");
  if (!type) return bad("$binary needs base64 and subType");
  auto subtype = parse_subtype(*type);
  if (const auto number = type->integral(); number && *number >= 0 && *number <= 255) {
    subtype = static_cast<int>(*number);
  }
  return make_binary(object.find_string("$binary"), subtype);
}

Unwrapped unwrap_code(DocumentView object) {
  const auto code = object.find_string("$code");
  const std::size_t fields = count_fields(object);
  if (code && fields == 1) return std::optional(text_value(Type::code, *code));
  const auto scope = object.find("$scope");
  if (!code || !scope || scope->type() != Type::document || fields != 2) {
    return bad("$code needs a string, and beside it at most a $scope that is a document");
  }
  Bytes bytes(4);
  append_text(bytes, *code);
  append_bytes(bytes, scope->bytes());
  const auto total = static_cast<std::int32_t>(bytes.size());
  std::memcpy(bytes.data(), &total, sizeof(total));
  return std::optional(Value(Type::code_with_scope, std::move(bytes)));
}

/// {"$regex": …} alone, or with something else than strings, is a query's operator.
Unwrapped unwrap_old_regex(DocumentView object) {
  const auto pattern = object.find_string("$regex");
  const auto options = object.find_string("$options");
  if (!pattern || !options || count_fields(object) != 2) return std::optional<Value>();
  return make_regex(*pattern, *options);
}

struct SingleWrapper {
  std::string_view name;
  Unwrapped (*unwrap)(ValueView value);
};

constexpr std::array single_wrappers = {
    SingleWrapper{"$oid", unwrap_object_id},
    SingleWrapper{"$numberInt", unwrap_int32},
    SingleWrapper{"$numberLong", unwrap_int64},
    SingleWrapper{"$numberDouble", unwrap_double},
    SingleWrapper{"$numberDecimal", unwrap_decimal128},
    SingleWrapper{"$date", unwrap_date},
    SingleWrapper{"$binary", unwrap_binary},
    SingleWrapper{"$uuid", unwrap_uuid},
    SingleWrapper{"$timestamp", unwrap_timestamp},
    SingleWrapper{"$regularExpression", unwrap_regular_expression},
    SingleWrapper{"$symbol", unwrap_symbol},
    SingleWrapper{"$dbPointer", unwrap_db_pointer},
    SingleWrapper{"$undefined", unwrap_undefined},
    SingleWrapper{"$minKey", unwrap_min_key},
    SingleWrapper{"$maxKey", unwrap_max_key},
};

}  // namespace

Unwrapped unwrap(DocumentView object) {
  const auto first = object.begin();
  if (first == object.end() || !first->name.starts_with('$')) return std::optional<Value>();
  const std::string_view name = first->name;
  if (name == "$regex" || name == "$options") return unwrap_old_regex(object);
  if (name == "$code" || (name == "$scope" && object.find("$code"))) return unwrap_code(object);
  const bool old_binary = count_fields(object) == 2 && object.find_string("$binary");
  if (old_binary && (name == "$binary" || name == "$type")) return unwrap_old_binary(object);
  for (const auto& wrapper : single_wrappers) {
    if (wrapper.name != name) continue;
    if (count_fields(object) != 1) return bad("another field beside " + std::string(name));
    return wrapper.unwrap(first->value);
  }
  return std::optional<Value>();
}

}  // namespace holdfast::bson
