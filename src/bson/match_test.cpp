#include "bson/match.h"

#include <gtest/gtest.h>

#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

bool matches(std::string_view document, std::string_view query) {
  const auto matcher = Matcher::parse(document_from_json(query).view());
  EXPECT_TRUE(matcher.ok()) << query << ": " << (matcher.ok() ? "" : matcher.error().message());
  return matcher.ok() && matcher->matches(document_from_json(document).view());
}

ErrorCode refusal(std::string_view query) {
  const auto matcher = Matcher::parse(document_from_json(query).view());
  EXPECT_FALSE(matcher.ok()) << query;
  return matcher.ok() ? ErrorCode::io : matcher.error().code();
}

TEST(Matcher, an_empty_query_matches_everything) { EXPECT_TRUE(matches(R"({"a":1})", "{}")); }

TEST(Matcher, equality_compares_as_the_server_does) {
  EXPECT_TRUE(matches(R"({"a":1})", R"({"a":1.0})"));
  EXPECT_TRUE(matches(R"({"a":1})", R"({"a":{"$numberDecimal":"1"}})"));
  EXPECT_FALSE(matches(R"({"a":1})", R"({"a":"1"})"));
  EXPECT_TRUE(matches(R"({"a":{"x":1,"y":2}})", R"({"a":{"x":1,"y":2}})"));
  EXPECT_FALSE(matches(R"({"a":{"y":2,"x":1}})", R"({"a":{"x":1,"y":2}})"));
  EXPECT_TRUE(matches(R"({"a":1,"b":2})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(matches(R"({"a":1,"b":2})", R"({"a":1,"b":3})"));
  EXPECT_TRUE(matches(R"({"a":{"$numberDouble":"NaN"}})", R"({"a":{"$numberDouble":"NaN"}})"));
}

TEST(Matcher, null_also_means_missing) {
  EXPECT_TRUE(matches(R"({"a":null})", R"({"a":null})"));
  EXPECT_TRUE(matches("{}", R"({"a":null})"));
  EXPECT_FALSE(matches(R"({"a":1})", R"({"a":null})"));
  EXPECT_TRUE(matches(R"({"a":5})", R"({"a.b":null})"));
  EXPECT_TRUE(matches(R"({"a":[{"b":1},{"c":1}]})", R"({"a.b":null})"));
  EXPECT_FALSE(matches(R"({"a":[1,2]})", R"({"a.b":null})"));
  EXPECT_FALSE(matches("{}", R"({"a":{"$ne":null}})"));
  EXPECT_TRUE(matches("{}", R"({"a":{"$in":[1,null]}})"));
  EXPECT_TRUE(matches("{}", R"({"a":{"$gte":null}})"));
  EXPECT_FALSE(matches("{}", R"({"a":{"$gt":null}})"));
}

TEST(Matcher, arrays_are_looked_into_once) {
  EXPECT_TRUE(matches(R"({"a":[1,2,3]})", R"({"a":2})"));
  EXPECT_TRUE(matches(R"({"a":[1,2,3]})", R"({"a":[1,2,3]})"));
  EXPECT_FALSE(matches(R"({"a":[1,2,3]})", R"({"a":[1,2]})"));
  EXPECT_TRUE(matches(R"({"a":[[1,2],3]})", R"({"a":[1,2]})"));
  EXPECT_FALSE(matches(R"({"a":[[1,2],3]})", R"({"a":1})"));
  EXPECT_TRUE(matches(R"({"a":[1,20]})", R"({"a":{"$gt":10,"$lt":5}})"));
  EXPECT_FALSE(matches(R"({"a":[1,2]})", R"({"a":{"$ne":2}})"));
  EXPECT_FALSE(matches(R"({"a":[1,2]})", R"({"a":{"$nin":[2,7]}})"));
}

TEST(Matcher, dotted_paths_go_through_documents_arrays_and_indexes) {
  EXPECT_TRUE(matches(R"({"a":{"b":{"c":1}}})", R"({"a.b.c":1})"));
  EXPECT_TRUE(matches(R"({"a":[{"b":1},{"b":2}]})", R"({"a.b":2})"));
  EXPECT_TRUE(matches(R"({"a":[{"b":1},{"b":2}]})", R"({"a.1.b":2})"));
  EXPECT_FALSE(matches(R"({"a":[{"b":1},{"b":2}]})", R"({"a.0.b":2})"));
  EXPECT_TRUE(matches(R"({"a":[{"b":[{"c":5}]}]})", R"({"a.b.c":5})"));
  EXPECT_TRUE(matches(R"({"a":[[5,6]]})", R"({"a.0.1":6})"));
  EXPECT_TRUE(matches(R"({"a":{"0":"x"}})", R"({"a.0":"x"})"));
}

TEST(Matcher, comparisons_stay_within_a_type) {
  EXPECT_TRUE(matches(R"({"a":5})", R"({"a":{"$gt":4.5,"$lte":5}})"));
  EXPECT_FALSE(matches(R"({"a":"5"})", R"({"a":{"$gt":4}})"));
  EXPECT_FALSE(matches(R"({"a":5})", R"({"a":{"$lt":"z"}})"));
  EXPECT_TRUE(matches(R"({"a":"b"})", R"({"a":{"$gte":"a","$lt":"c"}})"));
  EXPECT_FALSE(matches(R"({"a":{"$numberDouble":"NaN"}})", R"({"a":{"$lt":5}})"));
  EXPECT_TRUE(matches(R"({"a":5})", R"({"a":{"$gt":{"$minKey":1}}})"));
  EXPECT_TRUE(matches(R"({"a":{"$date":"2026-01-02T00:00:00Z"}})",
                      R"({"a":{"$gt":{"$date":"2026-01-01T00:00:00Z"}}})"));
}

TEST(Matcher, joins_queries) {
  EXPECT_TRUE(matches(R"({"a":1})", R"({"$or":[{"a":2},{"a":1}]})"));
  EXPECT_FALSE(matches(R"({"a":1})", R"({"$and":[{"a":1},{"b":1}]})"));
  EXPECT_TRUE(matches(R"({"a":1})", R"({"$nor":[{"a":2},{"b":1}]})"));
  EXPECT_TRUE(matches(R"({"a":1})", R"({"a":{"$not":{"$gt":1}}})"));
  EXPECT_TRUE(matches("{}", R"({"a":{"$not":{"$gt":1}}})"));
  EXPECT_FALSE(matches(R"({"a":"xy"})", R"({"a":{"$not":{"$regex":"^x"}}})"));
}

TEST(Matcher, asks_for_existence_type_and_size) {
  EXPECT_TRUE(matches(R"({"a":null})", R"({"a":{"$exists":true}})"));
  EXPECT_TRUE(matches("{}", R"({"a":{"$exists":false}})"));
  EXPECT_TRUE(matches(R"({"a":[{"b":1}]})", R"({"a.b":{"$exists":1}})"));
  EXPECT_TRUE(matches(R"({"a":1})", R"({"a":{"$type":"int"}})"));
  EXPECT_TRUE(matches(R"({"a":1.5})", R"({"a":{"$type":["string","number"]}})"));
  EXPECT_TRUE(matches(R"({"a":["x"]})", R"({"a":{"$type":2}})"));
  EXPECT_TRUE(matches(R"({"a":["x"]})", R"({"a":{"$type":"array"}})"));
  EXPECT_TRUE(matches(R"({"a":[1,2]})", R"({"a":{"$size":2}})"));
  EXPECT_FALSE(matches(R"({"a":[[1,2]]})", R"({"a":{"$size":2}})"));
  EXPECT_TRUE(matches(R"({"a":[]})", R"({"a":{"$size":0}})"));
}

TEST(Matcher, element_match_asks_one_element_for_everything) {
  EXPECT_TRUE(matches(R"({"a":[1,7,20]})", R"({"a":{"$elemMatch":{"$gt":5,"$lt":10}}})"));
  EXPECT_FALSE(matches(R"({"a":[1,20]})", R"({"a":{"$elemMatch":{"$gt":5,"$lt":10}}})"));
  EXPECT_TRUE(matches(R"({"a":[{"b":1,"c":2}]})", R"({"a":{"$elemMatch":{"b":1,"c":2}}})"));
  EXPECT_FALSE(matches(R"({"a":[{"b":1},{"c":2}]})", R"({"a":{"$elemMatch":{"b":1,"c":2}}})"));
  EXPECT_FALSE(matches(R"({"a":7})", R"({"a":{"$elemMatch":{"$gt":5}}})"));
  EXPECT_TRUE(matches(R"({"a":[{"b":1}]})", R"({"a":{"$elemMatch":{"$or":[{"b":1},{"c":1}]}}})"));
}

TEST(Matcher, all_wants_each_of_its_values) {
  EXPECT_TRUE(matches(R"({"a":[1,2,3]})", R"({"a":{"$all":[3,1]}})"));
  EXPECT_FALSE(matches(R"({"a":[1,2]})", R"({"a":{"$all":[3,1]}})"));
  EXPECT_TRUE(matches(R"({"a":5})", R"({"a":{"$all":[5]}})"));
  EXPECT_FALSE(matches(R"({"a":[]})", R"({"a":{"$all":[]}})"));
  EXPECT_TRUE(matches(R"({"a":[{"b":1},{"b":5}]})",
                      R"({"a":{"$all":[{"$elemMatch":{"b":1}},{"$elemMatch":{"b":5}}]}})"));
}

TEST(Matcher, searches_text_by_pattern) {
  EXPECT_TRUE(matches(R"({"a":"Hello"})", R"({"a":{"$regex":"^h","$options":"i"}})"));
  EXPECT_TRUE(matches(R"({"a":"Hello"})", R"({"a":{"$regex":"ell"}})"));
  EXPECT_FALSE(matches(R"({"a":"Hello"})", R"({"a":{"$regex":"^h"}})"));
  EXPECT_TRUE(matches(R"({"a":["x","yes"]})",
                      R"({"a":{"$regularExpression":{"pattern":"^y","options":""}}})"));
  EXPECT_TRUE(matches(R"({"a":"one\ntwo"})", R"({"a":{"$regex":"^two","$options":"m"}})"));
  EXPECT_TRUE(matches(R"({"a":"yes"})",
                      R"({"a":{"$in":[{"$regularExpression":{"pattern":"^y","options":""}}]}})"));
  EXPECT_TRUE(matches(R"({"a":"سلام دنیا"})", R"({"a":{"$regex":"^سلام"}})"));
  EXPECT_FALSE(matches(R"({"a":5})", R"({"a":{"$regex":"5"}})"));
}

TEST(Matcher, refuses_what_it_cannot_answer) {
  EXPECT_EQ(refusal(R"({"$where":"1"})"), ErrorCode::unsupported);
  EXPECT_EQ(refusal(R"({"$expr":{"$eq":["$a",1]}})"), ErrorCode::unsupported);
  EXPECT_EQ(refusal(R"({"a":{"$near":[1,2]}})"), ErrorCode::unsupported);
  EXPECT_EQ(refusal(R"x({"a":{"$regex":"(?=x)"}})x"), ErrorCode::unsupported);
  EXPECT_EQ(refusal(R"({"$or":[]})"), ErrorCode::usage);
  EXPECT_EQ(refusal(R"({"a":{"$in":5}})"), ErrorCode::usage);
  EXPECT_EQ(refusal(R"({"a":{"$gt":1,"b":2}})"), ErrorCode::usage);
  EXPECT_EQ(refusal(R"({"a":{"$type":"text"}})"), ErrorCode::usage);
}

}  // namespace
}  // namespace holdfast::bson
