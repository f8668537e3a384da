#include "bson/document.h"

#include <gtest/gtest.h>

#include "bson/builder.h"
#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

TEST(ValidateDocument, accepts_generated_documents_of_every_type) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::mt19937_64 random(seed);
    const Document document = generate_document(random);
    const Status valid = validate_document(document.bytes());
    ASSERT_TRUE(valid.ok()) << "seed " << seed << ": " << valid.error().message();
  }
}

TEST(ValidateDocument, refuses_every_truncation) {
  std::mt19937_64 random(7);
  const Document document = generate_document_with_id(random, generate_id(random).view());
  for (std::size_t size = 0; size < document.bytes().size(); ++size) {
    EXPECT_FALSE(validate_document(ByteView(document.bytes()).first(size)).ok()) << size;
    // With a length prefix that agrees, what is inside must still be cut off.
    if (size < 5) continue;
    Bytes shorter = to_bytes(ByteView(document.bytes()).first(size));
    const auto prefix = static_cast<std::int32_t>(size);
    std::memcpy(shorter.data(), &prefix, 4);
    static_cast<void>(validate_document(shorter));
  }
}

struct Malformed {
  const char* bytes;
  const char* reason;
};

TEST(ValidateDocument, refuses_malformed_bytes) {
  const Malformed cases[] = {
      {"", "shorter"},
      {"04000000", "shorter"},
      {"0500000000ff", "length prefix"},
      {"0600000000", "length prefix"},
      {"ffffffff00", "length prefix"},
      {"0500000001", "no NUL"},
      {"0700000000610000", "length prefix"},
      {"06000000000a00", "length prefix"},
      {"0700000000000000", "length prefix"},
      {"0c0000000010610001000000", "unknown element type"},  // a terminator before the end
      {"080000001a610000", "unknown element type"},
      {"070000000a6100", "does not end"},
      {"060000000a00", "does not end"},
      {"09000000086100 0200", "neither 0 nor 1"},
      {"080000000861 0000", "cut off"},
      {"0b00000010610001020300", "cut off"},
      // Strings: length 0, beyond the end, negative, not ended by NUL, cut off.
      {"0d000000026100 00000000 0000", "string's length"},
      {"0e000000026100 03000000 620000", "string's length"},
      {"0e000000026100 ffffffff 620000", "string's length"},
      {"0e000000026100 02000000 626300", "end of a string"},
      {"0b000000026100 01000000", "cut off"},
      // Sub-documents: too short, too long, no NUL at their end.
      {"0d000000036100 04000000 0000", "sub-document's length"},
      {"0d000000036100 06000000 0000", "sub-document's length"},
      {"0d000000036100 05000000 0100", "end of a sub-document"},
      // Binary data: beyond the end, negative.
      {"0d000000056100 01000000 0000", "binary data"},
      {"0d000000056100 ffffffff 0000", "binary data"},
      // Regular expression without its second NUL, or without any.
      {"0a0000000b6100 610000", "regular expression"},
      {"0900000 00b6100 6100", "regular expression"},
      {"110000000c6100 01000000 00 01020304 00", "DBPointer"},
  };
  for (const auto& [text, reason] : cases) {
    std::string digits(text);
    std::erase(digits, ' ');
    const Status valid = validate_document(hex(digits));
    ASSERT_FALSE(valid.ok()) << text;
    EXPECT_EQ(valid.error().code(), ErrorCode::corrupt);
    EXPECT_NE(valid.error().message().find(reason), std::string::npos)
        << text << ": " << valid.error().message();
  }
}

TEST(ValidateDocument, checks_the_lengths_inside_code_with_scope) {
  const Bytes good =
      hex("1a000000"
          "0f6100"
          "12000000"
          "05000000"
          "6162636400"
          "05000000"
          "00"
          "00");
  ASSERT_TRUE(validate_document(good).ok());
  for (const std::size_t length_at : {7U, 11U, 20U}) {
    for (const int change : {-1, 1, 100}) {
      Bytes bad = good;
      bad[length_at] = static_cast<std::uint8_t>(bad[length_at] + change);
      EXPECT_FALSE(validate_document(bad).ok()) << length_at << " " << change;
    }
  }
}

Document nested(int levels) {
  Builder builder;
  for (int level = 1; level < levels; ++level) builder.begin_document("a");
  for (int level = 1; level < levels; ++level) builder.end();
  return std::move(builder).finish();
}

