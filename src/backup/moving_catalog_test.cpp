// Collections that are created, dropped, renamed and altered while they are backed up.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backup/backup.h"
#include "base/progress.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"
#include "repository/repository_testing.h"

namespace holdfast::backup {
namespace {

/// Does something once, at the moment the scan reports its first documents.
class DuringScan final : public ProgressSink {
 public:
  explicit DuringScan(std::function<void()> action) : action_(std::move(action)) {}
  void stage(std::string_view name, std::uint64_t, std::uint64_t) override {
    scanning_ = name == "scan";
  }
  void advance(std::uint64_t, std::uint64_t) override {
    if (scanning_ && !done_.exchange(true)) action_();
  }
  void note(std::string_view) override {}

 private:
  std::function<void()> action_;
  std::atomic<bool> scanning_ = false;
  std::atomic<bool> done_ = false;
};

class MovingCatalog : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(place_.init().ok());
    HOLDFAST_ASSERT_OK(repository_, place_.open());
  }
  void command(const std::string& text) { mongo::run_text(*client_, "shop", text); }
  void admin(const std::string& text) { mongo::run_text(*client_, "admin", text); }

  /// Backs up one large collection "a" and whatever else is there, doing `action` in mid-scan.
  Result<BackupOutcome> back_up(const std::function<void()>& action) {
    DuringScan progress(action);
    BackupOptions options;
    options.databases = {"shop"};
    options.workers = 1;
    auto outcome = run_full_backup(*client_, *repository_, options, clock_, random_, progress, {});
    if (outcome.ok()) {
      HOLDFAST_TRY(reader_, repository_->open_snapshot(outcome->summary.id));
    }
    return outcome;
  }

  /// Every exact collection of the snapshot holds just what the quiet server holds now.
  void expect_same_as_live(const BackupOutcome& outcome) {
    EXPECT_EQ(outcome.summary.consistency.kind, Consistency::Kind::exact)
        << outcome.summary.consistency.reason;
    const auto live = mongo::make_live_reader(*client_, {"shop"});
    HOLDFAST_ASSERT_OK(auto there, live->catalog());
    HOLDFAST_ASSERT_OK(auto kept, reader_->catalog());
    std::vector<std::string> live_names;
    std::vector<std::string> kept_names;
    for (const auto& info : there) live_names.push_back(info.ns.text());
    for (const auto& info : kept) kept_names.push_back(info.ns.text());
    ASSERT_EQ(kept_names, live_names);
    for (std::size_t i = 0; i < there.size(); ++i) {
      EXPECT_EQ(kept[i].options, there[i].options) << there[i].ns.text();
      EXPECT_EQ(kept[i].indexes, there[i].indexes) << there[i].ns.text();
      HOLDFAST_ASSERT_OK(auto live_cursor, live->open(there[i].ns));
      HOLDFAST_ASSERT_OK(auto kept_cursor, reader_->open(there[i].ns));
      HOLDFAST_ASSERT_OK(const auto wanted, mongo::read_all(*live_cursor));
      HOLDFAST_ASSERT_OK(const auto found, mongo::read_all(*kept_cursor));
      EXPECT_TRUE(found == wanted) << there[i].ns.text() << ": " << found.size() << " documents, "
                                   << wanted.size() << " on the server";
    }
  }

  repository::testing::TestPlace place_;
  std::unique_ptr<repository::Repository> repository_;
  std::unique_ptr<mongo::TestServer> server_;  // ends after the client: it waits for clients
  std::unique_ptr<mongo::Client> client_;
  std::unique_ptr<repository::SnapshotReader> reader_;
  SystemClock clock_;
  SystemRandom random_;
};

#define HOLDFAST_START_FILLED_SERVER()                          \
  HOLDFAST_START_SERVER(server, {});                            \
  server_ = std::move(server);                                  \
  client_ = mongo::connect_to(server_->uri());                  \
  mongo::run_text(*client_, "shop", R"({"dropDatabase":1})");   \
  mongo::fill_with_numbers(*client_, {"shop", "a"}, 4000, 300); \
  mongo::fill_with_numbers(*client_, {"shop", "b"}, 50)

TEST_F(MovingCatalog, Core_a_collection_dropped_and_made_anew_holds_only_the_new) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up([&] {
                       command(R"({"drop":"b"})");
                       command(R"({"insert":"b","documents":[{"_id":"new"}]})");
                       command(R"({"drop":"a"})");
                       command(R"({"insert":"a","documents":[{"_id":"new"}]})");
                     }));
  expect_same_as_live(outcome);
  EXPECT_GT(outcome.rounds, 1U);
}

TEST_F(MovingCatalog, Core_a_rename_in_mid_scan_is_followed) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(
      const auto outcome, back_up([&] {
        admin(R"({"renameCollection":"shop.a","to":"shop.moved"})");
        command(R"({"insert":"moved","documents":[{"_id":"late"}]})");
        admin(R"({"renameCollection":"shop.b","to":"shop.a"})");
        command(R"({"update":"a","updates":[{"q":{"_id":3},"u":{"$set":{"n":-3}}}]})");
      }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, Core_a_rename_over_another_collection_replaces_it) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up([&] {
                       admin(R"({"renameCollection":"shop.b","to":"shop.a","dropTarget":true})");
                     }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, out_stage_over_a_collection_replaces_it) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up([&] {
                       command(R"({"aggregate":"b","cursor":{},"pipeline":)"
                               R"([{"$match":{"_id":{"$lt":7}}},{"$out":"a"}]})");
                     }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, Core_an_index_and_a_validator_made_in_mid_scan_are_kept) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up([&] {
                       command(R"({"createIndexes":"a","indexes":[{"key":{"n":1},"name":"n_1"}]})");
                       command(R"({"collMod":"b","validator":{"n":{"$gte":0}}})");
                     }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, Core_a_collection_born_in_the_window_is_whole) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(
      const auto outcome, back_up([&] {
        command(R"({"create":"born"})");
        command(R"({"insert":"born","documents":[{"_id":1,"x":1},{"_id":2,"x":1}]})");
        command(R"({"update":"born","updates":[{"q":{"_id":1},"u":{"$set":{"x":2}}}]})");
        command(R"({"delete":"born","deletes":[{"q":{"_id":2},"limit":1}]})");
      }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, a_capped_collection_that_grows_is_read_again) {
  HOLDFAST_START_FILLED_SERVER();
  command(R"({"create":"log","capped":true,"size":1000000})");
  command(R"({"insert":"log","documents":[{"_id":1},{"_id":2}]})");
  HOLDFAST_ASSERT_OK(const auto outcome,
                     back_up([&] { command(R"({"insert":"log","documents":[{"_id":3}]})"); }));
  expect_same_as_live(outcome);
}

}  // namespace
}  // namespace holdfast::backup
