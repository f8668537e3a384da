#include "restore/compare.h"

#include <gtest/gtest.h>

#include "bson/extended_json.h"
#include "restore/index_split.h"

namespace holdfast::restore {
namespace {

bson::Document json(std::string_view text) {
  auto document = bson::from_json(text);
  if (!document.ok()) ADD_FAILURE() << document.error().message();
  return std::move(document).value();
}

TEST(CompareOptions, says_which_option_is_missing_changed_or_new) {
  const auto wanted = json(R"({"capped":true,"size":100,"validator":{"a":1}})");
  const auto actual = json(R"({"capped":true,"size":200,"max":5})");
  const auto differences = compare_options(wanted.view(), actual.view());
  ASSERT_EQ(differences.size(), 3U);
  EXPECT_EQ(differences[0], "option max is 5 instead of absent");
  EXPECT_EQ(differences[1], "option size is 200 instead of 100");
  EXPECT_TRUE(compare_options(wanted.view(), wanted.view()).empty());
}

TEST(CompareIndexes, ignores_order_and_what_servers_add) {
  const std::vector<bson::Document> wanted{json(R"({"v":2,"key":{"a":1},"name":"a_1"})"),
                                           json(R"({"v":2,"key":{"b":1},"name":"b_1"})")};
  const std::vector<bson::Document> actual{
      json(R"({"name":"b_1","v":2,"key":{"b":1},"ns":"x.y"})"),
      json(R"({"v":2,"key":{"a":1},"name":"a_1","background":true})")};
  EXPECT_TRUE(compare_indexes(wanted, actual).empty());
}

TEST(CompareIndexes, sees_missing_changed_and_additional_ones) {
  const std::vector<bson::Document> wanted{json(R"({"key":{"a":1},"name":"a"})"),
                                           json(R"({"key":{"b":1},"name":"b","unique":true})")};
  const std::vector<bson::Document> actual{json(R"({"key":{"b":1},"name":"b"})"),
                                           json(R"({"key":{"c":1},"name":"c"})")};
  EXPECT_EQ(compare_indexes(wanted, actual).size(), 3U);
}

TEST(SplitIndexes, keeps_those_that_delete_for_the_end) {
  const IndexSplit split = split_indexes(
      {json(R"({"key":{"_id":1},"name":"_id_"})"), json(R"({"key":{"a":1},"name":"a"})"),
       json(R"({"key":{"t":1},"name":"t","expireAfterSeconds":60})")});
  ASSERT_EQ(split.ordinary.size(), 1U);
  ASSERT_EQ(split.expiring.size(), 1U);
  EXPECT_EQ(split.expiring.front().view().find_string("name"), "t");
}

}  // namespace
}  // namespace holdfast::restore
