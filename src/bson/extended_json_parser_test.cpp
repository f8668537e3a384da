#include <gtest/gtest.h>

#include "bson/extended_json.h"
#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

std::string canonical(std::string_view json) {
  const auto document = from_json(json);
  return document ? to_json(document->view(), JsonMode::canonical) : document.error().message();
}

struct Reading {
  const char* given;
  const char* canonical;
};

TEST(ExtendedJsonParser, reads_relaxed_and_old_forms) {
  const Reading cases[] = {
      {R"({"a":1,"b":2147483648,"c":1.0,"d":1e2})",
       R"({"a":{"$numberInt":"1"},"b":{"$numberLong":"2147483648"},)"
       R"("c":{"$numberDouble":"1.0"},"d":{"$numberDouble":"100.0"}})"},
      {R"({"a":9223372036854775808})", R"({"a":{"$numberDouble":"9.223372036854776e+18"}})"},
      {R"({"a":-0,"b":1e-400,"c":-0.0})",
       R"({"a":{"$numberInt":"0"},"b":{"$numberDouble":"0.0"},"c":{"$numberDouble":"-0.0"}})"},
      {R"({"a":{"$date":1356351330501}})", R"({"a":{"$date":{"$numberLong":"1356351330501"}}})"},
      {R"({"a":{"$date":"2012-12-24T12:15:30.501+0100"}})",
       R"({"a":{"$date":{"$numberLong":"1356347730501"}}})"},
      {R"({"a":{"$date":"1960-12-24T12:15:30.4999Z"}})",
       R"({"a":{"$date":{"$numberLong":"-284643869501"}}})"},
      {R"({"a":{"$date":"2012-12-24T12:15-00:30"}})",
       R"({"a":{"$date":{"$numberLong":"1356353100000"}}})"},
      {R"({"a":{"$binary":"//8=","$type":"2"}})",
       R"({"a":{"$binary":{"base64":"//8=","subType":"02"}}})"},
      {R"({"a":{"$type":128,"$binary":"//8="}})",
       R"({"a":{"$binary":{"base64":"//8=","subType":"80"}}})"},
      {R"({"a":{"$binary":{"subType":"5","base64":""}}})",
       R"({"a":{"$binary":{"base64":"","subType":"05"}}})"},
      {R"({"a":{"$uuid":"73ffd264-44b3-4c69-90e8-e7d1dfc035d4"}})",
       R"({"a":{"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}}})"},
      {R"({"a":{"$options":"mi","$regex":"^x"}})",
       R"({"a":{"$regularExpression":{"pattern":"^x","options":"im"}}})"},
      {R"({"a":{"$scope":{"x":true},"$code":"f"}})", R"({"a":{"$code":"f","$scope":{"x":true}}})"},
      {R"({"a":{"$timestamp":{"i":2,"t":1}}})", R"({"a":{"$timestamp":{"t":1,"i":2}}})"},
      {R"({"a":"\u00e9\ud83d\ude00\/"})", "{\"a\":\"é😀/\"}"},
      {" \n{ \"a\" : [ ] , \"a\" : { } }\t", R"({"a":[],"a":{}})"},
  };
  for (const auto& [given, expected] : cases) EXPECT_EQ(canonical(given), expected) << given;
}

TEST(ExtendedJsonParser, leaves_ordinary_documents_alone) {
  for (const char* json : {
           R"({"$oid":"top level"})",
           R"({"a":{"$ref":"c","$id":{"$oid":"56e1fc72e0c917e9c4714161"},"$db":"d"}})",
           R"({"a":{"$regex":"^a"}})",
           R"({"a":{"$regex":{"$regularExpression":{"pattern":"x","options":""}},"$options":"i"}})",
           R"({"a":{"$type":"string"}})",
           R"({"a":{"$type":{"$numberInt":"1"}}})",
           R"({"a":{"$unknown":true,"b":null}})",
           R"({"a":{"b":null,"$oid":"not first"}})",
           R"({"a":{"$scope":{}}})",
           R"({"a":{"$gt":null,"$options":"x"}})",
       }) {
    EXPECT_EQ(canonical(json), json);
  }
}

struct Refusal {
  const char* given;
  const char* message;
};

