#include "service/overview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/safety_snapshot.h"

namespace holdfast::service {
namespace {

using testing::HasSubstr;

repository::SnapshotSummary snapshot(int hours) {
  repository::SnapshotSummary summary;
  summary.id = "0123456789abcdef";
  summary.finished = WallTime{std::chrono::hours(hours)};
  summary.consistency.kind = Consistency::Kind::exact;
  summary.stored_bytes = 1'000'000;
  return summary;
}

TEST(Glance, an_empty_repository_is_not_healthy) {
  const auto line = glance({}, {}, WallTime{});
  EXPECT_EQ(line.text, "no backup yet");
  EXPECT_FALSE(line.healthy);
}

TEST(Glance, tells_what_is_restorable_and_how_old_the_last_backup_is) {
  const auto line = glance({snapshot(1), snapshot(2)}, {}, WallTime{std::chrono::minutes(121)});
  EXPECT_THAT(line.text, HasSubstr("2 snapshots 1970-01-01"));
  EXPECT_THAT(line.text, HasSubstr("last backup OK 1 m"));
  EXPECT_THAT(line.text, HasSubstr("ago, exact"));
  EXPECT_THAT(line.text, HasSubstr("2.0 MB stored"));
  EXPECT_TRUE(line.healthy);
}

TEST(Glance, damage_is_never_healthy) {
  const auto line = glance({snapshot(1)}, {{"manifest", "x", "y", {}}}, WallTime{});
  EXPECT_THAT(line.text, HasSubstr("1 damaged manifest"));
  EXPECT_FALSE(line.healthy);
}

TEST(Glance, a_safety_snapshot_is_no_backup) {
  auto safety = snapshot(2);
  safety.tags = {std::string(safety_tag)};
  EXPECT_FALSE(is_safety_snapshot(safety)) << "a tag that somebody chose proves nothing";
  safety.critical_reason = "what a restore in place replaced";
  EXPECT_TRUE(is_safety_snapshot(safety));
  EXPECT_FALSE(glance({safety}, {}, safety.finished).healthy);
  EXPECT_THAT(glance({snapshot(1), safety}, {}, safety.finished).text, HasSubstr("1 h"));
}

TEST(AgeText, speaks_in_whole_units) {
  const WallTime now{std::chrono::hours(100)};
  EXPECT_EQ(age_text(now, now), "just now");
  EXPECT_EQ(age_text(now - std::chrono::seconds(12), now), "12 s ago");
  EXPECT_EQ(age_text(now - std::chrono::seconds(190), now), "3 m 10 s ago");
  EXPECT_THAT(age_text(now + std::chrono::hours(1), now), HasSubstr("future"));
}

}  // namespace
}  // namespace holdfast::service
