#include "changelog/boundary_tracker.h"

#include <gtest/gtest.h>

#include "changelog/log_testing.h"

namespace holdfast::changelog {
namespace {

using namespace changelog::testing;  // NOLINT: the helpers of this module

class BoundaryTrackerTest : public ::testing::Test {
 protected:
  void take(const MadeEvent& made, bool marker = false) {
    const bson::Document raw = made_event(made);
    const auto event = parse_event(raw.view());
    ASSERT_TRUE(event.ok());
    offset_ += 100;
    tracker_.take(*event, marker, offset_, made_token(made.time, made.key));
  }

  BoundaryTracker tracker_{Boundary{0, 0, {10, 1}, made_token({10, 1}, 0)}};

 private:
  std::uint64_t offset_ = 0;
};

TEST_F(BoundaryTrackerTest, without_tokens_that_tell_a_time_only_markers_count) {
  take({{11, 1}, 1});
  take({{12, 1}, 2});
  tracker_.settle({}, made_token({13, 1}, 0));
  EXPECT_FALSE(tracker_.without_marker().has_value());
  take({{14, 1}, 77}, true);
  const bson::Document key = made_event({{14, 1}, 77});
  const auto event = parse_event(key.view());
  const auto boundary = tracker_.behind_marker(*event->key);
  ASSERT_TRUE(boundary.has_value());
  EXPECT_EQ(boundary->events, 3U);
  EXPECT_EQ(boundary->time, (ClusterTime{14, 1}));
  EXPECT_TRUE(tracker_.data_behind({1, 100, {}, {}}));
  EXPECT_FALSE(tracker_.data_behind({2, 200, {}, {}})) << "a marker is no data";
}

TEST_F(BoundaryTrackerTest, a_settled_time_is_a_boundary_until_the_next_event) {
  take({{11, 1}, 1});
  tracker_.settle({15, 9}, made_token({15, 10}, 0));
  const auto settled = tracker_.without_marker();
  ASSERT_TRUE(settled.has_value());
  EXPECT_EQ(settled->time, (ClusterTime{15, 9}));
  EXPECT_EQ(settled->events, 1U);
  EXPECT_EQ(settled->token, made_token({15, 10}, 0));
  take({{16, 1}, 2});
  EXPECT_EQ(tracker_.without_marker()->events, 1U);
  EXPECT_EQ(tracker_.without_marker()->time, (ClusterTime{11, 1}));
}

TEST_F(BoundaryTrackerTest, a_time_that_others_may_still_share_is_not_settled) {
  take({{11, 1}, 1});
  take({{12, 1}, 2});
  tracker_.settle({12, 0}, made_token({12, 1}, 2));
  const auto boundary = tracker_.without_marker();
  ASSERT_TRUE(boundary.has_value());
  EXPECT_EQ(boundary->events, 1U);
  EXPECT_EQ(boundary->time, (ClusterTime{11, 1}));
}

TEST_F(BoundaryTrackerTest, cuts_between_times_and_so_never_in_a_transaction_of_one_time) {
  tracker_.settle({10, 5}, made_token({10, 6}, 0));
  take({{11, 1}, 1});
  for (int key = 2; key < 6; ++key) take({{12, 1}, key, 7});
  EXPECT_EQ(tracker_.without_marker()->events, 1U);
  EXPECT_EQ(tracker_.without_marker()->token, made_token({11, 1}, 1));
  take({{13, 1}, 6});
  EXPECT_EQ(tracker_.without_marker()->events, 5U);
  EXPECT_EQ(tracker_.without_marker()->offset, 500U);
}

TEST_F(BoundaryTrackerTest, moves_behind_transactions_that_interleave) {
  take({{11, 1}, 1, 7});
  take({{12, 1}, 2});
  take({{13, 1}, 3, 8});
  take({{14, 1}, 4, 7});
  take({{15, 1}, 5, 8});
  take({{16, 1}, 6});
  const Boundary moved = tracker_.behind_open_groups({2, 200, {12, 1}, made_token({12, 1}, 2)});
  EXPECT_EQ(moved.events, 5U);
  EXPECT_EQ(moved.time, (ClusterTime{15, 1}));
  tracker_.forget_before(moved);
  EXPECT_FALSE(tracker_.saw_transactions());
}

}  // namespace
}  // namespace holdfast::changelog
