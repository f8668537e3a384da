#include "repository/fields.h"

#include "repository/header.h"

namespace holdfast::repository {

Error bad_field(std::string_view field) {
  return {ErrorCode::corrupt, "the field \"" + std::string(field) + "\" is missing or wrong"};
}

Result<std::string> text_field(bson::DocumentView document, std::string_view field) {
  const auto text = document.find_string(field);
  if (!text) return bad_field(field);
  return std::string(*text);
}

Result<std::int64_t> integer_field(bson::DocumentView document, std::string_view field,
                                   std::int64_t least, std::int64_t most) {
  const auto value = document.find(field);
  if (!value || (value->type() != bson::Type::int64 && value->type() != bson::Type::int32)) {
    return bad_field(field);
  }
  const std::int64_t number =
      value->type() == bson::Type::int64 ? value->as_int64() : value->as_int32();
  if (number < least || number > most) return bad_field(field);
  return number;
}

Result<std::uint64_t> count_field(bson::DocumentView document, std::string_view field) {
  HOLDFAST_TRY(const std::int64_t number, integer_field(document, field));
  return static_cast<std::uint64_t>(number);
}

Result<bool> bool_field(bson::DocumentView document, std::string_view field) {
  const auto value = document.find(field);
  if (!value || value->type() != bson::Type::boolean) return bad_field(field);
  return value->as_bool();
}

Result<WallTime> time_field(bson::DocumentView document, std::string_view field) {
  const auto value = document.find(field);
  if (!value || value->type() != bson::Type::date) return bad_field(field);
  const std::int64_t milliseconds = value->as_date();
  if (milliseconds < -max_milliseconds || milliseconds > max_milliseconds) return bad_field(field);
  return from_milliseconds(milliseconds);
}

Result<bson::DocumentView> document_field(bson::DocumentView document, std::string_view field) {
  const auto value = document.find(field);
  if (!value || value->type() != bson::Type::document) return bad_field(field);
  return value->as_document();
}

Result<std::vector<std::string>> texts_field(bson::DocumentView document, std::string_view field) {
  const auto value = document.find(field);
  if (!value || value->type() != bson::Type::array) return bad_field(field);
  std::vector<std::string> texts;
  for (const bson::Element& element : value->as_document()) {
    if (element.value.type() != bson::Type::string) return bad_field(field);
    texts.emplace_back(element.value.as_string());
  }
  return texts;
}

Result<ByteView> binary_field(bson::DocumentView document, std::string_view field,
                              std::size_t size) {
  const auto value = document.find(field);
  if (!value || value->type() != bson::Type::binary || value->binary_data().size() != size) {
    return bad_field(field);
  }
  return value->binary_data();
}

}  // namespace holdfast::repository
