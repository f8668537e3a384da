#include "bson/order.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "bson/extended_json.h"
#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

std::string shown(const Value& value) { return to_json(value.view(), JsonMode::canonical); }

std::string decimal(std::string_view text) {
  return R"({"$numberDecimal":")" + std::string(text) + "\"}";
}
std::string real(std::string_view text) {
  return R"({"$numberDouble":")" + std::string(text) + "\"}";
}
std::string integer(std::string_view text) {
  return R"({"$numberLong":")" + std::string(text) + "\"}";
}

/// Each group holds equal values; every group is below those that follow.
void expect_ascending(const std::vector<std::vector<std::string>>& groups) {
  std::vector<std::pair<std::size_t, Value>> values;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    for (const auto& json : groups[group]) values.emplace_back(group, value_from_json(json));
  }
  for (const auto& [a_group, a] : values) {
    for (const auto& [b_group, b] : values) {
      EXPECT_EQ(compare(a.view(), b.view()), std::weak_ordering(a_group <=> b_group))
          << shown(a) << " and " << shown(b);
    }
  }
}

TEST(Order, compares_numbers_exactly_across_types) {
  expect_ascending({
      {real("NaN"), decimal("NaN")},
      {real("-Infinity"), decimal("-Infinity")},
      {decimal("-9.999999999999999999999999999999999E+6144")},
      {decimal("-1E+310")},
      {real("-1.7976931348623157e308")},
      {decimal("-9223372036854775809")},
      {integer("-9223372036854775808"), real("-9223372036854775808"),
       decimal("-9223372036854775808")},
      {integer("-9223372036854775807")},
      {real("-1.5"), decimal("-1.5"), decimal("-1.500")},
      {"-1", real("-1"), decimal("-1")},
      {real("-5e-324")},
      {decimal("-1E-6176")},
      {"0", integer("0"), real("0.0"), real("-0.0"), decimal("0"), decimal("-0E+6000"),
       decimal("0E-6176")},
      {decimal("1E-6176")},
      {decimal("1E-340")},
      {decimal("4.940656458412465441765687928682213E-324")},
      {real("4.9406564584124654e-324")},
      {decimal("4.940656458412465441765687928682214E-324")},
      {decimal("0.1"), decimal("0.10")},
      {decimal("0.1000000000000000055511151231257827")},
      {real("0.1")},
      {decimal("0.1000000000000000055511151231257828")},
      {"1", integer("1"), real("1.0"), decimal("1"), decimal("1.000"), decimal("0.1E1"),
       decimal("10E-1")},
      {real("1.0000000000000002")},
      {"2147483647", decimal("2147483647"), real("2147483647")},
      {integer("9007199254740992"), real("9007199254740992"), decimal("9007199254740992")},
      {integer("9007199254740993"), decimal("9007199254740993")},
      {integer("9007199254740994"), real("9007199254740994")},
      {integer("9223372036854775806"), decimal("9223372036854775806")},
      {integer("9223372036854775807"), decimal("9223372036854775807")},
      {real("9223372036854775808"), decimal("9223372036854775808")},
      {real("1e22"), decimal("1E+22"), decimal("10000000000000000000000")},
      {decimal("1E+23")},
      {decimal("1.797693134862315708145274237317043E+308")},
      {real("1.7976931348623157e308")},
      {decimal("1.797693134862315708145274237317044E+308")},
      {decimal("9.999999999999999999999999999999999E+6144")},
      {real("Infinity"), decimal("Infinity")},
  });
}

TEST(Order, sorts_types_by_bracket) {
  expect_ascending({
      {R"({"$minKey":1})"},
      {R"({"$undefined":true})"},
      {"null"},
      {"5", real("5")},
      {R"("")", R"({"$symbol":""})"},
      {"{}"},
      {"[]"},
      {R"({"$binary":{"base64":"","subType":"00"}})"},
      {R"({"$oid":"000000000000000000000000"})"},
      {"false"},
      {R"({"$date":0})"},
      {R"({"$timestamp":{"t":0,"i":0}})"},
      {R"({"$regularExpression":{"pattern":"","options":""}})"},
      {R"({"$dbPointer":{"$ref":"","$id":{"$oid":"000000000000000000000000"}}})"},
      {R"({"$code":""})"},
      {R"({"$code":"","$scope":{}})"},
      {R"({"$maxKey":1})"},
  });
}