TEST(ValidateDocument, limits_nesting) {
  EXPECT_TRUE(validate_document(nested(max_nesting).bytes()).ok());
  EXPECT_FALSE(validate_document(nested(max_nesting + 1).bytes()).ok());
  EXPECT_FALSE(validate_document(nested(100'000).bytes()).ok());
}

TEST(DocumentView, iterates_in_order_and_finds_the_first_of_a_name) {
  Builder builder;
  builder.append_int32("a", 1).append_string("b", "two").append_int32("a", 3);
  const Document document = std::move(builder).finish();
  std::string names;
  for (const auto& element : document.view()) names += element.name;
  EXPECT_EQ(names, "aba");
  EXPECT_EQ(document.view().find("a")->as_int32(), 1);
  EXPECT_EQ(document.view().find_string("b"), "two");
  EXPECT_EQ(document.view().find_string("a"), std::nullopt);
  EXPECT_FALSE(document.view().find("c").has_value());
  EXPECT_FALSE(document.view().empty());
}

TEST(DocumentView, an_empty_one_has_no_elements) {
  EXPECT_TRUE(DocumentView().empty());
  EXPECT_TRUE(DocumentView().begin() == DocumentView().end());
  EXPECT_EQ(Document().bytes(), hex("0500000000"));
}

TEST(ValueView, tells_integral_numbers_of_every_type) {
  const auto integral = [](std::string_view json) {
    return value_from_json(json).view().integral();
  };
  EXPECT_EQ(integral("-7"), -7);
  EXPECT_EQ(integral("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(integral("3.0"), 3);
  EXPECT_EQ(integral("-0.0"), 0);
  EXPECT_EQ(integral("3.5"), std::nullopt);
  EXPECT_EQ(integral("9223372036854775808.0"), std::nullopt);
  EXPECT_EQ(integral("-9223372036854775808.0"), INT64_MIN);
  EXPECT_EQ(integral(R"({"$numberDouble":"NaN"})"), std::nullopt);
  EXPECT_EQ(integral(R"({"$numberDecimal":"12.00"})"), 12);
  EXPECT_EQ(integral(R"({"$numberDecimal":"12E3"})"), 12000);
  EXPECT_EQ(integral(R"({"$numberDecimal":"12.01"})"), std::nullopt);
  EXPECT_EQ(integral(R"({"$numberDecimal":"-9223372036854775808"})"), INT64_MIN);
  EXPECT_EQ(integral(R"({"$numberDecimal":"9223372036854775808"})"), std::nullopt);
  EXPECT_EQ(integral(R"({"$numberDecimal":"0E+6000"})"), 0);
  EXPECT_EQ(integral(R"({"$numberDecimal":"1E+6000"})"), std::nullopt);
  EXPECT_EQ(integral(R"({"$numberDecimal":"Infinity"})"), std::nullopt);
  EXPECT_EQ(integral(R"("7")"), std::nullopt);
}

TEST(DocumentView, tells_truth_as_the_server_does) {
  const Document document = document_from_json(
      R"({"yes":true,"no":false,"zero":0,"one":1,"real":0.5,"none":{"$numberDecimal":"0E3"},)"
      R"("text":"true"})");
  std::string truthy;
  for (const auto& element : document.view()) {
    if (document.view().find_truthy(element.name)) truthy += std::string(element.name) + " ";
  }
  EXPECT_EQ(truthy, "yes one real ");
  EXPECT_FALSE(document.view().find_truthy("missing"));
}

TEST(FrontDocumentSize, needs_a_sane_prefix_and_all_of_the_bytes) {
  EXPECT_EQ(front_document_size(hex("0500000000ffff")), 5U);
  EXPECT_EQ(front_document_size(hex("05000000")), std::nullopt);
  EXPECT_EQ(front_document_size(hex("0600000000")), std::nullopt);
  EXPECT_EQ(front_document_size(hex("0400000000")), std::nullopt);
  EXPECT_EQ(front_document_size(hex("ffffffff00")), std::nullopt);
  Bytes large(max_document_bytes + 1);
  const auto prefix = static_cast<std::int32_t>(large.size());
  std::memcpy(large.data(), &prefix, 4);
  EXPECT_EQ(front_document_size(large), std::nullopt);
}

TEST(ValueSize, measures_what_fits_and_nothing_else) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    std::mt19937_64 random(seed);
    const Value value = generate_value(random);
    const ByteView bytes = value.view().bytes();
    Bytes longer = to_bytes(bytes);
    longer.push_back(1);
    ASSERT_EQ(value_size(value.view().type(), longer), bytes.size()) << seed;
    if (bytes.empty()) continue;
    ASSERT_EQ(value_size(value.view().type(), bytes.first(bytes.size() - 1)), std::nullopt) << seed;
  }
  EXPECT_EQ(value_size(static_cast<Type>(0x42), {}), std::nullopt);
}

}  // namespace
}  // namespace holdfast::bson
