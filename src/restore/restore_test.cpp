#include "restore/restore.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "mongo/catalog.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"
#include "repository/repository_testing.h"

namespace holdfast::restore {
namespace {

/// Restores snapshots that were written without a server into a real one.
class Restore : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(place_.init().ok());
    HOLDFAST_ASSERT_OK(repository_, place_.open());
    HOLDFAST_ASSERT_OK(const auto summary, repository::testing::write_snapshot(
                                               *repository_, {repository::testing::guests(300)}));
    HOLDFAST_ASSERT_OK(reader_, repository_->open_snapshot(summary.id));
  }
  void command(const std::string& text) { mongo::run_text(*client_, "shop", text); }

  Result<RestoreOutcome> restore(const RestoreOptions& options, const SafetySnapshot& safety = {}) {
    HOLDFAST_TRY(const RestorePlan plan, plan_restore(*reader_, *client_, options));
    return execute_restore(plan, *reader_, repository_->hasher(), *client_, safety, progress_, {});
  }
  std::uint64_t live_count(const std::string& database = "shop") {
    const auto reply = mongo::run_text(*client_, database, R"({"count":"guests","query":{}})");
    return static_cast<std::uint64_t>(reply.view().find_integral("n").value_or(-1));
  }

  repository::testing::TestPlace place_;
  std::unique_ptr<repository::Repository> repository_;
  std::unique_ptr<repository::SnapshotReader> reader_;
  std::unique_ptr<mongo::TestServer> server_;  // ends after the client: it waits for clients
  std::unique_ptr<mongo::Client> client_;
  SilentProgress progress_;
};

#define HOLDFAST_START_EMPTY_SERVER()          \
  HOLDFAST_START_SERVER(server, {});           \
  server_ = std::move(server);                 \
  client_ = mongo::connect_to(server_->uri()); \
  command(R"({"dropDatabase":1})");            \
  mongo::run_text(*client_, "copy", R"({"dropDatabase":1})")

TEST_F(Restore, Core_into_an_empty_server_is_identical) {
  HOLDFAST_START_EMPTY_SERVER();
  HOLDFAST_ASSERT_OK(const auto outcome, restore({}));
  EXPECT_TRUE(outcome.identical);
  EXPECT_EQ(outcome.documents, 300U);
  EXPECT_EQ(live_count(), 300U);
}

TEST_F(Restore, Core_under_another_name_leaves_the_source_alone) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":"mine"}]})");
  RestoreOptions options;
  options.as_database = "copy";
  HOLDFAST_ASSERT_OK(const auto outcome, restore(options));
  EXPECT_TRUE(outcome.identical);
  EXPECT_EQ(live_count("copy"), 300U);
  EXPECT_EQ(live_count(), 1U);
}

TEST_F(Restore, refuses_to_touch_what_exists_unless_told) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":"mine"}]})");
  const auto plan = plan_restore(*reader_, *client_, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code(), ErrorCode::precondition);
  EXPECT_NE(plan.error().message().find("shop.guests"), std::string::npos);
  EXPECT_EQ(live_count(), 1U);
}

TEST_F(Restore, with_drop_builds_beside_and_renames_over) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":"mine"}]})");
  RestoreOptions options;
  options.existing = Existing::drop;
  HOLDFAST_ASSERT_OK(const auto plan, plan_restore(*reader_, *client_, options));
  EXPECT_EQ(plan.collections.front().action, "replace beside and rename over");
  HOLDFAST_ASSERT_OK(const auto outcome, restore(options));
  EXPECT_TRUE(outcome.identical);
  EXPECT_EQ(live_count(), 300U);
  HOLDFAST_ASSERT_OK(const auto catalog, mongo::read_catalog(*client_, "shop"));
  EXPECT_EQ(catalog.size(), 1U) << "something was left beside";
}

TEST_F(Restore, in_place_takes_the_safety_snapshot_before_it_drops) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":"mine"}]})");
  RestoreOptions options;
  options.existing = Existing::drop;
  options.in_place = true;
  std::uint64_t seen = 0;
  const auto outcome = restore(options, [&](const auto& namespaces) -> Result<std::string> {
    EXPECT_EQ(namespaces, (std::vector<Namespace>{{"shop", "guests"}}));
    seen = live_count();
    return std::string("0123456789abcdef");
  });
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(seen, 1U);
  EXPECT_EQ(live_count(), 300U);
}

TEST_F(Restore, in_place_drops_nothing_when_the_safety_snapshot_fails) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":"mine"}]})");
  RestoreOptions options;
  options.existing = Existing::drop;
  options.in_place = true;
  const auto outcome = restore(options, [](const auto&) -> Result<std::string> {
    return Error(ErrorCode::no_space, "the disk is full");
  });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::no_space);
  EXPECT_EQ(live_count(), 1U);
}

TEST_F(Restore, in_place_drops_nothing_when_the_backup_is_damaged) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":"mine"}]})");
  for (const std::string& name : place_.blobs->names()) {
    if (name.find("/segments/") != std::string::npos) place_.blobs->flip_bit(name, 200);
  }
  RestoreOptions options;
  options.existing = Existing::drop;
  options.in_place = true;
  const auto outcome = restore(options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::corrupt);
  EXPECT_EQ(live_count(), 1U);
}