TEST(Order, compares_within_a_bracket) {
  expect_ascending({{R"("")"},
                    {R"("\u0000")"},
                    {R"("a")", R"({"$symbol":"a"})"},
                    {R"("a\u0000")"},
                    {R"("aa")"},
                    {R"("b")"},
                    {R"("é")"}});
  expect_ascending({{"false"}, {"true"}});
  expect_ascending({{R"({"$date":-5})"}, {R"({"$date":0})"}, {R"({"$date":5})"}});
  expect_ascending({{R"({"$timestamp":{"t":1,"i":9}})"},
                    {R"({"$timestamp":{"t":2,"i":0}})"},
                    {R"({"$timestamp":{"t":4294967295,"i":0}})"}});
  expect_ascending({{R"({"$binary":{"base64":"/w==","subType":"80"}})"},
                    {R"({"$binary":{"base64":"AAA=","subType":"00"}})"},
                    {R"({"$binary":{"base64":"/wA=","subType":"00"}})"},
                    {R"({"$binary":{"base64":"AAA=","subType":"80"}})"}});
  expect_ascending({{R"({"$regularExpression":{"pattern":"a","options":""}})"},
                    {R"({"$regularExpression":{"pattern":"a","options":"i"}})"},
                    {R"({"$regularExpression":{"pattern":"aa","options":""}})"}});
  expect_ascending({{R"({"$code":"a","$scope":{}})"},
                    {R"({"$code":"a","$scope":{"x":1}})", R"({"$code":"a","$scope":{"x":1.0}})"},
                    {R"({"$code":"b","$scope":{}})"}});
}

TEST(Order, compares_documents_by_bracket_name_and_value) {
  expect_ascending({{"{}"},
                    {R"({"b":1})", R"({"b":1.0})"},
                    {R"({"b":1,"a":1})"},
                    {R"({"b":2})"},
                    {R"({"c":1})"},
                    {R"({"a":"text"})"}});
  expect_ascending({{"[]"}, {"[null]"}, {"[1]", "[1.0]"}, {"[1,1]"}, {"[2]"}, {R"(["a"])"}});
}

Value any_value(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  GenerateOptions options;
  options.max_depth = 2;
  options.max_fields = 3;
  return pick_below(random, 2) == 0 ? generate_number(random) : generate_value(random, options);
}

TEST(Order, is_total_and_antisymmetric) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed_a, std::uint64_t seed_b) {
    const Value a = any_value(seed_a);
    const Value b = any_value(seed_b);
    const bool antisymmetric = compare(a.view(), b.view()) == (0 <=> compare(b.view(), a.view()));
    const bool reflexive = compare(a.view(), a.view()) == 0;
    RC_ASSERT(antisymmetric);
    RC_ASSERT(reflexive);
  }));
}

/// Small seeds collide often enough that equal and nearly equal numbers meet.
TEST(Order, is_transitive) {
  for (std::uint64_t seed = 0; seed < 60'000; ++seed) {
    std::mt19937_64 random(seed);
    const Value a = pick_below(random, 4) == 0 ? any_value(random()) : generate_number(random);
    const Value b = generate_number(random);
    const Value c = generate_number(random);
    const auto ab = compare(a.view(), b.view());
    const auto bc = compare(b.view(), c.view());
    const auto ac = compare(a.view(), c.view());
    const auto told = shown(a) + " " + shown(b) + " " + shown(c);
    ASSERT_TRUE(!(ab <= 0 && bc <= 0) || ac <= 0) << told;
    ASSERT_TRUE(!(ab >= 0 && bc >= 0) || ac >= 0) << told;
    ASSERT_TRUE(ab != 0 || ac == bc) << told;
    ASSERT_TRUE(bc != 0 || ac == ab) << told;
  }
}

TEST(Order, integers_equal_themselves_in_every_number_type) {
  EXPECT_TRUE(rc::check([](std::int32_t number) {
    const std::string text = std::to_string(number);
    const Value plain = value_from_json(text);
    for (const auto& other : {integer(text), real(text), decimal(text), decimal(text + "00E-2")}) {
      const bool equal = compare(plain.view(), value_from_json(other).view()) == 0;
      RC_ASSERT(equal);
    }
    const Value above = value_from_json(decimal(text + ".0000000001"));
    RC_ASSERT(less(plain.view(), above.view()) == (number >= 0));
  }));
}

}  // namespace
}  // namespace holdfast::bson
