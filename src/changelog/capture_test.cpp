#include "changelog/capture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/temporary_folder_testing.h"
#include "changelog/log_chain.h"
#include "changelog/log_testing.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"
#include "repository/repository_testing.h"

namespace holdfast::changelog {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A backup machine whose calendar is wrong.
class WrongClock final : public Clock {
 public:
  explicit WrongClock(std::chrono::hours off) : off_(off) {}
  WallTime now() const override { return std::chrono::system_clock::now() + off_; }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }

 private:
  const std::chrono::hours off_;
};

class CaptureTest : public ::testing::Test {
 protected:
  void open(const std::string& uri) {
    uri_ = uri;
    client_ = mongo::connect_to(uri);
    HOLDFAST_ASSERT_OK(const auto outcome, place_.init());
    HOLDFAST_ASSERT_OK(repository_, place_.open());
    command(R"({"create":"users"})");
  }
  void command(const std::string& text) { mongo::run_text(*client_, "shop", text); }
  void insert(int key) {
    command(fmt::format(R"({{"insert":"users","documents":[{{"_id":{}}}]}})", key));
  }

  CaptureOptions options() {
    CaptureOptions options;
    options.source = "shop";
    options.databases = {"shop"};
    options.marker_database = "shop";
    options.spool_folder = folder_.path();
    options.segment_interval = 300ms;
    options.idle_interval = 700ms;
    return options;
  }

  Result<CaptureOutcome> run(const CaptureOptions& options, std::stop_token stop = {},
                             const Clock& clock = SystemClock()) {
    const auto client = mongo::connect_to(uri_);
    HOLDFAST_TRY(const auto view, place_.open());
    return run_capture(*client, *view, options, clock, random_, progress_, report_, stop);
  }
  /// Everything up to now.
  CaptureOutcome once(const Clock& clock = SystemClock()) {
    CaptureOptions all = options();
    all.duration = 0ms;
    const auto outcome = run(all, {}, clock);
    EXPECT_TRUE(outcome.ok()) << outcome.error().message();
    return outcome.ok() ? *outcome : CaptureOutcome();
  }

  std::vector<LogChain> chains() {
    const auto view = place_.open();
    auto read = read_log_chains(**view, "shop");
    EXPECT_TRUE(read.ok());
    return read.ok() ? *read : std::vector<LogChain>();
  }
  /// Keys of the inserts that the only chain holds.
  std::vector<int> stored_keys() {
    const auto found = chains();
    EXPECT_THAT(found, SizeIs(1));
    std::vector<int> keys;
    if (found.empty()) return keys;
    const SegmentEvents events(*repository_, found.front().segments);
    EXPECT_TRUE(events
                    .visit([&keys](const Event& event) -> Status {
                      if (event.kind != EventKind::insert) return {};
                      keys.push_back(static_cast<int>(event.key->integral().value_or(-1)));
                      return {};
                    })
                    .ok());
    return keys;
  }

  repository::testing::TestPlace place_;
  std::unique_ptr<repository::Repository> repository_;
  std::unique_ptr<mongo::Client> client_;
  TemporaryFolder folder_;
  SystemRandom random_;
  SilentProgress progress_;
  CaptureReport report_;
  std::string uri_;
};

