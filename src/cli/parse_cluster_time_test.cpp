#include "cli/parse_cluster_time.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

TEST(ParseClusterTime, one_time_or_all_of_a_second) {
  const auto one = parse_cluster_time("1795425254:3");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->first, (ClusterTime{1795425254, 3}));
  EXPECT_EQ(one->last, (ClusterTime{1795425254, 3}));
  for (const std::string_view text :
       {"1795425254", "2026-11-23T09:14:14Z", "2026-11-23T12:44:14+03:30"}) {
    const auto second = parse_cluster_time(text);
    ASSERT_TRUE(second.ok()) << text;
    EXPECT_EQ(second->first, (ClusterTime{1795425254, 0}));
    EXPECT_EQ(second->last, (ClusterTime{1795425254, 0xffffffff}));
  }
}

TEST(ParseClusterTime, refuses_times_without_a_zone_and_what_is_none) {
  for (const std::string_view text : {"", "now", "5 minutes ago", "2026-11-23T09:14:14",
                                      "99999999999", "5:x", "1795425254:3.2", "1901-01-01", "-5"}) {
    const auto parsed = parse_cluster_time(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::usage) << text;
  }
}

}  // namespace
}  // namespace holdfast::cli
