#include <fmt/format.h>
#include <re2/re2.h>

#include <charconv>
#include <cmath>

#include "base/bytes.h"
#include "bson/json_text.h"
#include "profile/decimal.h"
#include "profile/node_internal.h"
#include "profile/text_internal.h"

namespace holdfast::profile {

using bson::Type;

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) {
    if ((static_cast<unsigned char>(byte) & 0xc0U) != 0x80U) ++count;
  }
  return count;
}

std::int64_t clamp_to_int64(const Datum& number) {
  if (number.is(Type::float64)) {
    const double value = number.as_double();
    if (std::isnan(value)) return 0;
    if (value >= 0x1p63) return INT64_MAX;
    return value < -0x1p63 ? INT64_MIN : static_cast<std::int64_t>(value);
  }
  if (!number.is(Type::decimal128)) return number.as_integer();
  const Decimal128 decimal = decimal_of(number);
  return truncated(decimal).value_or(decimal.negative ? INT64_MIN : INT64_MAX);
}

std::string iso_text(std::int64_t milliseconds) {
  const auto text = bson::format_date(milliseconds);
  if (!text) return fmt::format("{} ms", milliseconds);
  // The server always writes milliseconds.
  if (text->find('.') != std::string::npos) return *text;
  return text->substr(0, text->size() - 1) + ".000Z";
}

std::string_view number_to_text(Evaluation& evaluation, const Datum& value) {
  std::string text;
  switch (value.type()) {
    case Type::float64: {
      const double number = value.as_double();
      text = std::isnan(number)   ? "NaN"
             : std::isinf(number) ? (number < 0 ? "-Infinity" : "Infinity")
                                  : fmt::format("{:.17g}", number);
      for (int digits = 1; std::isfinite(number) && digits < 17; ++digits) {
        std::string shorter = fmt::format("{:.{}g}", number, digits);
        if (bson::parse_double(shorter) == number) {
          text = std::move(shorter);
          break;
        }
      }
      break;
    }
    case Type::decimal128: text = to_text(decimal_of(value)); break;
    case Type::date: text = iso_text(value.as_integer()); break;
    default: text = fmt::format("{}", value.as_integer());
  }
  return Datum::of_string(evaluation.arena(), text).as_string();
}

std::optional<std::string_view> coerce_to_text(Evaluation& evaluation, const Datum& value) {
  if (value.nullish()) return "";
  switch (value.type()) {
    case Type::string:
    case Type::symbol:
    case Type::code: return value.as_string();
    case Type::int32:
    case Type::int64:
    case Type::float64:
    case Type::decimal128:
    case Type::date: return number_to_text(evaluation, value);
    default: return std::nullopt;
  }
}

Result<std::unique_ptr<re2::RE2>> compile_pattern(std::string_view pattern,
                                                  std::string_view options) {
  re2::RE2::Options settings(re2::RE2::Quiet);
  settings.set_max_mem(8L * 1024 * 1024);
  std::string flags;
  for (const char option : options) {
    if (option == 'i' || option == 'm' || option == 's') {
      flags += option;
    } else {
      return Error(ErrorCode::usage,
                   fmt::format("the regular expression's option '{}' is not supported", option),
                   "i, m and s are");
    }
  }
  const std::string text =
      flags.empty() ? std::string(pattern) : fmt::format("(?{}){}", flags, pattern);
  auto compiled = std::make_unique<re2::RE2>(text, settings);
  if (!compiled->ok()) {
    return Error(
        ErrorCode::usage,
        fmt::format("the regular expression /{}/ does not compile: {}", pattern, compiled->error()),
        "RE2 runs it: backreferences and lookaround do not exist there");
  }
  return compiled;
}

