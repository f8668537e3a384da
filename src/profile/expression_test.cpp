#include "profile/expression.h"

#include <gtest/gtest.h>

#include "bson/generate_testing.h"
#include "profile/evaluate_testing.h"

namespace holdfast::profile {
namespace {

struct Case {
  std::string_view expression;
  std::string_view document;
  std::string_view expected;
};

void check(std::initializer_list<Case> cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(evaluate_text(one.expression, one.document), one.expected)
        << one.expression << " on " << one.document;
  }
}

TEST(Expression, follows_paths_through_documents_and_arrays) {
  check({
      {R"("$a.b")", R"({"a": {"b": 1}})", R"({"$numberInt":"1"})"},
      {R"("$a.b")", R"({"a": [{"b": 1}, {"c": 2}, 3, [{"b": 4}], {"b": null}]})",
       R"([{"$numberInt":"1"},null])"},
      {R"("$a.b.c")", R"({"a": [{"b": [{"c": 1}, {"c": 2}]}, {"b": {"c": 3}}]})",
       R"([[{"$numberInt":"1"},{"$numberInt":"2"}],{"$numberInt":"3"}])"},
      {R"("$a.b")", R"({"a": 1})", "missing"},
      {R"("$a.0")", R"({"a": [1, 2]})", "[]"},
      {R"("$$ROOT.a")", R"({"a": 7})", R"({"$numberInt":"7"})"},
      {R"({"$let": {"vars": {"x": "$a"}, "in": "$$x.b"}})", R"({"a": [{"b": true}]})", "[true]"},
  });
}

TEST(Expression, tells_missing_from_null) {
  check({
      {R"({"$eq": ["$a", null]})", "{}", "false"},
      {R"({"$eq": ["$a", null]})", R"({"a": null})", "true"},
      {R"({"$lt": ["$a", null]})", "{}", "true"},
      {R"({"$ifNull": ["$a", "none"]})", "{}", R"("none")"},
      {R"({"$type": "$a"})", "{}", R"("missing")"},
      {R"(["$a", 1])", "{}", R"([null,{"$numberInt":"1"}])"},
      {R"({"x": "$a", "y": 1})", "{}", R"({"y":{"$numberInt":"1"}})"},
      {R"({"$add": ["$a", 1]})", "{}", "null"},
      {R"({"$sum": "$a"})", "{}", R"({"$numberInt":"0"})"},
  });
}

TEST(Expression, promotes_numbers_as_the_server_does) {
  check({
      {R"({"$add": [2147483647, 1]})", "{}", R"({"$numberLong":"2147483648"})"},
      {R"({"$add": [{"$numberLong": "1"}, 1]})", "{}", R"({"$numberLong":"2"})"},
      {R"({"$add": [{"$numberLong": "9223372036854775807"}, 1]})", "{}",
       R"({"$numberDouble":"9.223372036854776e+18"})"},
      {R"({"$add": [1, 1.5]})", "{}", R"({"$numberDouble":"2.5"})"},
      {R"({"$add": [{"$numberDecimal": "0.1"}, 2]})", "{}", R"({"$numberDecimal":"2.1"})"},
      {R"({"$multiply": [3000000000, 3]})", "{}", R"({"$numberLong":"9000000000"})"},
      {R"({"$multiply": [{"$numberDecimal": "1.20"}, {"$numberDecimal": "2"}]})", "{}",
       R"({"$numberDecimal":"2.40"})"},
      {R"({"$divide": [7, 2]})", "{}", R"({"$numberDouble":"3.5"})"},
      {R"({"$divide": [{"$numberDecimal": "1"}, 3]})", "{}",
       R"({"$numberDecimal":"0.3333333333333333333333333333333333"})"},
      {R"({"$divide": [1, 0]})", "{}", "error: can't $divide by zero"},
      {R"({"$mod": [-7, 3]})", "{}", R"({"$numberInt":"-1"})"},
      {R"({"$mod": [7.5, 2]})", "{}", R"({"$numberDouble":"1.5"})"},
      {R"({"$mod": [{"$numberDecimal": "7.5"}, 2]})", "{}", R"({"$numberDecimal":"1.5"})"},
      {R"({"$subtract": ["a", 1]})", "{}", "error: can't $subtract string"},
      {R"({"$sum": [1, "x", 2.5]})", "{}", R"({"$numberDouble":"3.5"})"},
      {R"({"$sum": "$h.n"})", R"({"h": [{"n": 1}, {"n": 2}, {"n": "x"}, {}]})",
       R"({"$numberInt":"3"})"},
      {R"({"$sum": [{"$numberLong": "9223372036854775807"}, 2147483647,
          {"$numberDecimal": "-12.50"}, 1.5]})",
       "{}", R"({"$numberDecimal":"9223372039002259443.00"})"},
      {R"({"$avg": [[1, 2], 4]})", "{}", R"({"$numberDouble":"4.0"})"},
      {R"({"$max": [1, null, 3]})", "{}", R"({"$numberInt":"3"})"},
  });
}