TEST_F(Restore, keeps_what_must_go_before_its_successor_is_complete) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"create":"other"})");
  command(R"({"create":"guests","viewOn":"other","pipeline":[]})");
  RestoreOptions options;
  options.existing = Existing::drop;  // not in place
  std::vector<std::string> kept;
  const SafetySnapshot safety =
      [&](const std::vector<Namespace>& namespaces) -> Result<std::string> {
    for (const Namespace& ns : namespaces) kept.push_back(ns.text());
    return std::string("0123456789abcdef");
  };
  HOLDFAST_ASSERT_OK(const auto plan, plan_restore(*reader_, *client_, options));
  EXPECT_EQ(plan.collections.front().action, "drop and create");
  HOLDFAST_ASSERT_OK(const auto outcome, execute_restore(plan, *reader_, repository_->hasher(),
                                                         *client_, safety, progress_, {}));
  EXPECT_TRUE(outcome.identical);
  EXPECT_EQ(kept, std::vector<std::string>{"shop.guests"});
  EXPECT_EQ(live_count(), 300U);
}

TEST_F(Restore, merges_only_into_what_is_of_the_same_kind) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"create":"other"})");
  command(R"({"create":"guests","viewOn":"other","pipeline":[]})");
  RestoreOptions options;
  options.existing = Existing::merge;
  const auto plan = plan_restore(*reader_, *client_, options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code(), ErrorCode::precondition);
}

TEST_F(Restore, names_every_document_that_merging_refuses) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":7,"mine":true}]})");
  RestoreOptions options;
  options.existing = Existing::merge;
  HOLDFAST_ASSERT_OK(const auto outcome, restore(options));
  EXPECT_FALSE(outcome.identical);
  EXPECT_EQ(outcome.collections.front().refused_count, 1U);
  ASSERT_EQ(outcome.collections.front().refused.size(), 1U);
  EXPECT_NE(outcome.collections.front().refused.front().find("7"), std::string::npos);
  EXPECT_EQ(live_count(), 300U);
}

TEST_F(Restore, merging_keeps_or_replaces_as_told) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":7,"mine":true}]})");
  RestoreOptions options;
  options.existing = Existing::merge;
  options.on_conflict = OnConflict::keep;
  HOLDFAST_ASSERT_OK(const auto kept, restore(options));
  EXPECT_EQ(kept.collections.front().refused_count, 0U);
  EXPECT_EQ(kept.collections.front().kept_different, 1U);
  EXPECT_TRUE(kept.collections.front().differences.empty());
  EXPECT_FALSE(kept.identical) << "the document that was kept is another one";
  const auto find = R"({"count":"guests","query":{"mine":true}})";
  EXPECT_EQ(mongo::run_text(*client_, "shop", find).view().find_integral("n"), 1);

  options.on_conflict = OnConflict::replace;
  HOLDFAST_ASSERT_OK(const auto replaced, restore(options));
  EXPECT_TRUE(replaced.identical);
  EXPECT_EQ(mongo::run_text(*client_, "shop", find).view().find_integral("n"), 0);
}

TEST_F(Restore, leaves_the_old_collection_when_the_new_one_is_not_complete) {
  HOLDFAST_START_EMPTY_SERVER();
  command(R"({"insert":"guests","documents":[{"_id":"mine"}]})");
  RestoreOptions options;
  options.existing = Existing::drop;
  HOLDFAST_ASSERT_OK(const auto plan, plan_restore(*reader_, *client_, options));
  for (const std::string& name : place_.blobs->names()) {
    if (name.find("/segments/") != std::string::npos) place_.blobs->flip_bit(name, 200);
  }
  const auto outcome =
      execute_restore(plan, *reader_, repository_->hasher(), *client_, {}, progress_, {});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::corrupt);
  EXPECT_EQ(live_count(), 1U);
}

TEST_F(Restore, refuses_a_name_that_no_server_takes_before_anything_is_written) {
  HOLDFAST_START_EMPTY_SERVER();
  repository::testing::CollectionPlan longest = repository::testing::guests(1);
  longest.ns.collection = std::string(250, 'x');
  HOLDFAST_ASSERT_OK(const auto summary,
                     repository::testing::write_snapshot(*repository_, {longest}));
  HOLDFAST_ASSERT_OK(const auto reader, repository_->open_snapshot(summary.id));
  ASSERT_TRUE(plan_restore(*reader, *client_, {}).ok());
  RestoreOptions options;
  options.as_database = "longer";
  const auto plan = plan_restore(*reader, *client_, options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code(), ErrorCode::usage);
}

TEST_F(Restore, refuses_globs_that_match_nothing) {
  HOLDFAST_START_EMPTY_SERVER();
  RestoreOptions options;
  options.collections = {"gests"};
  const auto plan = plan_restore(*reader_, *client_, options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace holdfast::restore
