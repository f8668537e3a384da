#include "changelog/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/repository_testing.h"

namespace holdfast::changelog {
namespace {

using repository::LogGap;
using repository::LogSegmentInfo;
using repository::SnapshotSummary;
using repository::testing::log_stretch;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

SnapshotSummary snapshot(std::string id, std::uint32_t seconds) {
  SnapshotSummary summary;
  summary.id = std::move(id);
  summary.source.id = "shop";
  summary.databases = {"shop", "stock"};
  summary.consistency = {Consistency::Kind::exact, {seconds, 1}, ""};
  return summary;
}

LogSegmentInfo behind_gap(LogSegmentInfo info, std::uint32_t since, std::string cause) {
  info.gap_before = LogGap{{since, since == 0 ? 0U : 1U}, std::move(cause)};
  return info;
}

std::string text(const Coverage& coverage) {
  std::string shown;
  for (const CoverageSpan& span : coverage.spans) {
    shown +=
        "[" + std::to_string(span.from.seconds) + "," + std::to_string(span.until.seconds) + "]";
  }
  return shown;
}

Coverage only(const std::vector<SnapshotSummary>& snapshots,
              const std::vector<LogSegmentInfo>& segments) {
  const auto all = compute_coverage(snapshots, chain_segments(segments));
  EXPECT_THAT(all, SizeIs(1));
  return all.empty() ? Coverage() : all.front();
}

TEST(Coverage, is_single_moments_without_a_log) {
  const Coverage coverage = only({snapshot("a", 10), snapshot("b", 20)}, {});
  EXPECT_EQ(text(coverage), "[10,10][20,20]");
  ASSERT_THAT(coverage.gaps, SizeIs(1));
  EXPECT_EQ(coverage.gaps[0].since, (ClusterTime{10, 1}));
  EXPECT_EQ(coverage.gaps[0].until, (ClusterTime{20, 1}));
  EXPECT_THAT(coverage.gaps[0].cause, HasSubstr("no log was stored"));
  EXPECT_FALSE(coverage.gaps[0].open);
}

TEST(Coverage, reaches_from_a_snapshot_as_far_as_its_log) {
  const Coverage coverage =
      only({snapshot("a", 10), snapshot("b", 25)}, {log_stretch(10, 20), log_stretch(20, 40)});
  EXPECT_EQ(text(coverage), "[10,40]");
  EXPECT_THAT(coverage.gaps, IsEmpty());
  EXPECT_EQ(base_of(coverage, {12, 1})->snapshot, "a");
  EXPECT_EQ(base_of(coverage, {25, 0})->snapshot, "a");
  EXPECT_EQ(base_of(coverage, {25, 1})->snapshot, "b");
  EXPECT_EQ(base_of(coverage, {40, 1})->snapshot, "b");
  EXPECT_EQ(base_of(coverage, {40, 1})->chain, 0U);
  EXPECT_FALSE(base_of(coverage, {40, 2}).has_value());
  EXPECT_FALSE(base_of(coverage, {9, 1}).has_value());
}

TEST(Coverage, a_log_that_begins_behind_a_snapshot_does_not_serve_it) {
  const Coverage coverage = only({snapshot("a", 10), snapshot("b", 30)},
                                 {behind_gap(log_stretch(20, 40), 0, "nothing before")});
  EXPECT_EQ(text(coverage), "[10,10][30,40]");
  ASSERT_THAT(coverage.gaps, SizeIs(1));
  EXPECT_THAT(coverage.gaps[0].cause, HasSubstr("no backup from before"));
}

TEST(Coverage, a_recorded_gap_ends_a_span_until_the_next_snapshot) {
  const Coverage coverage =
      only({snapshot("a", 10), snapshot("b", 60)},
           {log_stretch(10, 20), behind_gap(log_stretch(40, 80), 20, "the server's log moved on")});
  EXPECT_EQ(text(coverage), "[10,20][60,80]");
  ASSERT_THAT(coverage.gaps, SizeIs(1));
  EXPECT_EQ(coverage.gaps[0].since, (ClusterTime{20, 1}));
  EXPECT_EQ(coverage.gaps[0].until, (ClusterTime{60, 1}));
  EXPECT_EQ(coverage.gaps[0].cause, "the server's log moved on");
  for (const std::uint32_t inside : {21U, 40U, 50U, 59U}) {
    EXPECT_FALSE(base_of(coverage, {inside, 1}).has_value()) << inside;
  }
  const NearestTimes nearest = nearest_times(coverage, {30, 1});
  EXPECT_EQ(nearest.before, (ClusterTime{20, 1}));
  EXPECT_EQ(nearest.after, (ClusterTime{60, 1}));
  EXPECT_EQ(nearest.cause, "the server's log moved on");
}

TEST(Coverage, a_log_behind_a_gap_waits_for_a_snapshot) {
  const Coverage coverage =
      only({snapshot("a", 10)},
           {log_stretch(10, 20), behind_gap(log_stretch(40, 80), 20, "the server's log moved on")});
  EXPECT_EQ(text(coverage), "[10,20]");
  ASSERT_THAT(coverage.gaps, SizeIs(1));
  EXPECT_TRUE(coverage.gaps[0].open);
  EXPECT_EQ(coverage.gaps[0].until, (ClusterTime{80, 1}));
  const NearestTimes nearest = nearest_times(coverage, {50, 1});
  EXPECT_EQ(nearest.before, (ClusterTime{20, 1}));
  EXPECT_FALSE(nearest.after.has_value());
  EXPECT_EQ(nearest.cause, "the server's log moved on");
}

TEST(Coverage, a_lost_segment_is_a_gap) {
  const Coverage coverage = only({snapshot("a", 10), snapshot("b", 35)},
                                 {log_stretch(10, 20), log_stretch(30, 40), log_stretch(40, 50)});
  EXPECT_EQ(text(coverage), "[10,20][35,50]");
  ASSERT_THAT(coverage.gaps, SizeIs(1));
  EXPECT_THAT(coverage.gaps[0].cause, HasSubstr("damaged or missing"));
}

TEST(Coverage, counts_snapshots_of_a_log_s_moment_and_of_whole_databases_only) {
  SnapshotSummary vague = snapshot("vague", 10);
  vague.consistency = {Consistency::Kind::best_effort, {}, "a standalone"};
  SnapshotSummary dump = snapshot("dump", 11);
  dump.kind = repository::SnapshotKind::imported;
  SnapshotSummary part = snapshot("part", 12);
  part.whole = false;
  EXPECT_THAT(compute_coverage({vague, dump, part}, chain_segments({log_stretch(10, 20)})),
              IsEmpty());
}

TEST(Coverage, one_best_effort_namespace_does_not_take_the_others_coverage) {
  SnapshotSummary mixed = snapshot("mixed", 10);
  mixed.consistency.kind = Consistency::Kind::best_effort;
  mixed.consistency.reason = "a time series";
  EXPECT_EQ(text(only({mixed}, {log_stretch(10, 20)})), "[10,20]");
}

TEST(Coverage, a_gap_s_cause_is_what_the_snapshot_behind_it_tells) {
  SnapshotSummary behind = snapshot("b", 35);
  behind.lost_log = repository::LogGap{{10, 0}, "the server's log moved on"};
  const Coverage coverage = only({snapshot("a", 10), behind}, {});
  ASSERT_THAT(coverage.gaps, SizeIs(1));
  EXPECT_EQ(coverage.gaps[0].cause, "the server's log moved on");
}

TEST(Coverage, a_log_of_all_databases_serves_some_and_not_the_other_way_round) {
  LogSegmentInfo whole = log_stretch(5, 30);
  whole.databases.clear();
  SnapshotSummary wider = snapshot("wider", 10);
  wider.databases = {"people", "shop", "stock"};
  EXPECT_EQ(text(only({snapshot("a", 10)}, {whole})), "[10,30]");
  EXPECT_EQ(text(only({wider}, {whole})), "[10,30]");
  EXPECT_EQ(text(only({wider}, {log_stretch(5, 30)})), "[10,10]");
}

TEST(Coverage, keeps_sources_and_sets_of_databases_apart) {
  SnapshotSummary other = snapshot("other", 10);
  other.source.id = "other";
  SnapshotSummary less = snapshot("less", 10);
  less.databases = {"shop"};
  const auto all =
      compute_coverage({snapshot("a", 10), other, less}, chain_segments({log_stretch(10, 20)}));
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].source, "other");
  EXPECT_EQ(text(all[0]), "[10,10]");
  EXPECT_EQ(text(all[1]), "[10,20]");
  EXPECT_EQ(text(all[2]), "[10,20]");
}

TEST(Coverage, the_nearest_times_of_one_that_works_are_itself) {
  const Coverage coverage = only({snapshot("a", 10)}, {log_stretch(10, 20)});
  const NearestTimes nearest = nearest_times(coverage, {15, 0});
  EXPECT_EQ(nearest.before, (ClusterTime{15, 0}));
  EXPECT_EQ(nearest.after, (ClusterTime{15, 0}));
  EXPECT_EQ(nearest.cause, "");
  const NearestTimes early = nearest_times(coverage, {5, 0});
  EXPECT_FALSE(early.before.has_value());
  EXPECT_EQ(early.after, (ClusterTime{10, 1}));
}

}  // namespace
}  // namespace holdfast::changelog
