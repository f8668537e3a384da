#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "backup/backup_testing.h"
#include "base/progress.h"
#include "bson/extended_json.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"
#include "repository/repository_testing.h"

namespace holdfast::backup {
namespace {

class Backup : public LiveBackup {
 protected:
  void insert(const std::string& collection, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      command(fmt::format(R"({{"insert":"{}","documents":[{{"_id":{},"n":1}}]}})", collection, i));
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
  std::vector<std::string> texts(const std::string& collection) {
    std::vector<std::string> all;
    for (const bson::Document& document : documents(collection)) {
      all.push_back(bson::to_json(document.view(), bson::JsonMode::relaxed));
    }
    return all;
  }
};

TEST_F(Backup, Core_of_a_quiet_database_is_exact_and_whole) {
  HOLDFAST_START_SHOP({});
  insert("users", 1, 20);
  command(R"({"createIndexes":"users","indexes":[{"key":{"n":1},"name":"n_1"}]})");
  command(R"({"create":"empty"})");
  command(R"({"create":"few","viewOn":"users","pipeline":[{"$match":{"n":1}}]})");
  const auto outcome = back_up(of_shop());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->summary.consistency.kind, Consistency::Kind::exact);
  EXPECT_EQ(outcome->summary.documents, 20U);
  const auto found = stored(outcome->summary.id);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found.at("users").info.indexes.size(), 2U);
  EXPECT_EQ(found.at("few").info.type, CollectionType::view);
  EXPECT_EQ(texts("users").front(), R"({"_id":1,"n":1})");
}

TEST_F(Backup, Core_leaves_nothing_of_its_own_in_the_source) {
  HOLDFAST_START_SHOP({});
  insert("users", 1, 2);
  ASSERT_TRUE(back_up(of_shop()).ok());
  const auto listed = mongo::run_text(*client_, "shop", R"({"listCollections":1})");
  EXPECT_EQ(mongo::to_text(listed.view()).find("holdfast"), std::string::npos);
}

TEST_F(Backup, of_a_standalone_is_best_effort_and_says_why) {
  HOLDFAST_START_SHOP({.standalone = true});
  insert("users", 1, 3);
  const auto outcome = back_up(of_shop());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->summary.consistency.kind, Consistency::Kind::best_effort);
  EXPECT_NE(outcome->summary.consistency.reason.find("standalone"), std::string::npos);
  EXPECT_EQ(outcome->summary.documents, 3U);
}

TEST_F(Backup, of_chosen_collections_leaves_the_others_out) {
  HOLDFAST_START_SHOP({});
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
  HOLDFAST_START_SHOP({});
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
  HOLDFAST_START_SHOP({});
  command(R"({"insert":"mixed","documents":[{"_id":{"$numberDouble":"NaN"}},{"_id":5},)"
          R"({"_id":"text"},{"_id":{"a":1}},{"_id":{"$oid":"6b0406918f8fb5de6b040691"}},)"
          R"({"_id":true},{"_id":{"$date":0}},{"_id":null},{"_id":{"$numberDouble":"0.5"}}]})");
  const auto outcome = back_up(of_shop());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(texts("mixed").size(), 9U);
}

TEST_F(Backup, sorts_a_collection_with_a_collation_by_itself) {
  HOLDFAST_START_SHOP({});
  command(R"({"create":"names","collation":{"locale":"en","strength":1}})");
  command(R"({"insert":"names","documents":[{"_id":"b"},{"_id":"A"},{"_id":"C"}]})");
  const auto outcome = back_up(of_shop());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  const std::vector<std::string> expected{R"({"_id":"A"})", R"({"_id":"C"})", R"({"_id":"b"})"};
  EXPECT_EQ(texts("names"), expected);
}

}  // namespace
}  // namespace holdfast::backup
