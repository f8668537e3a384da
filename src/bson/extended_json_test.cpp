#include "bson/extended_json.h"

#include <gtest/gtest.h>

#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

TEST(ExtendedJson, canonical_brings_generated_documents_back_byte_for_byte) {
  GenerateOptions options;
  options.json_safe = true;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    std::mt19937_64 random(seed);
    const Document document = generate_document(random, options);
    for (const int indent : {0, 3}) {
      const std::string json = to_json(document.view(), JsonMode::canonical, indent);
      const auto back = from_json(json);
      ASSERT_TRUE(back.ok()) << seed << ": " << back.error().message() << "\n" << json;
      ASSERT_EQ(*back, document) << seed << "\n" << json;
    }
  }
}

struct Example {
  const char* bson;
  const char* canonical;
  const char* relaxed = nullptr;
};

/// From the BSON corpus of the MongoDB specifications (source/bson-corpus/tests).
const Example examples[] = {
    {"0D000000046100050000000000", R"({"a":[]})"},
    {"140000000461000C0000001030000A0000000000", R"({"a":[{"$numberInt":"10"}]})", R"({"a":[10]})"},
    {"0D000000057800000000000000", R"({"x":{"$binary":{"base64":"","subType":"00"}}})"},
    {"0F0000000578000200000000FFFF00", R"({"x":{"$binary":{"base64":"//8=","subType":"00"}}})"},
    {"13000000057800060000000202000000FFFF00",
     R"({"x":{"$binary":{"base64":"//8=","subType":"02"}}})"},
    {"1D000000057800100000000473FFD26444B34C6990E8E7D1DFC035D400",
     R"({"x":{"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}}})"},
    {"090000000862000100", R"({"b":true})"},
    {"1C0000000D610010000000"
     "6162006162006162006162006162000000",
     R"({"a":{"$code":"ab\u0000ab\u0000ab\u0000ab\u0000ab\u0000"}})"},
    {"160000000F61000E0000000100000000050000000000", R"({"a":{"$code":"","$scope":{}}})"},
    {"210000000F6100190000000500000061626364000C000000107800010000000000",
     R"({"a":{"$code":"abcd","$scope":{"x":{"$numberInt":"1"}}}})",
     R"({"a":{"$code":"abcd","$scope":{"x":1}}})"},
    {"10000000096100000000000000000000", R"({"a":{"$date":{"$numberLong":"0"}}})",
     R"({"a":{"$date":"1970-01-01T00:00:00Z"}})"},
    {"10000000096100C5D8D6CC3B01000000", R"({"a":{"$date":{"$numberLong":"1356351330501"}}})",
     R"({"a":{"$date":"2012-12-24T12:15:30.501Z"}})"},
    {"10000000096100C33CE7B9BDFFFFFF00", R"({"a":{"$date":{"$numberLong":"-284643869501"}}})"},
    {"1000000009610000DC1FD277E6000000", R"({"a":{"$date":{"$numberLong":"253402300800000"}}})"},
    {"1A0000000C610002000000620056E1FC72E0C917E9C471416100",
     R"({"a":{"$dbPointer":{"$ref":"b","$id":{"$oid":"56e1fc72e0c917e9c4714161"}}}})"},
    {"10000000016400000000000000F03F00", R"({"d":{"$numberDouble":"1.0"}})", R"({"d":1.0})"},
    {"10000000016400000000000000008000", R"({"d":{"$numberDouble":"-0.0"}})", R"({"d":-0.0})"},
    {"10000000016400000000000000F87F00", R"({"d":{"$numberDouble":"NaN"}})"},
    {"10000000016400000000000000F07F00", R"({"d":{"$numberDouble":"Infinity"}})"},
    {"10000000016400000000000000F0FF00", R"({"d":{"$numberDouble":"-Infinity"}})"},
    {"0C0000001069000000008000", R"({"i":{"$numberInt":"-2147483648"}})", R"({"i":-2147483648})"},
    {"10000000126100FFFFFFFFFFFFFF7F00", R"({"a":{"$numberLong":"9223372036854775807"}})",
     R"({"a":9223372036854775807})"},
    {"080000007F610000", R"({"a":{"$maxKey":1}})"},
    {"08000000FF610000", R"({"a":{"$minKey":1}})"},
    {"080000000A610000", R"({"a":null})"},
    {"0800000006610000", R"({"a":{"$undefined":true}})"},
    {"1400000007610056E1FC72E0C917E9C471416100", R"({"a":{"$oid":"56e1fc72e0c917e9c4714161"}})"},
    {"0F0000000B610061626300696D0000",
     R"({"a":{"$regularExpression":{"pattern":"abc","options":"im"}}})"},
    {"190000000261000D000000E29886E29886E29886E298860000", R"({"a":"☆☆☆☆"})"},
    {"0E0000000E610002000000620000", R"({"a":{"$symbol":"b"}})"},
    {"100000001161002A00000015CD5B0700", R"({"a":{"$timestamp":{"t":123456789,"i":42}}})"},
    {"10000000116100FFFFFFFFFFFFFFFF00", R"({"a":{"$timestamp":{"t":4294967295,"i":4294967295}}})"},
    {"180000001364000000000000000000000000000000007C00", R"({"d":{"$numberDecimal":"NaN"}})"},
    {"18000000136400D0070000000000000000000000003A3000", R"({"d":{"$numberDecimal":"2.000"}})"},
    {"1800000013640001000000000000000000000000000000"
     "00",
     R"({"d":{"$numberDecimal":"1E-6176"}})"},
};

