#include "base/text.h"

#include <gtest/gtest.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>

#include "base/unicode.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

TEST(FormatBytes, uses_decimal_units_with_one_digit) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(27'400'000), "27.4 MB");
  EXPECT_EQ(format_bytes(999'940), "999.9 kB");
  EXPECT_EQ(format_bytes(999'950), "1.0 MB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "18.4 EB");
}

TEST(FormatCount, separates_thousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'000), "1,000");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
}

TEST(FormatDuration, shows_two_units_at_most) {
  EXPECT_EQ(format_duration(3'210us), "3.2 ms");
  EXPECT_EQ(format_duration(840ms), "0.84 s");
  EXPECT_EQ(format_duration(996ms), "1.0 s");
  EXPECT_EQ(format_duration(12'340ms), "12.3 s");
  EXPECT_EQ(format_duration(59'960ms), "1 m 0 s");
  EXPECT_EQ(format_duration(190s), "3 m 10 s");
  EXPECT_EQ(format_duration(2h + 5min + 59s), "2 h 5 m");
  EXPECT_EQ(format_duration(99h), "4 d 3 h");
  EXPECT_EQ(format_duration(-190s), "-3 m 10 s");
}

TEST(FormatTime, names_the_zone) {
  const WallTime time(std::chrono::seconds(1'795'425'254));
  EXPECT_EQ(format_time(time), "2026-11-23 09:14:14 UTC");
  EXPECT_EQ(format_time(time + 999ms), "2026-11-23 09:14:14 UTC");
  EXPECT_EQ(format_time(WallTime(-1ms)), "1969-12-31 23:59:59 UTC");
  ::setenv("TZ", "XXX-03:30", 1);
  ::tzset();
  EXPECT_EQ(format_time(time, TimeZone::local), "2026-11-23 12:44:14 +03:30");
  ::setenv("TZ", "XXX+05", 1);
  ::tzset();
  EXPECT_EQ(format_time(time, TimeZone::local), "2026-11-23 04:14:14 -05:00");
  ::unsetenv("TZ");
  ::tzset();
}

TEST(DisplayWidth, counts_columns_without_a_locale) {
  ASSERT_STREQ(::setlocale(LC_ALL, "C"), "C");
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("é"), 1U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("日本語"), 6U);
  EXPECT_EQ(display_width("한"), 2U);
  EXPECT_EQ(display_width("\u1112\u1161\u11ab"), 2U);  // the same, decomposed
  EXPECT_EQ(display_width("🍅"), 2U);
  EXPECT_EQ(display_width("رستوران"), 7U);
  EXPECT_EQ(display_width("می\u200cخواهم"), 7U);
  EXPECT_EQ(display_width("\xff\xfe"), 2U);
  EXPECT_EQ(display_width("…"), 1U);
}

TEST(PadToWidth, fills_by_columns_and_isolates_right_to_left_text) {
  EXPECT_EQ(pad_to_width("ab", 4), "ab  ");
  EXPECT_EQ(pad_to_width("ab", 4, Align::right), "  ab");
  EXPECT_EQ(pad_to_width("日本", 5), "日本 ");
  EXPECT_EQ(pad_to_width("too long", 3), "too long");
  EXPECT_EQ(pad_to_width("سلام", 6), "\u2068سلام\u2069  ");
  EXPECT_EQ(display_width(pad_to_width("سلام", 6)), 6U);
  EXPECT_EQ(display_width(pad_to_width("שלום", 6, Align::right)), 6U);
}

TEST(CutToWidth, ends_with_an_ellipsis_and_never_exceeds) {
  EXPECT_EQ(cut_to_width("abc", 3), "abc");
  EXPECT_EQ(cut_to_width("abcd", 3), "ab…");
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");
  EXPECT_EQ(cut_to_width("日本語", 5), "日本…");
  EXPECT_EQ(cut_to_width("abcd", 1), "…");
  EXPECT_EQ(cut_to_width("abcd", 0), "");
}

TEST(SanitizeForTerminal, escapes_what_moves_the_cursor_or_reorders) {
  EXPECT_EQ(sanitize_for_terminal("plain é 日本 سلام"), "plain é 日本 سلام");
  EXPECT_EQ(sanitize_for_terminal("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(sanitize_for_terminal("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(sanitize_for_terminal("\u009b31m\x7f"), "\\x9b31m\\x7f");
  EXPECT_EQ(sanitize_for_terminal("a\u202eb\u2069"), "a\\u{202e}b\\u{2069}");
  EXPECT_EQ(sanitize_for_terminal("a\xffz"), "a\uFFFDz");
}

TEST(Unicode, malformed_sequences_are_taken_one_byte_at_a_time) {
  for (const std::string_view bad : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                     "\xf8", "\xe2\x82", "\x80"}) {
    std::string_view rest = bad;
    EXPECT_EQ(unicode::take(rest), unicode::invalid) << testing::PrintToString(bad);
    EXPECT_EQ(rest.size(), bad.size() - 1);
  }
  std::string_view good = "\U0010FFFF";
  EXPECT_EQ(unicode::take(good), U'\U0010FFFF');
  EXPECT_TRUE(good.empty());
}

}  // namespace
}  // namespace holdfast