TEST(Expression, rounds_half_to_even) {
  check({
      {R"({"$round": 2.5})", "{}", R"({"$numberDouble":"2.0"})"},
      {R"({"$round": [1.005, 2]})", "{}", R"({"$numberDouble":"1.0"})"},
      {R"({"$round": [1250, -2]})", "{}", R"({"$numberInt":"1200"})"},
      {R"({"$round": [{"$numberDecimal": "1.25"}, 1]})", "{}", R"({"$numberDecimal":"1.2"})"},
      {R"({"$trunc": [-1.99, 1]})", "{}", R"({"$numberDouble":"-1.9"})"},
      {R"({"$ceil": 1.2})", "{}", R"({"$numberDouble":"2.0"})"},
      {R"({"$floor": {"$numberDecimal": "-1.2"}})", "{}", R"({"$numberDecimal":"-2"})"},
      {R"({"$abs": -2147483648})", "{}", R"({"$numberLong":"2147483648"})"},
  });
}

TEST(Expression, compares_across_types_by_bson_order) {
  check({
      {R"({"$lt": [99, "1"]})", "{}", "true"},
      {R"({"$eq": [1, {"$numberDecimal": "1.0"}]})", "{}", "true"},
      {R"({"$gt": [{"$oid": "65d1b2c3d4e5f60718293a4b"}, true]})", "{}", "false"},
      {R"({"$cmp": [[1, 2], [1, 3]]})", "{}", R"({"$numberInt":"-1"})"},
      {R"({"$eq": ["$a", {"$map": {"input": "$a", "in": "$$this"}}]})", R"({"a": [1, [2]]})",
       "true"},
  });
}

TEST(Expression, works_on_arrays_and_sets) {
  check({
      {R"({"$size": {"$filter": {"input": "$a", "cond": {"$gt": ["$$this", 1]}}}})",
       R"({"a": [1, 2, 3]})", R"({"$numberInt":"2"})"},
      {R"({"$filter": {"input": "$a", "as": "x", "cond": {"$gt": ["$$x", 1]}, "limit": 1}})",
       R"({"a": [1, 2, 3]})", R"([{"$numberInt":"2"}])"},
      {R"({"$reduce": {"input": "$a", "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}})",
       R"({"a": [1, 2, 3]})", R"({"$numberInt":"6"})"},
      {R"({"$in": [2, "$a"]})", R"({"a": [1, 2]})", "true"},
      {R"({"$in": [2, "$a"]})", "{}",
       "error: $in requires an array as a second argument, found: missing"},
      {R"({"$size": "$a"})", R"({"a": 1})",
       "error: The argument to $size must be an array, but was of type: int"},
      {R"({"$setEquals": ["$a", [2, 1, 1]]})", R"({"a": [1, 2]})", "true"},
      {R"({"$setUnion": [[3, 1], [1, 2]]})", "{}",
       R"([{"$numberInt":"1"},{"$numberInt":"2"},{"$numberInt":"3"}])"},
      {R"({"$setDifference": [[1, 2], [2]]})", "{}", R"([{"$numberInt":"1"}])"},
      {R"({"$setIntersection": [[1, 2], [2, 3]]})", "{}", R"([{"$numberInt":"2"}])"},
      {R"({"$setIsSubset": [[1], [2, 1]]})", "{}", "true"},
      {R"({"$anyElementTrue": [[0, null, "$x"]]})", "{}", "false"},
      {R"({"$allElementsTrue": ["$a"]})", R"({"a": []})", "true"},
      {R"({"$arrayElemAt": ["$a", -1]})", R"({"a": [1, 2]})", R"({"$numberInt":"2"})"},
      {R"({"$arrayElemAt": ["$a", 5]})", R"({"a": [1, 2]})", "missing"},
      {R"({"$slice": ["$a", -2]})", R"({"a": [1, 2, 3]})",
       R"([{"$numberInt":"2"},{"$numberInt":"3"}])"},
      {R"({"$mergeObjects": ["$a", {"y": 2}]})", R"({"a": {"x": 1, "y": 1}})",
       R"({"x":{"$numberInt":"1"},"y":{"$numberInt":"2"}})"},
      {R"({"$switch": {"branches": [{"case": "$a", "then": "yes"}], "default": "no"}})", "{}",
       R"("no")"},
  });
}

