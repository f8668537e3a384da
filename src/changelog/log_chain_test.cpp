#include "changelog/log_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "changelog/log_testing.h"
#include "repository/repository_testing.h"

namespace holdfast::changelog {
namespace {

using namespace changelog::testing;  // NOLINT: the helpers of this module
using repository::LogSegmentInfo;
using repository::testing::log_stretch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

LogSegmentInfo named(LogSegmentInfo info, std::string name) {
  info.name = std::move(name);
  return info;
}

TEST(LogChain, joins_segments_that_touch_in_time_and_token) {
  const auto chains =
      chain_segments({named(log_stretch(20, 30), "b"), named(log_stretch(10, 20), "a"),
                      named(log_stretch(30, 40), "c")});
  ASSERT_THAT(chains, SizeIs(1));
  EXPECT_EQ(chains[0].source, "shop");
  EXPECT_THAT(chains[0].segments, SizeIs(3));
  EXPECT_EQ(chains[0].start().time, (ClusterTime{10, 1}));
  EXPECT_EQ(chains[0].end().time, (ClusterTime{40, 1}));
  EXPECT_FALSE(chains[0].gap.has_value());
}

TEST(LogChain, breaks_where_a_gap_is_recorded_and_keeps_its_cause) {
  LogSegmentInfo later = log_stretch(25, 30);
  later.gap_before = repository::LogGap{{20, 1}, "history lost"};
  const auto chains = chain_segments({log_stretch(10, 20), later});
  ASSERT_THAT(chains, SizeIs(2));
  ASSERT_TRUE(chains[1].gap.has_value());
  EXPECT_EQ(chains[1].gap->cause, "history lost");
  EXPECT_EQ(chains[1].gap->since, (ClusterTime{20, 1}));
}

TEST(LogChain, a_missing_segment_is_a_gap_that_says_so) {
  const auto chains =
      chain_segments({log_stretch(10, 20), log_stretch(30, 40), log_stretch(40, 50)});
  ASSERT_THAT(chains, SizeIs(2));
  EXPECT_THAT(chains[1].segments, SizeIs(2));
  ASSERT_TRUE(chains[1].gap.has_value());
  EXPECT_EQ(chains[1].gap->since, (ClusterTime{20, 1}));
  EXPECT_THAT(chains[1].gap->cause, HasSubstr("damaged or missing"));
}

TEST(LogChain, the_same_time_with_another_token_is_another_place) {
  LogSegmentInfo later = log_stretch(20, 30);
  later.start.token = made_token({20, 1}, 99);
  EXPECT_THAT(chain_segments({log_stretch(10, 20), later}), SizeIs(2));
}

TEST(LogChain, keeps_scopes_and_sources_apart) {
  LogSegmentInfo whole = log_stretch(20, 30);
  whole.databases.clear();
  LogSegmentInfo other = log_stretch(20, 30);
  other.source = "other";
  const auto chains = chain_segments({log_stretch(10, 20), whole, other});
  EXPECT_THAT(chains, SizeIs(3));
  for (const LogChain& chain : chains) EXPECT_FALSE(chain.gap.has_value());
}

TEST(LogChain, forged_segments_that_run_in_a_circle_end) {
  LogSegmentInfo there = log_stretch(10, 10);
  LogSegmentInfo back = log_stretch(10, 10);
  there.end.token = made_token({10, 1}, 5);
  back.start.token = there.end.token;
  const auto chains = chain_segments({there, back, log_stretch(5, 10)});
  EXPECT_FALSE(chains.empty());
}

TEST(LogChain, covers_its_databases_or_all) {
  LogChain chain;
  chain.databases = {"shop", "stock"};
  EXPECT_TRUE(chain.covers({"stock"}));
  EXPECT_FALSE(chain.covers({"people", "stock"}));
  EXPECT_FALSE(chain.covers({}));
  chain.databases.clear();
  EXPECT_TRUE(chain.covers({"people"}));
  EXPECT_TRUE(chain.covers({}));
}

class StoredEventsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HOLDFAST_ASSERT_OK(const auto outcome, place_.init());
    HOLDFAST_ASSERT_OK(repository_, place_.open());
  }

  /// Stores events as segments that end at these seconds, and gives the chain.
  LogChain store(const std::vector<MadeEvent>& events, const std::vector<std::uint32_t>& ends) {
    std::uint32_t from = 1;
    for (const std::uint32_t to : ends) {
      std::vector<bson::Document> inside;
      for (const MadeEvent& event : events) {
        if (event.time > ClusterTime{from, 1} && event.time <= ClusterTime{to, 1}) {
          inside.push_back(made_event(event));
        }
      }
      HOLDFAST_EXPECT_OK(repository::testing::put_log(*repository_, log_stretch(from, to), inside));
      from = to;
    }
    auto chains = read_log_chains(*repository_, "shop");
    EXPECT_TRUE(chains.ok() && chains->size() == 1);
    return chains->front();
  }

