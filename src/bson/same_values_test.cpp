#include "bson/same_values.h"

#include <gtest/gtest.h>

#include <string_view>

#include "bson/builder.h"
#include "bson/extended_json.h"

namespace holdfast::bson {
namespace {

Document json(std::string_view text) {
  auto document = from_json(text);
  if (!document.ok()) ADD_FAILURE() << document.error().message();
  return std::move(document).value();
}

bool same(std::string_view a, std::string_view b) {
  return same_values(json(a).view(), json(b).view());
}

TEST(SameValues, passes_over_the_order_of_fields_at_every_depth) {
  EXPECT_TRUE(same("{}", "{}"));
  EXPECT_TRUE(same(R"({"a":1,"b":2})", R"({"b":2,"a":1})"));
  EXPECT_TRUE(same(R"({"a":{"x":1,"y":[{"p":1,"q":2}]},"b":2})",
                   R"({"b":2,"a":{"y":[{"q":2,"p":1}],"x":1}})"));
}

TEST(SameValues, tells_missing_additional_and_changed_fields) {
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(same(R"({"a":1,"b":2})", R"({"a":1})"));
  EXPECT_FALSE(same(R"({"a":1,"b":2})", R"({"a":1,"c":2})"));
  EXPECT_FALSE(same(R"({"a":{"x":1}})", R"({"a":{"x":2}})"));
  EXPECT_FALSE(same(R"({"a":null})", "{}"));
}

TEST(SameValues, minds_the_order_and_number_of_array_elements) {
  EXPECT_TRUE(same(R"({"a":[1,2]})", R"({"a":[1,2]})"));
  EXPECT_FALSE(same(R"({"a":[1,2]})", R"({"a":[2,1]})"));
  EXPECT_FALSE(same(R"({"a":[1,2]})", R"({"a":[1]})"));
  EXPECT_FALSE(same(R"({"a":[]})", R"({"a":{}})")) << "an array is no document";
}

TEST(SameValues, minds_the_types_of_numbers) {
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":{"$numberLong":"1"}})"));
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":{"$numberDouble":"1.0"}})"));
  EXPECT_FALSE(same(R"({"a":{"$numberDouble":"0.0"}})", R"({"a":{"$numberDouble":"-0.0"}})"));
  EXPECT_TRUE(same(R"({"a":{"$numberDouble":"NaN"}})", R"({"a":{"$numberDouble":"NaN"}})"));
}

TEST(SameValues, takes_documents_that_repeat_a_name_only_by_their_bytes) {
  const auto repeated = [](int first, int second) {
    Builder to;
    to.append_int32("a", first).append_int32("a", second);
    return std::move(to).finish();
  };
  EXPECT_TRUE(same_values(repeated(1, 2).view(), repeated(1, 2).view()));
  EXPECT_FALSE(same_values(repeated(1, 2).view(), repeated(2, 1).view()));
  EXPECT_FALSE(same_values(repeated(1, 1).view(), json(R"({"a":1})").view()));
  EXPECT_FALSE(same_values(json(R"({"a":1})").view(), repeated(1, 1).view()));
}

}  // namespace
}  // namespace holdfast::bson