TEST(Expression, works_on_strings) {
  check({
      {R"({"$concat": ["قل", "یان"]})", "{}", R"("قلیان")"},
      {R"({"$strLenCP": "قلیان"})", "{}", R"({"$numberInt":"5"})"},
      {R"({"$strLenBytes": "قلیان"})", "{}", R"({"$numberInt":"10"})"},
      {R"({"$substrCP": ["قلیان", 1, 2]})", "{}", R"("لی")"},
      {R"({"$toUpper": "aé"})", "{}", R"("Aé")"},
      {R"({"$split": ["a,b,", ","]})", "{}", R"(["a","b",""])"},
      {R"({"$trim": {"input": "  x "}})", "{}", R"("x")"},
      {R"({"$regexMatch": {"input": "$t", "regex": "^\\d\\d:\\d\\d$"}})", R"({"t": "09:30"})",
       "true"},
      {R"({"$regexMatch": {"input": "$t", "regex": "(a)\\1"}})", "{}",
       "refused: the regular expression /(a)\\1/ does not compile: invalid escape sequence: \\1"},
      {R"({"$toString": 1.5})", "{}", R"("1.5")"},
      {R"({"$toInt": "12"})", "{}", R"({"$numberInt":"12"})"},
      {R"({"$toInt": 3.9})", "{}", R"({"$numberInt":"3"})"},
  });
}

TEST(Expression, knows_calendars_and_zones) {
  constexpr std::string_view midnight = R"({"d": {"$date": "2026-03-20T20:30:00Z"}})";
  check({
      {R"({"$dayOfMonth": "$d"})", midnight, R"({"$numberInt":"20"})"},
      {R"({"$dayOfMonth": {"date": "$d", "timezone": "Asia/Tehran"}})", midnight,
       R"({"$numberInt":"21"})"},
      {R"({"$hour": {"date": "$d", "timezone": "+03:30"}})", midnight, R"({"$numberInt":"0"})"},
      {R"({"$dateToString": {"date": "$d", "timezone": "Asia/Tehran",
          "format": "%Y/%m/%d %H:%M"}})",
       midnight, R"("2026/03/21 00:00")"},
      {R"({"$dateAdd": {"startDate": {"$date": "2026-01-31T00:00:00Z"}, "unit": "month",
          "amount": 1}})",
       "{}", R"({"$date":{"$numberLong":"1772236800000"}})"},
      {R"({"$dateDiff": {"startDate": {"$date": "2026-01-01T00:00:00Z"}, "endDate": "$d",
          "unit": "day", "timezone": "Asia/Tehran"}})",
       midnight, R"({"$numberLong":"79"})"},
      {R"({"$dateTrunc": {"date": "$d", "unit": "day", "timezone": "Asia/Tehran"}})", midnight,
       R"({"$date":{"$numberLong":"1774038600000"}})"},
      {R"({"$subtract": ["$d", {"$date": "2026-03-20T20:29:59Z"}]})", midnight,
       R"({"$numberLong":"1000"})"},
      {R"({"$isoWeek": {"$date": "2027-01-01T00:00:00Z"}})", "{}", R"({"$numberInt":"53"})"},
      {R"({"$year": {"date": "$d", "timezone": "Nowhere/Town"}})", midnight,
       "error: unrecognized time zone identifier: \"Nowhere/Town\""},
  });
  EXPECT_EQ(evaluate_text(R"({"$lt": ["$d", "$$NOW"]})", midnight, 1'900'000'000'000), "true");
}

TEST(Expression, refuses_what_it_does_not_know_and_says_where) {
  const bson::Value value =
      bson::value_from_json(R"({"$and": [true, {"$eq": [1, {"$function": {"body": "x"}}]}]})");
  FieldNames fields;
  ExpressionError where;
  const auto parsed = Expression::parse(value.view(), fields, {}, &where);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(where.message, "$function is no operator that rules know");
  EXPECT_EQ(where.path, (std::vector<std::string>{"$and", "1", "$eq", "1", "$function"}));
  check({
      {R"({"$eq": [1]})", "{}", "refused: $eq takes 2 arguments, 1 are given"},
      {R"("$$other")", "{}", "refused: the variable $$other is not defined here"},
      {R"({"$eq": [1, 2], "x": 1})", "{}", "refused: $eq must be the only field of its object"},
      {R"("$a..b")", "{}", "refused: \"$a..b\" is no field path: a name in it is empty"},
  });
}

TEST(Expression, reuses_its_memory_for_the_next_document) {
  FieldNames fields;
  const bson::Value value = bson::value_from_json(R"({"$sum": "$h.n"})");
  const auto parsed = Expression::parse(value.view(), fields);
  ASSERT_TRUE(parsed.ok());
  Evaluation evaluation(fields);
  for (int i = 0; i < 3; ++i) {
    const auto document = bson::document_from_json(R"({"x": 1, "h": [{"n": 2}, {"n": 3}]})");
    evaluation.set_root(document.view());
    EXPECT_EQ(parsed->evaluate(evaluation).as_integer(), 5);
  }
}

}  // namespace
}  // namespace holdfast::profile
