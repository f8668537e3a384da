#include "bson/json_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace holdfast::bson {
namespace {

TEST(JsonText, every_double_survives) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 100'000; ++round) {
    const double value =
        std::bit_cast<double>(random() & (round % 2 == 0 ? ~0ULL : 0xfffffffffULL));
    const auto back = parse_double(format_double(value));
    ASSERT_TRUE(back.has_value()) << format_double(value);
    if (std::isnan(value)) continue;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(*back), std::bit_cast<std::uint64_t>(value))
        << format_double(value);
  }
}

TEST(JsonText, tells_numbers_that_are_too_small_from_those_too_large) {
  EXPECT_EQ(parse_double("1e-400"), 0.0);
  EXPECT_TRUE(std::signbit(parse_double("-1e-400").value()));
  EXPECT_EQ(parse_double("1e400"), std::nullopt);
  EXPECT_EQ(parse_double("0." + std::string(400, '0') + "1"), 0.0);
  EXPECT_EQ(parse_double("1" + std::string(400, '0')), std::nullopt);
  EXPECT_EQ(parse_double("1e99999999999999999999"), std::nullopt);
  EXPECT_EQ(parse_double("1e-99999999999999999999"), 0.0);
  EXPECT_EQ(parse_double("0e99999999999999999999").value_or(0), 0.0);
  EXPECT_EQ(parse_double("4.9406564584124654e-324"), std::numeric_limits<double>::denorm_min());
}

TEST(JsonText, base64_takes_exactly_what_it_gives) {
  for (std::size_t size = 0; size < 40; ++size) {
    Bytes bytes(size);
    for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<std::uint8_t>(at * 37 + size);
    const std::string text = encode_base64(bytes);
    EXPECT_EQ(decode_base64(text), bytes);
    EXPECT_EQ(decode_base64(text + "="), std::nullopt);
    EXPECT_EQ(decode_base64(text + "A"), std::nullopt);
  }
  for (const char* bad : {"AA", "A", "A===", "====", "AB==", "AAB=", "AA==AAAA", "AA=A", "A-A_"}) {
    EXPECT_EQ(decode_base64(bad), std::nullopt) << bad;
  }
}

TEST(JsonText, every_readable_date_survives) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 20'000; ++round) {
    const auto date = static_cast<std::int64_t>(random() % 253'402'300'800'000ULL);
    const auto text = format_date(date);
    ASSERT_TRUE(text.has_value());
    ASSERT_EQ(parse_date(*text), date) << *text;
  }
  EXPECT_EQ(parse_date("0000-01-01T00:00:00Z"), -62'167'219'200'000);
}

TEST(JsonText, knows_utf8) {
  EXPECT_TRUE(is_utf8("aé☆😀"));
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace holdfast::bson