  std::vector<int> keys(const LogChain& chain, std::uint32_t after, std::uint32_t until) {
    const auto events = open_stored_events(*repository_, chain, {after, 1}, {until, 1});
    if (!events.ok()) {
      ADD_FAILURE() << events.error().message();
      return {};
    }
    const std::vector<int> first = keys_of(**events);
    EXPECT_EQ(keys_of(**events), first) << "reading again gives something else";
    return first;
  }

  repository::testing::TestPlace place_;
  std::unique_ptr<repository::Repository> repository_;
};

TEST_F(StoredEventsTest, gives_what_lies_behind_one_time_up_to_and_with_another) {
  const LogChain chain =
      store({{{2, 1}, 2}, {{3, 1}, 3}, {{5, 1}, 5}, {{6, 1}, 6}, {{8, 1}, 8}}, {4, 6, 9});
  EXPECT_THAT(keys(chain, 1, 9), ElementsAre(2, 3, 5, 6, 8));
  EXPECT_THAT(keys(chain, 3, 6), ElementsAre(5, 6));
  EXPECT_THAT(keys(chain, 2, 5), ElementsAre(3, 5));
  EXPECT_THAT(keys(chain, 6, 7), IsEmpty());
  EXPECT_THAT(keys(chain, 4, 4), IsEmpty());
}

TEST_F(StoredEventsTest, refuses_times_that_the_chain_does_not_reach) {
  const LogChain chain = store({{{2, 1}, 2}}, {4});
  HOLDFAST_EXPECT_ERROR(ErrorCode::gap, open_stored_events(*repository_, chain, {0, 9}, {3, 1}));
  HOLDFAST_EXPECT_ERROR(ErrorCode::gap, open_stored_events(*repository_, chain, {2, 1}, {4, 2}));
}

TEST_F(StoredEventsTest, a_transaction_of_one_time_comes_whole_or_not_at_all) {
  // As mongod has it: all operations at the commit's time, nothing in between.
  const LogChain chain =
      store({{{2, 1}, 2}, {{5, 1}, 50, 7}, {{5, 1}, 51, 7}, {{5, 1}, 52, 7}, {{6, 1}, 6}}, {9});
  EXPECT_THAT(keys(chain, 1, 4), ElementsAre(2));
  EXPECT_THAT(keys(chain, 1, 5), ElementsAre(2, 50, 51, 52));
  EXPECT_THAT(keys(chain, 5, 9), ElementsAre(6));
}

TEST_F(StoredEventsTest, a_transaction_with_times_of_its_own_takes_effect_at_its_last_event) {
  // As SecantusDB's Rust server has it: other writes lie between, and other transactions.
  const LogChain chain = store({{{2, 1}, 20, 7},
                                {{3, 1}, 3},
                                {{4, 1}, 40, 8},
                                {{5, 1}, 21, 7},
                                {{6, 1}, 6},
                                {{7, 1}, 41, 8},
                                {{8, 1}, 8}},
                               {9});
  EXPECT_THAT(keys(chain, 1, 4), ElementsAre(3));
  EXPECT_THAT(keys(chain, 1, 5), ElementsAre(20, 3, 21));
  EXPECT_THAT(keys(chain, 1, 6), ElementsAre(20, 3, 21, 6));
  EXPECT_THAT(keys(chain, 1, 7), ElementsAre(20, 3, 40, 21, 6, 41));
  EXPECT_THAT(keys(chain, 1, 9), ElementsAre(20, 3, 40, 21, 6, 41, 8));
}

TEST_F(StoredEventsTest, gives_only_the_databases_asked_for) {
  const LogChain chain = store({{{2, 1}, 2}}, {4});
  const auto shop = open_stored_events(*repository_, chain, {1, 1}, {4, 1}, {"shop"});
  ASSERT_TRUE(shop.ok());
  EXPECT_THAT(keys_of(**shop), ElementsAre(2));
  const auto stock = open_stored_events(*repository_, chain, {1, 1}, {4, 1}, {"stock"});
  ASSERT_TRUE(stock.ok());
  EXPECT_THAT(keys_of(**stock), IsEmpty());
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition,
                        open_stored_events(*repository_, chain, {1, 1}, {4, 1}, {"people"}));
}

TEST_F(StoredEventsTest, a_segment_that_is_gone_is_an_error_and_no_silence) {
  const LogChain chain = store({{{2, 1}, 2}, {{5, 1}, 5}}, {4, 9});
  const auto events = open_stored_events(*repository_, chain, {1, 1}, {9, 1});
  ASSERT_TRUE(events.ok());
  EXPECT_TRUE(place_.blobs->erase(chain.segments.back().name));
  EXPECT_FALSE((*events)->visit([](const Event&) { return Status(); }).ok());
}

}  // namespace
}  // namespace holdfast::changelog
