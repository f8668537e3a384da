#include "profile/profile.h"

#include <gtest/gtest.h>

namespace holdfast::profile {
namespace {

std::string refusal(const std::string& text) {
  const auto parsed = parse_profile(text, "p.yaml");
  return parsed.ok() ? "accepted" : parsed.error().message();
}

TEST(Profile, reads_everything_it_specifies) {
  const auto parsed = parse_profile(R"(profile: shop
collections:
  orders:
    required: true
    schema: {bsonType: object}
    unique: [{fields: [a, b.c], where: {$eq: [$s, x]}}]
    indexes: [{key: {a: 1}, unique: true}]
    references: [{path: l.p, to: products, on_delete: nullify, severity: warning}]
    soft_delete: {at: x, by: y}
    personal: [z]
  products:
views:
  v: {of: orders, with: {p: {from: products, local: $p, foreign: $_id, one: true, keep: [n]}}}
rules:
  - {id: r, on: v, actual: $a, equals: $p.n, tolerance: 2m, sentence: s, severity: info}
)",
                                    "p.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  EXPECT_EQ(parsed->collections.size(), 2U);
  EXPECT_EQ(parsed->collections[0].references[0].on_delete, OnDelete::nullify);
  ASSERT_EQ(parsed->rules.size(), 2U);
  EXPECT_EQ(parsed->rules[0].id, "unique.orders.a+b.c");
  EXPECT_EQ(parsed->rules[1].tolerance, 120'000);
  EXPECT_EQ(parsed->rules[1].severity, Severity::info);
  EXPECT_EQ(parsed->collection_of(parsed->rules[1]), "orders");
}

TEST(Profile, names_the_line_of_an_error) {
  EXPECT_EQ(refusal("profile: x\ncollectoins:\n"),
            "p.yaml, line 2: \"collectoins\" is not known here; known are profile, collections, "
            "views, rules");
  EXPECT_EQ(refusal("profile: x\ncollections:\n  a:\n    schema:\n      properties:\n"
                    "        b: {bsonType: integer}\n"),
            "p.yaml, line 6: there is no type \"integer\"");
  EXPECT_EQ(
      refusal("profile: x\ncollections: {a: }\nrules:\n  - id: r\n    on: a\n    sentence: s\n"
              "    expect:\n      $and:\n        - true\n        - {$foo: 1}\n"),
      "p.yaml, line 10: $foo is no operator that rules know");
  EXPECT_EQ(refusal("profile: x\ncollections: {a: {references: [{path: b, to: c}]}}\n"),
            "p.yaml, line 2: there is no collection c in this profile");
  EXPECT_EQ(refusal("profile: x\ncollections: {a: }\nrules:\n"
                    "  - {id: r, on: a, sentence: s, expect: true}\n"
                    "  - {id: r, on: a, sentence: s, expect: true}\n"),
            "p.yaml, line 5: the id r is taken by line 4");
  EXPECT_EQ(refusal("profile: x\nrules: [\n"), "p.yaml, line 3: end of sequence flow not found");
  EXPECT_EQ(refusal("profile: x\nprofile: y\n"), "p.yaml, line 2: \"profile\" stands here twice");
}

TEST(Profile, refuses_rules_that_say_nothing_or_too_much) {
  const std::string begin = "profile: x\ncollections: {a: }\nrules:\n  - ";
  EXPECT_EQ(refusal(begin + "{id: r, on: a, sentence: s}"),
            "p.yaml, line 4: the rule says nothing: add `expect`");
  EXPECT_EQ(refusal(begin + "{id: r, on: a, sentence: s, expect: true, count: {least: 1}}"),
            "p.yaml, line 4: a rule is expect or count, not both");
  EXPECT_EQ(refusal(begin + "{id: r, on: a, sentence: s, actual: 1, equals: 1, tolerance: 5x}"),
            "p.yaml, line 4: a tolerance is a number, or a time like 5h, 30s, 2d");
  EXPECT_EQ(refusal(begin + "{id: r, on: b, sentence: s, expect: true}"),
            "p.yaml, line 4: there is no collection b in this profile");
}

TEST(Profile, takes_yaml_scalars_as_the_core_schema_does) {
  const auto parsed = parse_profile(
      "profile: x\ncollections: {a: }\nrules:\n  - {id: r, on: a, sentence: s, "
      "expect: [1, 1.5, true, ~, \"1\", $a, 08:30, {$date: \"2026-01-01T00:00:00Z\"}]}\n",
      "p.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  std::string types;
  for (const auto& element : parsed->rules[0].expect->view().as_document()) {
    types += std::to_string(static_cast<int>(element.value.type())) + " ";
  }
  EXPECT_EQ(types, "16 1 8 10 2 2 2 9 ");
}

}  // namespace
}  // namespace holdfast::profile
