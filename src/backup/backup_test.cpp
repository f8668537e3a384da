#include "backup/backup.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/progress.h"
#include "bson/extended_json.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"
#include "repository/repository_testing.h"

namespace holdfast::backup {
namespace {

/// A server, a repository in memory, and words for both.
class Backup : public ::testing::Test {
 protected:
  void run_command(const std::string& command, const std::string& database = "shop") {
    mongo::run_text(*client_, database, command);
  }
  void insert(const std::string& collection, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      run_command(
          fmt::format(R"({{"insert":"{}","documents":[{{"_id":{},"n":1}}]}})", collection, i));
    }
  }
  std::map<std::string, repository::SnapshotCollection> stored(const std::string& id) {
    auto manifest = repository_->manifest(id);
    if (!manifest.ok()) throw std::runtime_error(manifest.error().message());
    std::map<std::string, repository::SnapshotCollection> found;
    for (auto& collection : manifest->collections) {
      found.emplace(collection.info.ns.collection, collection);
    }
    return found;
  }
  std::vector<std::string> documents(const std::string& id, const std::string& collection) {
    auto reader = repository_->open_snapshot(id);
    if (!reader.ok()) throw std::runtime_error(reader.error().message());
    auto read = repository::testing::read_all(**reader, {"shop", collection});
    if (!read.ok()) throw std::runtime_error(read.error().message());
    std::vector<std::string> texts;
    for (const bson::Document& document : *read) {
      texts.push_back(bson::to_json(document.view(), bson::JsonMode::relaxed));
    }
    return texts;
  }
  Result<BackupOutcome> back_up(const BackupOptions& options) {
    return run_full_backup(*client_, *repository_, options, clock_, random_, progress_, {});
  }
  void SetUp() override {
    ASSERT_TRUE(place_.init().ok());
    HOLDFAST_ASSERT_OK(repository_, place_.open());
  }

  repository::testing::TestPlace place_;
  std::unique_ptr<repository::Repository> repository_;
  std::unique_ptr<mongo::TestServer> server_;  // ends after the client: it waits for clients
  std::unique_ptr<mongo::Client> client_;
  SystemClock clock_;
  SystemRandom random_;
  SilentProgress progress_;
};

#define HOLDFAST_START_BACKUP_SERVER(...)      \
  HOLDFAST_START_SERVER(server, __VA_ARGS__);  \
  server_ = std::move(server);                 \
  client_ = mongo::connect_to(server_->uri()); \
  run_command(R"({"dropDatabase":1})")

BackupOptions of_shop() {
  BackupOptions options;
  options.databases = {"shop"};
  return options;
}

TEST_F(Backup, Core_of_a_quiet_database_is_exact_and_whole) {
  HOLDFAST_START_BACKUP_SERVER({});
  insert("users", 1, 20);
  run_command(R"({"createIndexes":"users","indexes":[{"key":{"n":1},"name":"n_1"}]})");
  run_command(R"({"create":"empty"})");
  run_command(R"({"create":"few","viewOn":"users","pipeline":[{"$match":{"n":1}}]})");
  const auto outcome = back_up(of_shop());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->summary.consistency.kind, Consistency::Kind::exact);
  EXPECT_EQ(outcome->summary.documents, 20U);
  const auto found = stored(outcome->summary.id);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found.at("users").info.indexes.size(), 2U);
  EXPECT_EQ(found.at("few").info.type, CollectionType::view);
  EXPECT_EQ(documents(outcome->summary.id, "users").front(), R"({"_id":1,"n":1})");
}

TEST_F(Backup, Core_leaves_nothing_of_its_own_in_the_source) {
  HOLDFAST_START_BACKUP_SERVER({});
  insert("users", 1, 2);
  ASSERT_TRUE(back_up(of_shop()).ok());
  const auto listed = mongo::run_text(*client_, "shop", R"({"listCollections":1})");
  EXPECT_EQ(mongo::to_text(listed.view()).find("holdfast"), std::string::npos);
}

TEST_F(Backup, of_a_standalone_is_best_effort_and_says_why) {
  HOLDFAST_START_BACKUP_SERVER({.standalone = true});
  insert("users", 1, 3);
  const auto outcome = back_up(of_shop());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->summary.consistency.kind, Consistency::Kind::best_effort);
  EXPECT_NE(outcome->summary.consistency.reason.find("standalone"), std::string::npos);
  EXPECT_EQ(outcome->summary.documents, 3U);
}

TEST_F(Backup, of_chosen_collections_leaves_the_others_out) {
  HOLDFAST_START_BACKUP_SERVER({});
  insert("users", 1, 1);
  insert("orders", 1, 1);
  insert("orders_old", 1, 1);
  BackupOptions options = of_shop();
  options.collections = {"order*"};
  options.exclude = {"*_old"};
  const auto outcome = back_up(options);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_FALSE(outcome->summary.whole);
  const auto found = stored(outcome->summary.id);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found.contains("orders"));
}

TEST_F(Backup, refuses_a_glob_or_a_database_that_matches_nothing) {
  HOLDFAST_START_BACKUP_SERVER({});
  insert("users", 1, 1);
  BackupOptions options = of_shop();
  options.collections = {"userz"};
  auto outcome = back_up(options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::not_found);
  options = of_shop();
  options.databases = {"shopp"};
  outcome = back_up(options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::not_found);
}

TEST_F(Backup, keeps_odd_keys_of_mixed_types_in_order) {
  HOLDFAST_START_BACKUP_SERVER({});
  run_command(R"({"insert":"mixed","documents":[{"_id":{"$numberDouble":"NaN"}},{"_id":5},)"
              R"({"_id":"text"},{"_id":{"a":1}},{"_id":{"$oid":"6b0406918f8fb5de6b040691"}},)"
              R"({"_id":true},{"_id":{"$date":0}},{"_id":null},{"_id":{"$numberDouble":"0.5"}}]})");
  const auto outcome = back_up(of_shop());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(documents(outcome->summary.id, "mixed").size(), 9U);
}

TEST_F(Backup, sorts_a_collection_with_a_collation_by_itself) {
  HOLDFAST_START_BACKUP_SERVER({});
  run_command(R"({"create":"names","collation":{"locale":"en","strength":1}})");
  run_command(R"({"insert":"names","documents":[{"_id":"b"},{"_id":"A"},{"_id":"C"}]})");
  const auto outcome = back_up(of_shop());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  const std::vector<std::string> expected{R"({"_id":"A"})", R"({"_id":"C"})", R"({"_id":"b"})"};
  EXPECT_EQ(documents(outcome->summary.id, "names"), expected);
}

}  // namespace
}  // namespace holdfast::backup
