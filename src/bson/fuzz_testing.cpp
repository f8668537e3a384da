#include "bson/fuzz_testing.h"

#include "bson/builder.h"
#include "bson/decimal128.h"
#include "bson/document.h"
#include "bson/extended_json.h"
#include "bson/json_text.h"
#include "bson/order.h"

namespace holdfast::bson {

namespace {

bool json_keeps(DocumentView document, bool array);

/// Can JSON say exactly these bytes? Not text that is not UTF-8, unsorted options, several NaNs,
/// or names that would be taken for a wrapper.
bool json_keeps(ValueView value) {
  const auto text = [&value](std::size_t from) { return as_text(value.bytes().subspan(from)); };
  switch (value.type()) {
    case Type::document: return json_keeps(value.as_document(), false);
    case Type::array: return json_keeps(value.as_document(), true);
    case Type::string:
    case Type::symbol:
    case Type::code: return is_utf8(value.as_string());
    case Type::regex: {
      const std::string_view pattern = text(0).substr(0, text(0).find('\0'));
      const std::string_view rest = text(pattern.size() + 1);
      const std::string_view options = rest.substr(0, rest.size() - 1);
      return is_utf8(pattern) && is_utf8(options) && sort_options(options) == options;
    }
    case Type::db_pointer: return is_utf8(text(4).substr(0, value.bytes().size() - 17));
    case Type::code_with_scope: {
      const auto size =
          static_cast<std::size_t>(load_little_endian<std::int32_t>(value.bytes().data() + 4));
      return is_utf8(text(8).substr(0, size)) &&
             json_keeps(DocumentView(value.bytes().subspan(8 + size)), false);
    }
    case Type::float64:
      return value.as_double() == value.as_double() ||
             load_little_endian<std::uint64_t>(value.bytes().data()) == 0x7ff8000000000000U;
    case Type::binary:
      return value.binary_subtype() != 2 ||
             (value.binary_data().size() >= 4 &&
              load_little_endian<std::uint32_t>(value.binary_data().data()) ==
                  value.binary_data().size() - 4);
    case Type::decimal128: {
      // NaN payloads, unused bits of infinities, and coefficients that are too large get lost.
      const auto high = load_little_endian<std::uint64_t>(value.bytes().data() + 8);
      const auto low = load_little_endian<std::uint64_t>(value.bytes().data());
      if (((high >> 61U) & 3U) == 3U) {
        return low == 0 && (high << 1U == 0x7800000000000000U << 1U || high == 0x7c00000000000000U);
      }
      return !decode_decimal128(value.bytes()).is_zero() ||
             (low == 0 && (high & 0x1ffffffffffffU) == 0);
    }
    default: return true;
  }
}

bool json_keeps(DocumentView document, bool array) {
  std::size_t index = 0;
  for (const auto& element : document) {
    if (array && element.name != array_index_name(index++)) return false;
    if (element.name.starts_with('$') || !is_utf8(element.name)) return false;
    if (!json_keeps(element.value)) return false;
  }
  return true;
}

std::string check_values(DocumentView document) {
  Builder copy;
  for (const auto& element : document) {
    const ValueView value = element.value;
    if (value_size(value.type(), value.bytes()) != value.bytes().size())
      return "value_size differs";
    if (!document.find(element.name)) return "find misses a field";
    if (compare(value, value) != 0) return "a value differs from itself";
    static_cast<void>(value.integral());
    static_cast<void>(document.find_truthy(element.name));
    copy.append(element.name, value);
    if (value.type() == Type::document || value.type() == Type::array) {
      if (auto wrong = check_values(value.as_document()); !wrong.empty()) return wrong;
    }
  }
  const Document rebuilt = std::move(copy).finish();
  return same_bytes(rebuilt.bytes(), document.bytes()) ? "" : "rebuilt with other bytes";
}

}  // namespace

std::string check_document(ByteView bytes) {
  static_cast<void>(front_document_size(bytes));
  if (!validate_document(bytes)) return {};
  const DocumentView document(bytes);
  if (auto wrong = check_values(document); !wrong.empty()) return wrong;
  if (!is_utf8(to_json(document, JsonMode::relaxed, 2))) return "relaxed JSON is not UTF-8";
  const std::string json = to_json(document, JsonMode::canonical);
  if (!is_utf8(json)) return "canonical JSON is not UTF-8";
  const auto back = from_json(json);
  if (!json_keeps(document, false)) return {};
  if (!back) return "canonical JSON is refused: " + back.error().message() + ": " + json;
  if (!same_bytes(back->bytes(), bytes)) return "canonical JSON changes the document: " + json;
  return {};
}

std::string check_extended_json(std::string_view text) {
  const auto document = from_json(text);
  if (!document) return {};
  if (auto valid = validate_document(document->bytes()); !valid) return valid.error().message();
  const std::string json = to_json(document->view(), JsonMode::canonical);
  const auto again = from_json(json);
  if (!again) return "refuses its own JSON: " + again.error().message() + ": " + json;
  return *again == *document ? "" : "reads its own JSON differently: " + json;
}

}  // namespace holdfast::bson
