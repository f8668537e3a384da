// Snapshots that build on a parent: incrementals, comparing scans, audits.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "backup/backup_testing.h"
#include "changelog/log_chain.h"

namespace holdfast::backup {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Incremental : public LiveBackup {
 protected:
  /// Edits that touch a few documents of "b" and "a" in many ways.
  void edit() {
    command(R"({"insert":"b","documents":[{"_id":1000,"n":{"deep":[1,2,3]}},{"_id":1001}]})");
    command(R"({"update":"b","updates":[{"q":{"_id":3},"u":{"$set":{"x.y":1}}},
                {"q":{"_id":1000},"u":{"$push":{"n.deep":4},"$unset":{"gone":1}}},
                {"q":{"_id":5},"u":{"_id":5,"replaced":true}}]})");
    command(R"({"delete":"b","deletes":[{"q":{"_id":7},"limit":1}]})");
    command(R"({"update":"a","updates":[{"q":{"_id":17},"u":{"$inc":{"n":5}}}]})");
  }
};

TEST_F(Incremental, Core_stores_only_what_changed_and_reads_as_a_whole_one) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto full, back_up(of_shop()));
  edit();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
  EXPECT_EQ(outcome.summary.kind, repository::SnapshotKind::incremental);
  EXPECT_EQ(outcome.summary.parent, full.summary.id);
  EXPECT_THAT(outcome.findings, IsEmpty());
  EXPECT_LT(outcome.summary.stored_bytes * 5, full.summary.stored_bytes);
  expect_same_as_live(outcome);
  expect_whole();
}

TEST_F(Incremental, Core_goes_on_from_incrementals_and_keeps_their_events_as_log) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto full, back_up(of_shop()));
  std::string parent = full.summary.id;
  for (int i = 0; i < 3; ++i) {
    command(fmt::format(R"({{"insert":"b","documents":[{{"_id":"round {}"}}]}})", i));
    HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
    EXPECT_EQ(outcome.summary.parent, parent);
    parent = outcome.summary.id;
    expect_same_as_live(outcome);
  }
  HOLDFAST_ASSERT_OK(const auto chains,
                     changelog::read_log_chains(*repository_, full.summary.source.id));
  ASSERT_THAT(chains, SizeIs(1)) << "one log without a hole";
  EXPECT_EQ(chains[0].start().time, full.summary.consistency.time);
  expect_whole();
}

TEST_F(Incremental, Core_without_a_change_stores_nothing_but_its_manifest) {
  HOLDFAST_START_FILLED_SERVER();
  ASSERT_TRUE(back_up(of_shop()).ok());
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
  EXPECT_EQ(outcome.summary.stored_bytes, 0U);
  EXPECT_EQ(outcome.events, 0U);
  expect_same_as_live(outcome);
}

TEST_F(Incremental, Core_without_a_parent_is_a_full_one_and_says_so) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
  EXPECT_EQ(outcome.summary.kind, repository::SnapshotKind::full);
  ASSERT_THAT(outcome.warnings, SizeIs(1));
  EXPECT_THAT(outcome.warnings[0], HasSubstr("this is a full one"));
  expect_same_as_live(outcome);
}

TEST_F(Incremental, Core_follows_the_catalog) {
  HOLDFAST_START_FILLED_SERVER();
  command(R"({"create":"gone"})");
  command(R"({"create":"round","capped":true,"size":4096,"max":3})");
  ASSERT_TRUE(back_up(of_shop()).ok());
  edit();
  command(R"({"drop":"gone"})");
  admin(R"({"renameCollection":"shop.b","to":"shop.c"})");
  command(R"({"insert":"c","documents":[{"_id":"after the rename"}]})");
  command(R"({"insert":"b","documents":[{"_id":"another b"}]})");
  command(R"({"createIndexes":"c","indexes":[{"key":{"n":1},"name":"n_1"}]})");
  command(R"({"collMod":"a","validator":{"n":{"$gte":0}}})");
  for (int i = 0; i < 5; ++i) {
    command(fmt::format(R"({{"insert":"round","documents":[{{"_id":{}}}]}})", i));
  }
  command(R"({"create":"few","viewOn":"c","pipeline":[]})");
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
  EXPECT_EQ(outcome.summary.kind, repository::SnapshotKind::incremental);
  expect_same_as_live(outcome);
  expect_whole();
}