TEST_F(CaptureTest, Core_goes_on_where_the_log_ends) {
  HOLDFAST_START_SERVER(server, {});
  open(server->uri());
  EXPECT_EQ(once().events, 0U);
  for (int key = 1; key <= 3; ++key) insert(key);
  EXPECT_EQ(once().events, 3U);
  EXPECT_EQ(once().events, 0U);
  for (int key = 4; key <= 6; ++key) insert(key);
  const CaptureOutcome last = once();
  EXPECT_EQ(last.events, 3U);
  EXPECT_THAT(last.gaps, IsEmpty());
  EXPECT_THAT(stored_keys(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(chains()[0].end().time, last.end.time);
  EXPECT_THAT(chains()[0].gap->cause, HasSubstr("nothing was stored before"));
}

TEST_F(CaptureTest, Core_runs_until_it_is_stopped_and_then_stores_what_it_has) {
  HOLDFAST_START_SERVER(server, {});
  open(server->uri());
  static_cast<void>(once());
  std::atomic<int> stretches = 0;
  report_ = [&stretches](const StoredStretch&) { ++stretches; };
  std::stop_source stop;
  std::jthread writer([&] {
    for (int key = 1; key <= 20; ++key) {
      insert(key);
      std::this_thread::sleep_for(100ms);
    }
    std::this_thread::sleep_for(1500ms);  // idle: the end moves on all the same
    insert(21);
    stop.request_stop();
  });
  const auto outcome = run(options(), stop.get_token());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_TRUE(outcome->stopped);
  EXPECT_EQ(outcome->events, 21U);
  EXPECT_GE(stretches, 4);
  EXPECT_THAT(stored_keys(), SizeIs(21));
}

TEST_F(CaptureTest, Core_a_transaction_that_is_open_meanwhile_is_in_one_segment) {
  HOLDFAST_START_SERVER(server, {});
  open(server->uri());
  static_cast<void>(once());
  const std::string session = R"("lsid":{"id":{"$binary":{"base64":"iv/UzuKmR7qqpWOKflV67A==",)"
                              R"("subType":"04"}}},"txnNumber":{"$numberLong":"1"},)"
                              R"("autocommit":false)";
  command(R"({"insert":"users","documents":[{"_id":100}],"startTransaction":true,)" + session +
          "}");
  std::stop_source stop;
  std::jthread writer([&] {
    for (int key = 1; key <= 12; ++key) {
      insert(key);
      if (key == 6) command(R"({"insert":"users","documents":[{"_id":101}],)" + session + "}");
      std::this_thread::sleep_for(100ms);
    }
    mongo::run_text(*client_, "admin", R"({"commitTransaction":1,)" + session + "}");
    insert(13);
    std::this_thread::sleep_for(500ms);
    stop.request_stop();
  });
  const auto outcome = run(options(), stop.get_token());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  writer.join();
  static_cast<void>(once());
  EXPECT_THAT(stored_keys(), SizeIs(15));
  const auto found = chains();
  ClusterTime before;
  for (const auto& segment : found.front().segments) {
    int inside = 0;
    const SegmentEvents events(*repository_, {segment});
    ASSERT_TRUE(events
                    .visit([&](const Event& event) -> Status {
                      if (event.transaction) ++inside;
                      // What tells stored events apart by time rests on this.
                      EXPECT_GE(event.time, before);
                      EXPECT_GT(event.time, segment.start.time);
                      EXPECT_LE(event.time, segment.end.time);
                      before = event.time;
                      return {};
                    })
                    .ok());
    EXPECT_TRUE(inside == 0 || inside == 2) << "a transaction was cut";
  }
}

TEST_F(CaptureTest, Core_leaves_nothing_of_its_own_in_the_source) {
  HOLDFAST_START_SERVER(server, {});
  open(server->uri());
  insert(1);
  static_cast<void>(once());
  const auto listed = mongo::run_text(*client_, "shop", R"({"listCollections":1})");
  EXPECT_THAT(mongo::to_text(listed.view()), ::testing::Not(HasSubstr("holdfast")));
}

TEST_F(CaptureTest, a_wrong_calendar_of_the_backup_machine_changes_nothing) {
  HOLDFAST_START_SERVER(server, {});
  open(server->uri());
  static_cast<void>(once(WrongClock(-48h)));
  insert(1);
  EXPECT_EQ(once(WrongClock(48h)).events, 1U);
  insert(2);
  EXPECT_EQ(once(WrongClock(-48h)).events, 1U);
  EXPECT_THAT(stored_keys(), ElementsAre(1, 2));
  ASSERT_THAT(chains(), SizeIs(1));
  const auto newest = mongo::newest_time(*client_);
  EXPECT_LE(chains()[0].end().time, newest);
  EXPECT_GT(chains()[0].end().time.seconds + 60, newest.seconds);
}

TEST_F(CaptureTest, of_two_one_gives_way) {
  HOLDFAST_START_SERVER(server, {});
  open(server->uri());
  static_cast<void>(once());
  std::stop_source stop;
  std::atomic<int> busy = 0;
  {
    std::vector<std::jthread> both;
    for (int at = 0; at < 2; ++at) {
      both.emplace_back([&] {
        const auto outcome = run(options(), stop.get_token());
        if (outcome.ok()) return;
        EXPECT_EQ(outcome.error().code(), ErrorCode::busy) << outcome.error().message();
        if (++busy == 2) stop.request_stop();
      });
    }
    for (int key = 1; key <= 100 && busy == 0; ++key) {
      insert(key);
      std::this_thread::sleep_for(50ms);
    }
    std::this_thread::sleep_for(500ms);
    stop.request_stop();
  }
  EXPECT_EQ(busy, 1);
  static_cast<void>(once());
  const std::vector<int> keys = stored_keys();
  for (std::size_t at = 0; at < keys.size(); ++at) EXPECT_EQ(keys[at], static_cast<int>(at) + 1);
}

TEST_F(CaptureTest, what_the_server_has_dropped_is_a_gap_with_its_cause) {
  HOLDFAST_START_SERVER(server, {.oplog_entries = 100});
  open(server->uri());
  const ClusterTime end = once().end.time;
  for (int round = 0; round < 6; ++round) {  // it trims its log now and then
    mongo::fill_with_numbers(*client_, {"shop", "many" + std::to_string(round)}, 500, 10);
    std::this_thread::sleep_for(200ms);
  }
  const CaptureOutcome outcome = once();
  ASSERT_THAT(outcome.gaps, SizeIs(1));
  EXPECT_EQ(outcome.gaps[0].since, end);
  const auto found = chains();
  ASSERT_THAT(found, SizeIs(2));
  ASSERT_TRUE(found[1].gap.has_value());
  EXPECT_EQ(found[1].gap->since, end);
  EXPECT_FALSE(found[1].gap->cause.empty());
}

TEST_F(CaptureTest, a_standalone_has_nothing_to_capture) {
  HOLDFAST_START_SERVER(server, {.standalone = true});
  open(server->uri());
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, run(options()));
}

}  // namespace
}  // namespace holdfast::changelog
