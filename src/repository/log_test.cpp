#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bson/builder.h"
#include "repository/log_codec.h"
#include "repository/names.h"
#include "repository/repository_testing.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<bson::Document> events_of(int count, std::size_t text_bytes = 10) {
  std::vector<bson::Document> events;
  for (int at = 0; at < count; ++at) {
    events.push_back(make_document(at, std::string(text_bytes, static_cast<char>('a' + at % 26))));
  }
  return events;
}

std::vector<bson::Document> read_events(Repository& repository, const LogSegmentInfo& info) {
  std::vector<bson::Document> events;
  HOLDFAST_EXPECT_OK(repository.read_log_segment(info, [&](bson::DocumentView event) -> Status {
    events.emplace_back(event);
    return {};
  }));
  return events;
}

class Log : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    HOLDFAST_ASSERT_OK(const InitOutcome outcome, place.init());
    HOLDFAST_ASSERT_OK(repository, place.open());
  }

  TestPlace place{GetParam()};
  std::unique_ptr<Repository> repository;
};
INSTANTIATE_TEST_SUITE_P(EncryptedOrNot, Log, ::testing::Bool());

TEST_P(Log, gives_back_the_events_that_were_stored) {
  std::uint32_t from = 10;
  for (const auto& [count, size] : {std::pair{0, 0}, {1, 10}, {3000, 1000}, {3, 2'000'000}}) {
    const auto events = events_of(count, static_cast<std::size_t>(size));
    HOLDFAST_ASSERT_OK(const LogSegmentInfo put,
                       put_log(*repository, log_stretch(from, from + 1), events));
    EXPECT_EQ(put.events, events.size());
    EXPECT_EQ(place.blobs->find(put.name)->size(), put.stored_bytes);
    EXPECT_EQ(read_events(*repository, put), events);
    from += 1;
  }
}

TEST_P(Log, stores_a_stretch_that_is_too_long_to_be_gathered) {
  const auto events = events_of(12, 3'000'000);
  HOLDFAST_ASSERT_OK(const LogSegmentInfo put, put_log(*repository, log_stretch(1, 2), events));
  EXPECT_EQ(put.events, 12U);
  EXPECT_EQ(read_events(*repository, put), events);
}

TEST_P(Log, is_listed_by_another_view_with_all_that_was_said) {
  LogSegmentInfo first = log_stretch(10, 20);
  first.gap_before = LogGap{{5, 1}, "the server's log had moved on"};
  HOLDFAST_ASSERT_OK(const LogSegmentInfo put, put_log(*repository, first, events_of(5)));
  HOLDFAST_ASSERT_OK(const LogSegmentInfo next,
                     put_log(*repository, log_stretch(20, 25), events_of(1)));
  HOLDFAST_ASSERT_OK(const auto other, place.open());
  HOLDFAST_ASSERT_OK(const auto listing, other->list_log("shop"));
  ASSERT_THAT(listing.segments, SizeIs(2));
  EXPECT_THAT(listing.damaged, SizeIs(0));
  const LogSegmentInfo& found = listing.segments.front();
  EXPECT_EQ(found.name, put.name);
  EXPECT_EQ(found.databases, first.databases);
  EXPECT_EQ(found.start.time, (ClusterTime{10, 1}));
  EXPECT_EQ(found.start.token, first.start.token);
  EXPECT_EQ(found.end.time, (ClusterTime{20, 1}));
  EXPECT_EQ(found.end.token, first.end.token);
  EXPECT_EQ(found.events, 5U);
  EXPECT_EQ(found.event_bytes, put.event_bytes);
  EXPECT_EQ(found.stored_bytes, put.stored_bytes);
  EXPECT_EQ(found.writer, "capture");
  ASSERT_TRUE(found.gap_before.has_value());
  EXPECT_EQ(found.gap_before->since, (ClusterTime{5, 1}));
  EXPECT_EQ(found.gap_before->cause, "the server's log had moved on");
  EXPECT_FALSE(listing.segments.back().gap_before.has_value());
  HOLDFAST_ASSERT_OK(const auto all, other->list_log(""));
  EXPECT_THAT(all.segments, SizeIs(2));
  HOLDFAST_ASSERT_OK(const auto none, other->list_log("other"));
  EXPECT_THAT(none.segments, SizeIs(0));
}

TEST_P(Log, has_one_successor_of_a_place_and_no_fork) {
  HOLDFAST_ASSERT_OK(const LogSegmentInfo put,
                     put_log(*repository, log_stretch(10, 20), events_of(5)));
  HOLDFAST_ASSERT_OK(const auto other, place.open());
  HOLDFAST_EXPECT_ERROR(ErrorCode::exists, put_log(*other, log_stretch(10, 15), events_of(2)));
  HOLDFAST_ASSERT_OK(const auto listing, other->list_log("shop"));
  ASSERT_THAT(listing.segments, SizeIs(1));
  EXPECT_EQ(listing.segments.front().end.time, (ClusterTime{20, 1}));

  LogSegmentInfo wider = log_stretch(10, 15);
  wider.databases.clear();
  HOLDFAST_EXPECT_OK(put_log(*other, wider, events_of(2)));
  HOLDFAST_ASSERT_OK(const auto both, other->list_log("shop"));
  EXPECT_THAT(both.segments, SizeIs(2));
}