TEST(ExtendedJson, writes_and_reads_the_examples_of_the_specification) {
  for (const auto& example : examples) {
    const Document document(from_hex(example.bson).value());
    ASSERT_TRUE(validate_document(document.bytes()).ok()) << example.bson;
    EXPECT_EQ(to_json(document.view(), JsonMode::canonical), example.canonical);
    EXPECT_EQ(to_json(document.view(), JsonMode::relaxed),
              example.relaxed != nullptr ? example.relaxed : example.canonical);
    for (const char* json : {example.canonical, example.relaxed}) {
      if (json == nullptr) continue;
      const auto back = from_json(json);
      ASSERT_TRUE(back.ok()) << json << ": " << back.error().message();
      EXPECT_EQ(*back, document) << json;
    }
  }
}

TEST(ExtendedJson, writes_doubles_shortest_and_always_as_doubles) {
  const auto written = [](double value) {
    Bytes bytes;
    append_little_endian(bytes, value);
    return to_json(ValueView(Type::float64, bytes), JsonMode::relaxed);
  };
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(100000), "100000.0");
  EXPECT_EQ(written(0.00001), "0.00001");
  EXPECT_EQ(written(0.000001), "1e-06");
  EXPECT_EQ(written(1e300), "1e+300");
  EXPECT_EQ(written(5e-324), "5e-324");
  EXPECT_EQ(written(-1.2345678921232e18), "-1.2345678921232e+18");
}

TEST(ExtendedJson, escapes_text_and_replaces_what_is_not_utf8) {
  Bytes bytes;
  const std::string text(
      "\x00\x1f\"\\/\n\t\b\f\r\x7f\xff"
      "\xed\xa0\x80",
      15);
  append_little_endian(bytes, static_cast<std::int32_t>(text.size() + 1));
  append_bytes(bytes, as_bytes(text));
  bytes.push_back(0);
  EXPECT_EQ(to_json(ValueView(Type::string, bytes), JsonMode::canonical),
            "\"\\u0000\\u001f\\\"\\\\/\\n\\t\\b\\f\\r\x7f\uFFFD\uFFFD\uFFFD\uFFFD\"");
}

TEST(ExtendedJson, indents_documents_and_keeps_wrappers_on_a_line) {
  const Document document = document_from_json(R"({"a":1,"b":[true,{}],"c":{"$date":0},"d":[]})");
  EXPECT_EQ(to_json(document.view(), JsonMode::relaxed, 2),
            "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    {}\n  ],\n"
            "  \"c\": {\"$date\":\"1970-01-01T00:00:00Z\"},\n  \"d\": []\n}");
  EXPECT_EQ(to_json(DocumentView(), JsonMode::relaxed, 2), "{}");
}

TEST(ExtendedJson, writes_dates_readably_only_from_1970_to_9999) {
  const auto written = [](std::int64_t milliseconds) {
    Bytes bytes;
    append_little_endian(bytes, milliseconds);
    return to_json(ValueView(Type::date, bytes), JsonMode::relaxed);
  };
  EXPECT_EQ(written(-1), R"({"$date":{"$numberLong":"-1"}})");
  EXPECT_EQ(written(253402300799999), R"({"$date":"9999-12-31T23:59:59.999Z"})");
  EXPECT_EQ(written(253402300800000), R"({"$date":{"$numberLong":"253402300800000"}})");
  EXPECT_EQ(written(951782400007), R"({"$date":"2000-02-29T00:00:00.007Z"})");
}

}  // namespace
}  // namespace holdfast::bson