TEST(ExtendedJsonParser, tells_where_text_is_malformed) {
  const Refusal cases[] = {
      {"", "line 1, column 1: expected {"},
      {"[1]", "line 1, column 1: expected {"},
      {"{\n  \"a\": tru }", "line 2, column 8: expected a value"},
      {R"({"é":x})", "line 1, column 6: expected a value"},
      {R"({"a":1} x)", "line 1, column 9: expected nothing after the object"},
      {R"({"a":1,})", "line 1, column 8: expected a name in quotes"},
      {R"({"a" 1})", "line 1, column 6: expected :"},
      {R"({"a":1)", "line 1, column 7: expected , or }"},
      {R"({"a":[1 2]})", "line 1, column 9: expected , or ]"},
      {R"({"a":[1,]})", "line 1, column 9: expected a value"},
      {R"({"a":"b)", "line 1, column 6: a string does not end"},
      {"{\"a\":\"b\nc\"}", "line 1, column 8: a control character in a string"},
      {"{\"a\":\"b\xff\"}", "line 1, column 7: not UTF-8"},
      {R"({"a":"\x"})", "line 1, column 7: unknown escape"},
      {R"({"a":"\u12"})", "line 1, column 7: \\u needs four hexadecimal digits"},
      {R"({"a":"\ud800x"})", "line 1, column 7: half of a surrogate pair"},
      {R"({"a":"\udc00"})", "line 1, column 7: half of a surrogate pair"},
      {R"({"a\u0000b":1})", "line 1, column 2: a name cannot hold NUL"},
      {R"({"a":01})", "line 1, column 6: a number with a leading 0"},
      {R"({"a":1.})", "line 1, column 8: expected a digit"},
      {R"({"a":-})", "line 1, column 7: expected a digit"},
      {R"({"a":1e})", "line 1, column 8: expected a digit"},
      {R"({"a":1e400})", "line 1, column 6: the number is too large"},
      {R"({"a":NaN})", "line 1, column 6: expected a value"},
  };
  for (const auto& [given, message] : cases) {
    const auto document = from_json(given);
    ASSERT_FALSE(document.ok()) << given;
    EXPECT_EQ(document.error().code(), ErrorCode::usage);
    EXPECT_EQ(document.error().message(), message) << given;
  }
}

TEST(ExtendedJsonParser, refuses_malformed_wrappers) {
  for (const char* value : {
           R"({"$oid":"56e1fc72e0c917e9c471416"})",
           R"({"$oid":7})",
           R"({"$oid":"56e1fc72e0c917e9c4714161","x":1})",
           R"({"$numberInt":"2147483648"})",
           R"({"$numberInt":1})",
           R"({"$numberLong":"9223372036854775808"})",
           R"({"$numberLong":1})",
           R"({"$numberLong":""})",
           R"({"$numberDouble":"inf"})",
           R"({"$numberDouble":"1.0x"})",
           R"({"$numberDouble":1.0})",
           R"({"$numberDecimal":"E02"})",
           R"({"$numberDecimal":""})",
           R"({"$numberDecimal":1})",
           R"({"$date":"2012-13-24T12:15:30Z"})",
           R"({"$date":"2012-02-30T12:15:30Z"})",
           R"({"$date":"2012-12-24T12:15:30"})",
           R"({"$date":"2012-12-24T24:15:30Z"})",
           R"({"$date":"2012-12-24T12:15:30.Z"})",
           R"({"$date":null})",
           R"({"$binary":{"base64":"A","subType":"00"}})",
           R"({"$binary":{"base64":"AB==","subType":"00"}})",
           R"({"$binary":{"base64":"A===","subType":"00"}})",
           R"({"$binary":{"base64":"AA==AA==","subType":"00"}})",
           R"({"$binary":{"base64":"","subType":"123"}})",
           R"({"$binary":{"base64":""}})",
           R"({"$binary":""})",
           R"({"$uuid":"73ffd264-44b3-4c69-90e8-e7d1dfc035d"})",
           R"({"$uuid":"73ffd26444b3-4c69-90e8-e7d1dfc035d4-"})",
           R"({"$timestamp":{"t":-1,"i":0}})",
           R"({"$timestamp":{"t":4294967296,"i":0}})",
           R"({"$timestamp":{"t":1}})",
           R"({"$regularExpression":{"pattern":"x"}})",
           R"({"$regularExpression":{"pattern":"x\u0000","options":""}})",
           R"({"$dbPointer":{"$ref":"b","$id":7}})",
           R"({"$code":1})",
           R"({"$code":"x","$scope":1})",
           R"({"$code":"x","y":1})",
           R"({"$symbol":1})",
           R"({"$undefined":1})",
           R"({"$minKey":2})",
           R"({"$maxKey":true})",
       }) {
    const auto document = from_json("{\"a\":\n " + std::string(value) + "}");
    ASSERT_FALSE(document.ok()) << value;
    EXPECT_EQ(document.error().message().substr(0, 18), "line 2, column 2: ") << value;
  }
}

TEST(ExtendedJsonParser, limits_nesting_and_size) {
  const auto nested = [](std::size_t levels) {
    std::string json;
    for (std::size_t level = 0; level < levels; ++level) json += R"({"a":)";
    return json + "1" + std::string(levels, '}');
  };
  EXPECT_TRUE(from_json(nested(max_nesting)).ok());
  EXPECT_FALSE(from_json(nested(max_nesting + 1)).ok());
  EXPECT_FALSE(from_json(nested(1'000'000)).ok());
  EXPECT_TRUE(from_json("{\"a\":\"" + std::string(max_document_bytes - 100, 'x') + "\"}").ok());
  EXPECT_FALSE(from_json("{\"a\":\"" + std::string(max_document_bytes, 'x') + "\"}").ok());
}

}  // namespace
}  // namespace holdfast::bson
