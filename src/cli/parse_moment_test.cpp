#include "cli/parse_moment.h"

#include <gtest/gtest.h>

#include <limits>

namespace holdfast::cli {
namespace {

constexpr std::uint32_t last = std::numeric_limits<std::uint32_t>::max();
const WallTime now = WallTime(std::chrono::seconds(1'795'438'379));

std::optional<ClusterTime> moment(std::string_view text) {
  const auto parsed = parse_moment(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? resolve_moment(*parsed, now) : std::nullopt;
}

TEST(ParseMoment, takes_times_with_a_zone) {
  EXPECT_EQ(moment("2026-11-23T12:52:59Z"), (ClusterTime{1'795'438'379, last}));
  EXPECT_EQ(moment("2026-11-23T16:22:59+03:30"), (ClusterTime{1'795'438'379, last}));
  EXPECT_EQ(moment("2026-11-23 12:52:59 Z"), (ClusterTime{1'795'438'379, last}));
}

TEST(ParseMoment, takes_seconds_and_cluster_times) {
  EXPECT_EQ(moment("1795438379"), (ClusterTime{1'795'438'379, last}));
  EXPECT_EQ(moment("1795438379:7"), (ClusterTime{1'795'438'379, 7}));
}

TEST(ParseMoment, counts_back_from_the_servers_now) {
  EXPECT_EQ(moment("10 minutes ago"), (ClusterTime{1'795'437'779, last}));
  EXPECT_EQ(moment("90s ago"), (ClusterTime{1'795'438'289, last}));
  EXPECT_EQ(moment("1 day ago"), (ClusterTime{1'795'351'979, last}));
}

TEST(ParseMoment, now_is_as_far_as_the_log_reaches) {
  const auto parsed = parse_moment("now");
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->now);
  EXPECT_FALSE(resolve_moment(*parsed, now).has_value());
}

TEST(ParseMoment, refuses_what_could_mean_several_times) {
  for (const std::string_view text :
       {"2026-11-23T12:52:59", "2026-11-23", "12:52", "yesterday", "", "10 fortnights ago",
        "-5 minutes ago", "1795438379:", "1795438379:7:1", "99999999999999999999"}) {
    const auto parsed = parse_moment(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::usage) << text;
    EXPECT_FALSE(parsed.error().hint().empty()) << text;
  }
}

}  // namespace
}  // namespace holdfast::cli
