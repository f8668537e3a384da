#include "changelog/log_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "changelog/log_chain.h"
#include "changelog/log_testing.h"
#include "repository/repository_testing.h"

namespace holdfast::changelog {
namespace {

using namespace changelog::testing;  // NOLINT: the helpers of this module
using repository::LogGap;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::size_t mebibyte = 1024UL * 1024;

class LogWriter : public ::testing::Test {
 protected:
  void SetUp() override {
    HOLDFAST_ASSERT_OK(const auto outcome, place_.init());
    HOLDFAST_ASSERT_OK(repository_, place_.open());
  }

  StoredStretch store(const MadeStream& stream, const Boundary& from, const Boundary& to,
                      std::string_view writer = backup_writer) {
    auto stored = store_drained_events(*repository_, "shop", {"shop"}, stream, from, to, writer,
                                       std::nullopt);
    if (!stored.ok()) {
      ADD_FAILURE() << stored.error().message();
      return {};
    }
    return std::move(*stored);
  }

  std::vector<LogChain> chains() {
    auto read = read_log_chains(*repository_, "shop");
    EXPECT_TRUE(read.ok());
    return read.ok() ? *read : std::vector<LogChain>();
  }

  std::vector<int> all_keys(const LogChain& chain) {
    const auto events =
        open_stored_events(*repository_, chain, chain.start().time, chain.end().time);
    EXPECT_TRUE(events.ok());
    return events.ok() ? keys_of(**events) : std::vector<int>();
  }

  repository::testing::TestPlace place_;
  std::unique_ptr<repository::Repository> repository_;
};

std::vector<MadeEvent> plain_events(int count, std::size_t filler) {
  std::vector<MadeEvent> events;
  for (int at = 1; at <= count; ++at) {
    events.push_back({{static_cast<std::uint32_t>(10 + at), 1}, at, 0, filler});
  }
  return events;
}

std::vector<int> numbers(int count) {
  std::vector<int> keys(static_cast<std::size_t>(count));
  std::iota(keys.begin(), keys.end(), 1);
  return keys;
}

TEST_F(LogWriter, stretches_that_touch_make_one_chain) {
  const MadeStream stream(plain_events(6, 10));
  const Boundary start = stream.start({10, 1});
  EXPECT_EQ(store(stream, start, stream.behind(2)).events, 2U);
  EXPECT_EQ(store(stream, stream.behind(2), stream.behind(5), capture_writer).events, 3U);
  EXPECT_EQ(store(stream, stream.behind(5), stream.behind(6)).end.time, (ClusterTime{16, 1}));
  const auto found = chains();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].segments, SizeIs(3));
  EXPECT_EQ(all_keys(found[0]), numbers(6));
  ASSERT_TRUE(found[0].gap.has_value());
  EXPECT_TRUE(found[0].gap->since.is_null());
  EXPECT_THAT(found[0].gap->cause, HasSubstr("nothing was stored before"));
}

TEST_F(LogWriter, a_stretch_without_events_still_moves_the_end) {
  const MadeStream stream({});
  Boundary later = stream.start({99, 1});
  EXPECT_EQ(store(stream, stream.start({10, 1}), later).segments, 1U);
  EXPECT_EQ(store(stream, later, later).segments, 0U);
  ASSERT_THAT(chains(), SizeIs(1));
  EXPECT_EQ(chains()[0].end().time, (ClusterTime{99, 1}));
}

TEST_F(LogWriter, a_stretch_that_begins_elsewhere_records_the_gap) {
  const MadeStream stream(plain_events(6, 10));
  static_cast<void>(store(stream, stream.start({10, 1}), stream.behind(2)));
  static_cast<void>(store(stream, stream.behind(4), stream.behind(6)));
  const auto found = chains();
  ASSERT_THAT(found, SizeIs(2));
  ASSERT_TRUE(found[1].gap.has_value());
  EXPECT_EQ(found[1].gap->since, (ClusterTime{12, 1}));
  EXPECT_THAT(found[1].gap->cause, HasSubstr("what lies between was not stored"));
}

TEST_F(LogWriter, a_gap_that_is_given_is_recorded_once) {
  const MadeStream stream(plain_events(3, 5 * mebibyte));
  const auto stored =
      store_drained_events(*repository_, "shop", {"shop"}, stream, stream.start({10, 1}),
                           stream.behind(3), backup_writer, LogGap{{5, 1}, "history lost"});
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->segments, 3U);
  const auto found = chains();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].gap->cause, "history lost");
}

TEST_F(LogWriter, cuts_after_about_eight_mebibytes) {
  const MadeStream stream(plain_events(20, mebibyte));
  EXPECT_EQ(store(stream, stream.start({10, 1}), stream.behind(20)).segments, 3U);
  const auto found = chains();
  ASSERT_THAT(found, SizeIs(1));
  for (const auto& segment : found[0].segments) EXPECT_LE(segment.event_bytes, log_segment_bytes);
  EXPECT_EQ(all_keys(found[0]), numbers(20));
}

