#include "profile/schema.h"

#include <gtest/gtest.h>

#include "bson/generate_testing.h"

namespace holdfast::profile {
namespace {

/// "path: keyword", "fits", or "refused: …".
std::string verdict(std::string_view schema, std::string_view document) {
  const auto parsed = Schema::parse(bson::document_from_json(schema).view());
  if (!parsed.ok()) return "refused: " + parsed.error().message();
  const bson::Document checked = bson::document_from_json(document);
  const auto violation = parsed->violation(checked.view());
  return violation ? violation->path + ": " + violation->keyword : "fits";
}

TEST(Schema, applies_a_keyword_only_to_its_types) {
  EXPECT_EQ(verdict(R"({"properties": {"a": {"minimum": 1}}})", R"({"a": "x"})"), "fits");
  EXPECT_EQ(verdict(R"({"properties": {"a": {"minimum": 1}}})", R"({"a": 0})"), "a: minimum");
  EXPECT_EQ(verdict(R"({"properties": {"a": {"minimum": 1}}})", "{}"), "fits");
  EXPECT_EQ(verdict(R"({"properties": {"a": {"minimum": 1, "exclusiveMinimum": true}}})",
                    R"({"a": 1.0})"),
            "a: minimum");
}

TEST(Schema, counts_letters_and_not_bytes) {
  constexpr std::string_view schema = R"({"properties": {"bio": {"maxLength": 5}}})";
  EXPECT_EQ(verdict(schema, R"({"bio": "قلیان"})"), "fits");
  EXPECT_EQ(verdict(schema, R"({"bio": "قلیانی"})"), "bio: maxLength");
}

TEST(Schema, names_the_place_in_nested_arrays) {
  constexpr std::string_view schema = R"({"properties": {"h": {"bsonType": "array", "items":
      {"bsonType": "object", "required": ["n"], "properties": {"n": {"bsonType": ["int", "long"],
      "minimum": 1}}}}}})";
  EXPECT_EQ(verdict(schema, R"({"h": [{"n": 1}, {"n": 0}]})"), "h.1.n: minimum");
  EXPECT_EQ(verdict(schema, R"({"h": [{"n": 1}, {}]})"), "h.1.n: required");
  EXPECT_EQ(verdict(schema, R"({"h": [{"n": 1.5}]})"), "h.0.n: bsonType");
  EXPECT_EQ(verdict(schema, R"({"h": 1})"), "h: bsonType");
}

TEST(Schema, ignores_the_order_of_fields_where_the_server_does) {
  EXPECT_EQ(verdict(R"({"properties": {"a": {"enum": [{"x": 1, "y": 2}]}}})",
                    R"({"a": {"y": 2, "x": 1.0}})"),
            "fits");
  EXPECT_EQ(verdict(R"({"properties": {"a": {"uniqueItems": true}}})",
                    R"({"a": [{"x": 1, "y": 2}, {"y": 2, "x": 1}]})"),
            "a: uniqueItems");
}

TEST(Schema, limits_fields_and_combines_schemas) {
  EXPECT_EQ(verdict(R"({"properties": {"_id": {}}, "additionalProperties": false})",
                    R"({"_id": 1, "x": 2})"),
            "x: additionalProperties");
  EXPECT_EQ(verdict(R"({"properties": {"a": {"oneOf": [{"minimum": 1}, {"maximum": 5}]}}})",
                    R"({"a": 3})"),
            "a: oneOf");
  EXPECT_EQ(verdict(R"({"not": {"required": ["x"]}})", R"({"x": null})"), ": not");
  EXPECT_EQ(verdict(R"({"properties": {"p": {"pattern": "^09\\d{9}$"}}})", R"({"p": "0912"})"),
            "p: pattern");
  EXPECT_EQ(verdict(R"({"properties": {"n": {"multipleOf": {"$numberDecimal": "0.1"}}}})",
                    R"({"n": {"$numberDecimal": "0.35"}})"),
            "n: multipleOf");
}

TEST(Schema, refuses_words_that_the_server_does_not_know) {
  EXPECT_EQ(verdict(R"({"properties": {"a": {"format": "date"}}})", "{}"),
            "refused: unknown $jsonSchema keyword: format");
  EXPECT_EQ(verdict(R"({"bsonType": "integer"})", "{}"), "refused: there is no type \"integer\"");
}

}  // namespace
}  // namespace holdfast::profile