namespace {

Datum type_of(Evaluation& evaluation, Arguments arguments) {
  return Datum::of_string(evaluation.arena(), type_name(arguments[0]->evaluate(evaluation)));
}

Datum is_number(Evaluation& evaluation, Arguments arguments) {
  return Datum::of_bool(arguments[0]->evaluate(evaluation).is_number());
}

Datum no_conversion(Evaluation& evaluation, const Datum& value, std::string_view to) {
  return evaluation.fail(
      fmt::format("Unsupported conversion from {} to {} in $convert", type_name(value), to));
}

Datum bad_number(Evaluation& evaluation, std::string_view text) {
  return evaluation.fail(fmt::format("Failed to parse number '{}' in $convert", text));
}

/// To an integer between the bounds.
Datum to_integer(Evaluation& evaluation, Arguments arguments, bool wide) {
  const std::string_view name = wide ? "long" : "int";
  const Datum value = arguments[0]->evaluate(evaluation);
  if (value.nullish()) return Datum::null();
  std::int64_t result = 0;
  switch (value.type()) {
    case Type::boolean:
    case Type::int32:
    case Type::int64: result = value.as_integer(); break;
    case Type::date:
      if (!wide) return no_conversion(evaluation, value, name);
      result = value.as_integer();
      break;
    case Type::float64: {
      const double number = value.as_double();
      if (!(number >= -0x1p63 && number < 0x1p63)) {
        return evaluation.fail("Conversion would overflow target type in $convert");
      }
      result = static_cast<std::int64_t>(number);
      break;
    }
    case Type::decimal128: {
      const auto whole = truncated(decimal_of(value));
      if (!whole) return evaluation.fail("Conversion would overflow target type in $convert");
      result = *whole;
      break;
    }
    case Type::string: {
      std::string_view text = value.as_string();
      if (text.starts_with('+')) text.remove_prefix(1);
      const char* end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data(), end, result);
      if (error != std::errc{} || stop != end || text.empty()) {
        return bad_number(evaluation, value.as_string());
      }
      break;
    }
    default: return no_conversion(evaluation, value, name);
  }
  if (wide) return Datum::of_int64(result);
  if (result < INT32_MIN || result > INT32_MAX) {
    return evaluation.fail("Conversion would overflow target type in $convert");
  }
  return Datum::of_int32(static_cast<std::int32_t>(result));
}

Datum to_int(Evaluation& evaluation, Arguments arguments) {
  return to_integer(evaluation, arguments, false);
}

Datum to_long(Evaluation& evaluation, Arguments arguments) {
  return to_integer(evaluation, arguments, true);
}

Datum to_double_value(Evaluation& evaluation, Arguments arguments) {
  const Datum value = arguments[0]->evaluate(evaluation);
  if (value.nullish()) return Datum::null();
  switch (value.type()) {
    case Type::float64: return value;
    case Type::boolean:
    case Type::int32:
    case Type::int64:
    case Type::date: return Datum::of_double(static_cast<double>(value.as_integer()));
    case Type::decimal128: return Datum::of_double(to_double(decimal_of(value)));
    case Type::string: {
      const auto number = bson::parse_double(value.as_string());
      return number ? Datum::of_double(*number) : bad_number(evaluation, value.as_string());
    }
    default: return no_conversion(evaluation, value, "double");
  }
}

Datum to_decimal(Evaluation& evaluation, Arguments arguments) {
  const Datum value = arguments[0]->evaluate(evaluation);
  if (value.nullish()) return Datum::null();
  if (value.is_number()) return datum_of(evaluation.arena(), decimal_of(value));
  if (value.is(Type::boolean) || value.is(Type::date)) {
    return datum_of(evaluation.arena(), decimal_of(value.as_integer()));
  }
  if (!value.is(Type::string)) return no_conversion(evaluation, value, "decimal");
  const auto decimal = parse_decimal(value.as_string());
  return decimal ? datum_of(evaluation.arena(), *decimal)
                 : bad_number(evaluation, value.as_string());
}

Datum to_bool(Evaluation& evaluation, Arguments arguments) {
  const Datum value = arguments[0]->evaluate(evaluation);
  return value.nullish() ? Datum::null() : Datum::of_bool(value.truthy());
}

Datum to_string(Evaluation& evaluation, Arguments arguments) {
  const Datum value = arguments[0]->evaluate(evaluation);
  if (value.nullish()) return Datum::null();
  if (value.is(Type::boolean)) {
    return Datum::of_string(evaluation.arena(), value.as_bool() ? "true" : "false");
  }
  if (value.is(Type::object_id)) {
    return Datum::of_string(evaluation.arena(), to_hex(value.bytes()));
  }
  const auto text = coerce_to_text(evaluation, value);
  return text ? Datum::of_string(evaluation.arena(), *text)
              : no_conversion(evaluation, value, "string");
}

Datum to_object_id(Evaluation& evaluation, Arguments arguments) {
  const Datum value = arguments[0]->evaluate(evaluation);
  if (value.nullish()) return Datum::null();
  if (value.is(Type::object_id)) return value;
  if (!value.is(Type::string)) return no_conversion(evaluation, value, "objectId");
  const auto bytes = from_hex(value.as_string());
  if (!bytes || bytes->size() != 12) {
    return evaluation.fail("Failed to parse objectId in $convert: 24 hexadecimal digits");
  }
  return Datum::of_bytes(evaluation.arena(), Type::object_id, *bytes);
}

const Operator operators[] = {
    {"$isNumber", is_number},       {"$toBool", to_bool},     {"$toDecimal", to_decimal},
    {"$toDouble", to_double_value}, {"$toInt", to_int},       {"$toLong", to_long},
    {"$toObjectId", to_object_id},  {"$toString", to_string}, {"$type", type_of},
};

}  // namespace

std::span<const Operator> type_operators() { return operators; }

}  // namespace holdfast::profile
