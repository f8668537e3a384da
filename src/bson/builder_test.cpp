#include "bson/builder.h"

#include <gtest/gtest.h>

#include "bson/extended_json.h"
#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

TEST(Builder, writes_the_bytes_of_the_specification) {
  Builder hello;
  hello.append_string("hello", "world");
  EXPECT_EQ(to_hex(std::move(hello).finish().bytes()),
            "160000000268656c6c6f0006000000776f726c640000");

  Builder awesome;
  awesome.begin_array("BSON");
  awesome.append_string("0", "awesome").append_double("1", 5.05).append_int32("2", 1986);
  awesome.end();
  EXPECT_EQ(to_hex(std::move(awesome).finish().bytes()),
            "310000000442534f4e002600000002300008000000617765736f6d65000131003333333333331440"
            "103200c20700000000");
}

TEST(Builder, appends_every_kind_of_value) {
  const Bytes id(12, 0xab);
  Builder builder;
  builder.append_object_id("id", id).append_bool("yes", true).append_date("at", -1);
  builder.append_null("none").append_int64("long", 1LL << 40);
  builder.append_timestamp("ts", (7ULL << 32U) | 9U).append_regex("re", "^a", "im");
  builder.append_binary("bin", 4, id).begin_document("sub").end();
  builder.append_document("copy", DocumentView()).append_array("list", DocumentView());
  const Document document = std::move(builder).finish();
  ASSERT_TRUE(validate_document(document.bytes()).ok());
  EXPECT_EQ(to_json(document.view(), JsonMode::relaxed),
            R"({"id":{"$oid":"abababababababababababab"},"yes":true,)"
            R"("at":{"$date":{"$numberLong":"-1"}},"none":null,"long":1099511627776,)"
            R"("ts":{"$timestamp":{"t":7,"i":9}},)"
            R"("re":{"$regularExpression":{"pattern":"^a","options":"im"}},)"
            R"("bin":{"$binary":{"base64":"q6urq6urq6urq6ur","subType":"04"}},)"
            R"("sub":{},"copy":{},"list":[]})");
}

TEST(Builder, copies_any_document_value_by_value) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    const Document document = generate_document(random);
    Builder builder;
    for (const auto& element : document.view()) builder.append(element.name, element.value);
    ASSERT_EQ(std::move(builder).finish(), document) << seed;
  }
}

TEST(Builder, names_array_elements_by_position) {
  EXPECT_EQ(array_index_name(0), "0");
  EXPECT_EQ(array_index_name(1234), "1234");
}

}  // namespace
}  // namespace holdfast::bson