TEST_F(LogWriter, never_cuts_between_events_of_one_time) {
  std::vector<MadeEvent> events = plain_events(12, mebibyte);
  for (MadeEvent& event : events) event.time = {20, 1};
  const MadeStream stream(events);
  EXPECT_EQ(store(stream, stream.start({10, 1}), stream.behind(12)).segments, 1U);
  EXPECT_EQ(all_keys(chains()[0]), numbers(12));
}

TEST_F(LogWriter, never_cuts_a_transaction_that_interleaves_with_others) {
  std::vector<MadeEvent> events = plain_events(30, mebibyte);
  events[3].transaction = 7;
  events[11].transaction = 7;
  events[11 + 2].transaction = 8;
  events[10].transaction = 8;
  const MadeStream stream(events);
  static_cast<void>(store(stream, stream.start({10, 1}), stream.behind(30)));
  const auto found = chains();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(all_keys(found[0]), numbers(30));
  EXPECT_GT(found[0].segments.size(), 2U);
  for (const auto& segment : found[0].segments) {
    const ClusterTime end = segment.end.time;
    EXPECT_FALSE((end >= ClusterTime{14, 1} && end < ClusterTime{24, 1})) << end.text();
  }
}

TEST_F(LogWriter, goes_on_where_another_writer_stopped) {
  const MadeStream stream(plain_events(9, 10));
  const Boundary start = stream.start({10, 1});
  static_cast<void>(store(stream, start, stream.behind(2), capture_writer));
  static_cast<void>(store(stream, stream.behind(2), stream.behind(4), capture_writer));
  const StoredStretch stored = store(stream, start, stream.behind(9));
  EXPECT_EQ(stored.end.time, (ClusterTime{19, 1}));
  EXPECT_EQ(stored.events, 5U);
  ASSERT_THAT(chains(), SizeIs(1));
  EXPECT_EQ(all_keys(chains()[0]), numbers(9));
}

TEST_F(LogWriter, says_how_far_the_log_reaches_where_others_went_further) {
  const MadeStream stream(plain_events(9, 10));
  const Boundary start = stream.start({10, 1});
  static_cast<void>(store(stream, start, stream.behind(9), capture_writer));
  const StoredStretch stored = store(stream, start, stream.behind(5));
  EXPECT_EQ(stored.segments, 0U);
  EXPECT_EQ(stored.end.time, (ClusterTime{19, 1}));
  EXPECT_FALSE(stored.rival.has_value());
}

TEST_F(LogWriter, a_capture_that_meets_another_one_stops) {
  const MadeStream stream(plain_events(9, 10));
  const Boundary start = stream.start({10, 1});
  static_cast<void>(store(stream, start, stream.behind(4), capture_writer));
  const StoredStretch stored = store(stream, start, stream.behind(9), capture_writer);
  ASSERT_TRUE(stored.rival.has_value());
  EXPECT_EQ(stored.segments, 0U);
  EXPECT_EQ(all_keys(chains()[0]), numbers(4));
}

TEST_F(LogWriter, a_capture_goes_on_behind_what_a_backup_stored) {
  const MadeStream stream(plain_events(9, 10));
  const Boundary start = stream.start({10, 1});
  static_cast<void>(store(stream, start, stream.behind(4)));
  const StoredStretch stored = store(stream, start, stream.behind(9), capture_writer);
  EXPECT_FALSE(stored.rival.has_value());
  EXPECT_EQ(stored.events, 5U);
  EXPECT_EQ(all_keys(chains()[0]), numbers(9));
}

TEST_F(LogWriter, an_attempt_whose_outcome_was_unknown_is_no_rival) {
  const MadeStream stream(plain_events(4, 10));
  const Boundary start = stream.start({10, 1});
  static_cast<void>(store(stream, start, stream.behind(4), capture_writer));
  const StoredStretch again = store(stream, start, stream.behind(4), capture_writer);
  EXPECT_FALSE(again.rival.has_value());
  EXPECT_EQ(again.end.time, (ClusterTime{14, 1}));
  EXPECT_THAT(chains()[0].segments, SizeIs(1));
}

TEST_F(LogWriter, another_writers_segments_may_be_cut_elsewhere) {
  const MadeStream stream(plain_events(30, mebibyte));
  const Boundary start = stream.start({10, 1});
  static_cast<void>(store(stream, start, stream.behind(8)));
  static_cast<void>(store(stream, stream.behind(8), stream.behind(11)));
  const StoredStretch stored = store(stream, start, stream.behind(30));
  EXPECT_EQ(stored.events, 19U);
  ASSERT_THAT(chains(), SizeIs(1));
  EXPECT_EQ(all_keys(chains()[0]), numbers(30));
}

}  // namespace
}  // namespace holdfast::changelog
