#include "cli/parse_time.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

std::int64_t seconds_of(std::string_view text) {
  const auto time = parse_time(text);
  EXPECT_TRUE(time.ok()) << text;
  return time.ok() ? std::chrono::system_clock::to_time_t(*time) : -1;
}

TEST(ParseTime, reads_zones) {
  EXPECT_EQ(seconds_of("2026-11-23T09:14:14Z"), 1795425254);
  EXPECT_EQ(seconds_of("2026-11-23T12:44:14+03:30"), 1795425254);
  EXPECT_EQ(seconds_of("2026-11-23 12:44:14 +03:30"), 1795425254);
  EXPECT_EQ(seconds_of("2026-11-23T04:14:14-0500"), 1795425254);
  EXPECT_EQ(seconds_of("2026-11-23T09:14Z"), 1795425240);
  EXPECT_EQ(seconds_of("1970-01-01"), 0);
}

TEST(ParseTime, refuses_what_could_mean_two_things_or_none) {
  for (const auto* text :
       {"", "yesterday", "2026-11-23T09:14:14", "2026-11-23T09:14", "2026-02-30", "2026-13-01",
        "2026-11-23T24:00Z", "2026-11-23T09:60Z", "2026-11-23T09:14:14Zx", "2026-11-23T09:14:14+3",
        "26-11-23", "2026-11-23T", "2026-11-23T-1:00Z"}) {
    const auto time = parse_time(text);
    ASSERT_FALSE(time.ok()) << text;
    EXPECT_EQ(time.error().code(), ErrorCode::usage);
  }
}

TEST(ParseDuration, reads_units) {
  EXPECT_EQ(parse_duration("500ms").value().count(), 500);
  EXPECT_EQ(parse_duration("30s").value().count(), 30'000);
  EXPECT_EQ(parse_duration("5m").value().count(), 300'000);
  EXPECT_EQ(parse_duration("2h").value().count(), 7'200'000);
  EXPECT_EQ(parse_duration("1d").value().count(), 86'400'000);
}

TEST(ParseDuration, refuses_the_rest) {
  for (const auto* text : {"", "5", "s", "-5s", "5 s", "5y", "1.5h", "99999999999999999999s",
                           "9223372036854775807d"}) {
    EXPECT_FALSE(parse_duration(text).ok()) << text;
  }
}

}  // namespace
}  // namespace holdfast::cli
