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

#include "backup/backup_testing.h"
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

class MovingCatalog : public LiveBackup {
 protected:
  /// Backs up one large collection "a" and whatever else is there, doing `action` in mid-scan.
  Result<BackupOutcome> back_up_while(const std::function<void()>& action) {
    DuringScan progress(action);
    BackupOptions options = of_shop();
    options.workers = 1;
    return back_up(options, progress);
  }
};

TEST_F(MovingCatalog, Core_a_collection_dropped_and_made_anew_holds_only_the_new) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up_while([&] {
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
      const auto outcome, back_up_while([&] {
        admin(R"({"renameCollection":"shop.a","to":"shop.moved"})");
        command(R"({"insert":"moved","documents":[{"_id":"late"}]})");
        admin(R"({"renameCollection":"shop.b","to":"shop.a"})");
        command(R"({"update":"a","updates":[{"q":{"_id":3},"u":{"$set":{"n":-3}}}]})");
      }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, Core_a_rename_over_another_collection_replaces_it) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up_while([&] {
                       admin(R"({"renameCollection":"shop.b","to":"shop.a","dropTarget":true})");
                     }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, out_stage_over_a_collection_replaces_it) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up_while([&] {
                       command(R"({"aggregate":"b","cursor":{},"pipeline":)"
                               R"([{"$match":{"_id":{"$lt":7}}},{"$out":"a"}]})");
                     }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, Core_an_index_and_a_validator_made_in_mid_scan_are_kept) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up_while([&] {
                       command(R"({"createIndexes":"a","indexes":[{"key":{"n":1},"name":"n_1"}]})");
                       command(R"({"collMod":"b","validator":{"n":{"$gte":0}}})");
                     }));
  expect_same_as_live(outcome);
}

TEST_F(MovingCatalog, Core_a_collection_born_in_the_window_is_whole) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(
      const auto outcome, back_up_while([&] {
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
  HOLDFAST_ASSERT_OK(const auto outcome, back_up_while([&] {
                       command(R"({"insert":"log","documents":[{"_id":3}]})");
                     }));
  expect_same_as_live(outcome);
}

}  // namespace
}  // namespace holdfast::backup