TEST_F(Incremental, of_a_standalone_compares_and_stores_only_differences) {
  HOLDFAST_START_SHOP({.standalone = true});
  mongo::fill_with_numbers(*client_, {"shop", "a"}, 4000, 300);
  mongo::fill_with_numbers(*client_, {"shop", "b"}, 50);
  HOLDFAST_ASSERT_OK(const auto full, back_up(of_shop()));
  edit();
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
  EXPECT_EQ(outcome.summary.consistency.kind, Consistency::Kind::best_effort);
  EXPECT_EQ(outcome.summary.parent, full.summary.id);
  EXPECT_LT(outcome.summary.stored_bytes * 3, full.summary.stored_bytes);
  const auto live = mongo::make_live_reader(*client_, {"shop"});
  HOLDFAST_ASSERT_OK(auto cursor, live->open({"shop", "b"}));
  HOLDFAST_ASSERT_OK(const auto wanted, mongo::read_all(*cursor));
  EXPECT_EQ(documents("b"), wanted);
  expect_whole();
}

TEST_F(Incremental, after_a_lost_log_compares_and_records_the_gap) {
  HOLDFAST_START_SHOP({.oplog_entries = 50});
  mongo::fill_with_numbers(*client_, {"shop", "b"}, 50);
  HOLDFAST_ASSERT_OK(const auto full, back_up(of_shop()));
  // The server looks now and then whether its log has grown too long.
  for (int round = 0; round < 6; ++round) {
    mongo::fill_with_numbers(*client_, {"shop", "many" + std::to_string(round)}, 500, 10);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
  ASSERT_TRUE(outcome.summary.lost_log.has_value());
  EXPECT_EQ(outcome.summary.lost_log->since, full.summary.consistency.time);
  EXPECT_FALSE(outcome.summary.lost_log->cause.empty());
  EXPECT_EQ(outcome.summary.parent, full.summary.id);
  expect_same_as_live(outcome);
  expect_whole();
}

TEST_F(Incremental, Core_a_full_backup_audits_its_parent_and_shares_what_is_equal) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto first, back_up(of_shop()));
  edit();
  HOLDFAST_ASSERT_OK(const auto second, back_up(of_shop()));
  EXPECT_EQ(second.summary.kind, repository::SnapshotKind::full);
  EXPECT_EQ(second.summary.parent, first.summary.id);
  EXPECT_TRUE(second.audited);
  EXPECT_THAT(second.findings, IsEmpty());
  EXPECT_LT(second.summary.stored_bytes * 5, first.summary.stored_bytes);
  expect_same_as_live(second);
  expect_whole();
}

TEST_F(Incremental, Core_an_independent_one_shares_nothing) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto first, back_up(of_shop()));
  BackupOptions options = of_shop();
  options.independent = true;
  HOLDFAST_ASSERT_OK(const auto second, back_up(options));
  EXPECT_EQ(second.summary.parent, "");
  EXPECT_GT(second.summary.stored_bytes * 2, first.summary.stored_bytes);
  HOLDFAST_ASSERT_OK(const auto old_manifest, repository_->manifest(first.summary.id));
  HOLDFAST_ASSERT_OK(const auto new_manifest, repository_->manifest(second.summary.id));
  for (const auto& file : new_manifest.files) {
    for (const auto& old : old_manifest.files) EXPECT_NE(file.name, old.name);
  }
  expect_same_as_live(second);
  HOLDFAST_ASSERT_OK(const auto chains,
                     changelog::read_log_chains(*repository_, first.summary.source.id));
  ASSERT_THAT(chains, SizeIs(1)) << "but the log goes on";
  EXPECT_EQ(chains[0].start().time, first.summary.consistency.time);
  EXPECT_EQ(chains[0].end().time, second.summary.consistency.time);
}

}  // namespace
}  // namespace holdfast::backup