TEST_P(Log, passes_on_the_errors_of_who_gives_and_takes_events) {
  const Error mine(ErrorCode::gap, "mine");
  HOLDFAST_EXPECT_ERROR(ErrorCode::gap, repository->put_log_segment(
                                            log_stretch(1, 2), [&](const auto&) { return mine; }));
  HOLDFAST_ASSERT_OK(const LogSegmentInfo put,
                     put_log(*repository, log_stretch(1, 2), events_of(5)));
  HOLDFAST_EXPECT_ERROR(ErrorCode::gap,
                        repository->read_log_segment(put, [&](auto) { return mine; }));
}

TEST_P(Log, verification_counts_it_and_finds_what_is_missing_inside) {
  std::vector<std::string> names;
  for (std::uint32_t at = 10; at < 50; at += 10) {
    HOLDFAST_ASSERT_OK(const LogSegmentInfo put,
                       put_log(*repository, log_stretch(at, at + 10), events_of(3)));
    names.push_back(put.name);
  }
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
  EXPECT_EQ(report.log_segments, 4U);
  EXPECT_EQ(report.log_events, 12U);

  EXPECT_TRUE(place.blobs->erase(names[0]));  // what retention may do
  HOLDFAST_ASSERT_OK(const VerifyReport shorter, verify_all(*repository));
  EXPECT_EQ(damage_text(shorter), "");

  EXPECT_TRUE(place.blobs->erase(names[2]));
  HOLDFAST_ASSERT_OK(const VerifyReport torn, verify_all(*repository));
  ASSERT_THAT(torn.damage, SizeIs(1));
  EXPECT_EQ(torn.damage.front().what, "log");
  EXPECT_EQ(torn.damage.front().where, names[3]);
  EXPECT_THAT(torn.damage.front().sentence, HasSubstr("no other ends at 40:1"));
}

TEST_P(Log, a_header_that_cannot_be_read_does_not_hide_the_others) {
  HOLDFAST_ASSERT_OK(const LogSegmentInfo put,
                     put_log(*repository, log_stretch(10, 20), events_of(5)));
  HOLDFAST_ASSERT_OK(const LogSegmentInfo next,
                     put_log(*repository, log_stretch(20, 25), events_of(1)));
  place.blobs->flip_bit(put.name, 60);
  HOLDFAST_ASSERT_OK(const auto other, place.open());
  HOLDFAST_ASSERT_OK(const auto listing, other->list_log("shop"));
  ASSERT_THAT(listing.segments, SizeIs(1));
  EXPECT_EQ(listing.segments.front().name, next.name);
  ASSERT_THAT(listing.damaged, SizeIs(1));
  EXPECT_EQ(listing.damaged.front().where, put.name);
  EXPECT_THAT(listing.damaged.front().affects.front(), HasSubstr("shop log from 10:1"));
}

TEST(LogNames, say_what_is_covered_and_where_it_starts) {
  const LogSegmentInfo info = log_stretch(10, 20);
  const std::string name = log_segment_name(info.source, info.databases, info.start);
  const auto parsed = parse_log_blob(name);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->source, "shop");
  EXPECT_EQ(ClusterTime::from_packed(parsed->start), (ClusterTime{10, 1}));
  EXPECT_EQ(parsed->text(), name);
  EXPECT_EQ(name.substr(0, 9), "shop/log/");
  EXPECT_EQ(name.size(), 9 + 8 + 1 + 16 + 1 + 16U);

  LogSegmentInfo other = log_stretch(10, 30);
  EXPECT_EQ(log_segment_name(other.source, other.databases, other.start), name);
  other.databases = {"shop", "shop2"};
  EXPECT_NE(log_segment_name(other.source, other.databases, other.start), name);
  other = log_stretch(10, 30);
  other.start.token = make_document(1, "another token");
  EXPECT_NE(log_segment_name(other.source, other.databases, other.start), name);
  for (const std::string_view none : {"shop/log/", "shop/log/0123456789abcdef",
                                      "keys/log/01234567-0123456789abcdef-0123456789abcdef",
                                      "shop/log/01234567-0123456789abcdeg-0123456789abcdef",
                                      "shop/log/01234567_0123456789abcdef-0123456789abcdef"}) {
    EXPECT_FALSE(parse_log_blob(none).has_value()) << none;
  }
}

}  // namespace
}  // namespace holdfast::repository
