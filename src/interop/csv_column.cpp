#include "interop/csv_column.h"

#include <fmt/format.h>

#include <array>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/json_text.h"

namespace holdfast::interop {

namespace {

using Kind = CsvColumn::Kind;

struct KnownType {
  std::string_view text;
  Kind kind;
};
constexpr std::array known_types = {
    KnownType{".string()", Kind::string},
    KnownType{".int32()", Kind::int32},
    KnownType{".int64()", Kind::int64},
    KnownType{".double()", Kind::float64},
    KnownType{".decimal()", Kind::decimal},
    KnownType{".boolean()", Kind::boolean},
    KnownType{".date()", Kind::date},
    KnownType{".date_ms()", Kind::date_ms},
    KnownType{".binary(base64)", Kind::binary_base64},
    KnownType{".binary(hex)", Kind::binary_hex},
    KnownType{".objectid()", Kind::object_id},
    KnownType{".auto()", Kind::automatic},
};

bson::Value only_value(bson::Builder&& builder) {
  return bson::Value(std::move(builder).finish().view().begin()->value);
}

/// The value of a wrapper of Extended JSON, which checks its text strictly.
Result<bson::Value> wrapped(std::string_view wrapper, std::string_view text) {
  std::string json = fmt::format("{{\"v\":{{\"{}\":", wrapper);
  bson::append_json_string(json, text);
  json += "}}";
  const auto document = bson::from_json(json);
  if (!document.ok()) {
    return Error(ErrorCode::usage, fmt::format("'{}' is no {}", text, wrapper.substr(1)));
  }
  return bson::Value(*document->view().find("v"));
}

std::size_t count_digits(std::string_view text) {
  const auto end = text.find_first_not_of("0123456789");
  return end == std::string_view::npos ? text.size() : end;
}

enum class NumberForm { none, whole, fractional };

/// What JSON takes for a number; "007" is none, it may be a code.
NumberForm form_of(std::string_view cell) {
  if (cell.starts_with('-')) cell.remove_prefix(1);
  const std::size_t whole = count_digits(cell);
  if (whole == 0 || (whole > 1 && cell.front() == '0')) return NumberForm::none;
  cell.remove_prefix(whole);
  if (cell.empty()) return NumberForm::whole;
  if (cell.starts_with('.')) {
    const std::size_t digits = count_digits(cell.substr(1));
    if (digits == 0) return NumberForm::none;
    cell.remove_prefix(1 + digits);
  }
  if (cell.starts_with('e') || cell.starts_with('E')) {
    cell.remove_prefix(1);
    if (cell.starts_with('+') || cell.starts_with('-')) cell.remove_prefix(1);
    const std::size_t digits = count_digits(cell);
    if (digits == 0) return NumberForm::none;
    cell.remove_prefix(digits);
  }
  return cell.empty() ? NumberForm::fractional : NumberForm::none;
}

Result<bson::Value> parse_automatic(std::string_view cell) {
  bson::Builder text;
  const NumberForm form = form_of(cell);
  if (form == NumberForm::whole) {
    if (auto small = wrapped("$numberInt", cell); small.ok()) return small;
    if (auto large = wrapped("$numberLong", cell); large.ok()) return large;
  }
  // A whole number beyond int64 stays text: as a double it would not be exact.
  if (form == NumberForm::fractional) {
    if (const auto number = bson::parse_double(cell)) {
      return only_value(std::move(text.append_double("v", *number)));
    }
  }
  return only_value(std::move(text.append_string("v", cell)));
}

}  // namespace

Result<CsvColumn> parse_csv_column(std::string_view text) {
  CsvColumn column;
  const std::string_view whole = text;
  if (text.ends_with(')')) {
    bool known = false;
    for (const KnownType& type : known_types) {
      if (!text.ends_with(type.text)) continue;
      text.remove_suffix(type.text.size());
      column.kind = type.kind;
      known = true;
      break;
    }
    if (!known) {
      return Error(ErrorCode::usage,
                   fmt::format("the column '{}' has a type that is not known", whole),
                   "types: string() int32() int64() double() decimal() boolean() date() date_ms() "
                   "binary(base64) binary(hex) objectid() auto()");
    }
  }
  while (true) {
    const auto dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    if (part.empty() || part.find('\0') != std::string_view::npos) {
      return Error(ErrorCode::usage, fmt::format("the column '{}' has no usable name", whole));
    }
    column.path.emplace_back(part);
    if (dot == std::string_view::npos) return column;
    text.remove_prefix(dot + 1);
  }
}

Result<bson::Value> parse_cell(const CsvColumn& column, std::string_view cell) {
  bson::Builder builder;
  const auto refuse = [&](std::string_view what) {
    return Error(ErrorCode::usage, fmt::format("'{}' is no {}", cell, what));
  };
  switch (column.kind) {
    case Kind::string:
      if (!bson::is_utf8(cell)) return Error(ErrorCode::usage, "a cell is not UTF-8");
      return only_value(std::move(builder.append_string("v", cell)));
    case Kind::int32: return wrapped("$numberInt", cell);
    case Kind::int64: return wrapped("$numberLong", cell);
    case Kind::decimal: return wrapped("$numberDecimal", cell);
    case Kind::object_id: return wrapped("$oid", cell);
    case Kind::float64: {
      const auto number = bson::parse_double(cell);
      if (!number) return refuse("number");
      return only_value(std::move(builder.append_double("v", *number)));
    }
    case Kind::boolean:
      if (cell == "true" || cell == "TRUE" || cell == "1") {
        return only_value(std::move(builder.append_bool("v", true)));
      }
      if (cell == "false" || cell == "FALSE" || cell == "0") {
        return only_value(std::move(builder.append_bool("v", false)));
      }
      return refuse("boolean");
    case Kind::date: {
      const auto milliseconds = bson::parse_date(cell);
      if (!milliseconds) return refuse("date (ISO 8601 with a zone)");
      return only_value(std::move(builder.append_date("v", *milliseconds)));
    }
    case Kind::date_ms: {
      HOLDFAST_TRY(const bson::Value number, wrapped("$numberLong", cell));
      return only_value(std::move(builder.append_date("v", number.view().as_int64())));
    }
    case Kind::binary_base64: {
      const auto bytes = bson::decode_base64(cell);
      if (!bytes) return refuse("base64");
      return only_value(std::move(builder.append_binary("v", 0, *bytes)));
    }
    case Kind::binary_hex: {
      const auto bytes = from_hex(cell);
      if (!bytes) return refuse("hexadecimal");
      return only_value(std::move(builder.append_binary("v", 0, *bytes)));
    }
    case Kind::automatic: return parse_automatic(cell);
  }
  return refuse("value");
}

}  // namespace holdfast::interop
