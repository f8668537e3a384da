#include "changelog/catalog_fold.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bson/extended_json.h"
#include "repository/repository_testing.h"

namespace holdfast::changelog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bson::Document json(std::string_view text) {
  auto document = bson::from_json(text);
  if (!document.ok()) ADD_FAILURE() << document.error().message();
  return std::move(document).value();
}

Uuid uuid(std::uint8_t number) {
  Uuid made{};
  made.back() = number;
  return made;
}

/// Folds hand-made events of the database "shop".
class CatalogFolding : public ::testing::Test {
 protected:
  CatalogFolding() {
    CollectionInfo users;
    users.ns = {"shop", "users"};
    users.uuid = uuid(1);
    users.indexes.push_back(json(R"({"v":2,"key":{"_id":1},"name":"_id_"})"));
    base_.push_back(users);
    start();
  }
  void start() {
    fold_ = std::make_unique<CatalogFold>(
        base_, [](std::string_view database) { return database == "shop"; });
  }

  Status apply(std::string_view operation, std::string_view collection, int number,
               std::string_view rest = "", std::string_view database = "shop") {
    const std::string text = fmt::format(
        R"({{"operationType":"{}","clusterTime":{{"$timestamp":{{"t":7,"i":3}}}},)"
        R"("ns":{{"db":"{}","coll":"{}"}},)"
        R"("collectionUUID":{{"$uuid":"00000000-0000-0000-0000-0000000000{:02x}"}}{}{}}})",
        operation, database, collection, number, rest.empty() ? "" : ",", rest);
    const bson::Document raw = json(text);
    HOLDFAST_TRY(const Event event, parse_event(raw.view()));
    return fold_->apply(event);
  }
  Status insert(std::string_view collection, int number) {
    return apply("insert", collection, number,
                 R"("documentKey":{"_id":1},"fullDocument":{"_id":1})");
  }
  Status rename(std::string_view from, int number, std::string_view to,
                std::string_view database = "shop") {
    return apply("rename", from, number,
                 fmt::format(R"("to":{{"db":"{}","coll":"{}"}})", database, to));
  }
  Status describe(std::string_view operation, std::string_view description) {
    return apply(operation, "users", 1, fmt::format(R"("operationDescription":{})", description));
  }

  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const CollectionInfo& info : fold_->catalog()) {
      all.push_back(fmt::format("{}:{}", info.ns.text(), info.uuid ? info.uuid->back() : 0));
    }
    return all;
  }
  /// Options and indexes of the only collection.
  std::string options() { return text(fold_->catalog().at(0).options); }
  std::vector<std::string> indexes() {
    std::vector<std::string> all;
    const CollectionInfo only = fold_->catalog().at(0);
    for (const auto& index : only.indexes) all.push_back(text(index));
    return all;
  }
  static std::string text(const bson::Document& document) {
    return bson::to_json(document.view(), bson::JsonMode::relaxed);
  }

  std::vector<CollectionInfo> base_;
  std::unique_ptr<CatalogFold> fold_;
};

constexpr std::string_view id_index = R"({"v":2,"key":{"_id":1},"name":"_id_"})";

TEST_F(CatalogFolding, creates_with_options_and_the_index_of_the_id) {
  HOLDFAST_EXPECT_OK(apply("create", "orders", 2,
                           R"("operationDescription":{"validator":{"n":1},"idIndex":{"v":2,)"
                           R"("key":{"_id":1},"name":"_id_"}})"));
  EXPECT_THAT(names(), ElementsAre("shop.orders:2", "shop.users:1"));
  EXPECT_EQ(options(), R"({"validator":{"n":1}})");
  EXPECT_THAT(indexes(), ElementsAre(id_index));
  EXPECT_THAT(fold_->born(), ElementsAre(uuid(2)));
}

TEST_F(CatalogFolding, gives_the_index_of_the_id_the_collation_of_its_collection) {
  HOLDFAST_EXPECT_OK(apply("create", "orders", 2,
                           R"("operationDescription":{"collation":{"locale":"en"},"idIndex":)"
                           R"({"v":2,"key":{"_id":1},"name":"_id_"}})"));
  EXPECT_THAT(indexes(), ElementsAre(R"({"v":2,"key":{"_id":1},"name":"_id_",)"
                                     R"("collation":{"locale":"en"}})"));
}

TEST_F(CatalogFolding, creates_views_without_indexes_and_identity) {
  HOLDFAST_EXPECT_OK(
      apply("create", "few", 2, R"("operationDescription":{"viewOn":"users","viewPipeline":[]})"));
  const CollectionInfo view = fold_->catalog().at(0);
  EXPECT_EQ(view.type, CollectionType::view);
  EXPECT_EQ(text(view.options), R"({"viewOn":"users","pipeline":[]})");
  EXPECT_THAT(view.indexes, IsEmpty());
  EXPECT_FALSE(view.uuid.has_value());
}

TEST_F(CatalogFolding, drops_and_tells_the_next_of_the_same_name_apart) {
  HOLDFAST_EXPECT_OK(apply("drop", "users", 1));
  EXPECT_THAT(names(), IsEmpty());
  HOLDFAST_EXPECT_OK(apply("create", "users", 2));
  EXPECT_THAT(names(), ElementsAre("shop.users:2"));
  HOLDFAST_EXPECT_OK(apply("dropDatabase", "", 0));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(CatalogFolding, follows_chains_of_renames) {
  HOLDFAST_EXPECT_OK(rename("users", 1, "people"));
  HOLDFAST_EXPECT_OK(apply("create", "users", 2));
  HOLDFAST_EXPECT_OK(rename("people", 1, "guests"));
  HOLDFAST_EXPECT_OK(rename("users", 2, "people"));
  EXPECT_THAT(names(), ElementsAre("shop.guests:1", "shop.people:2"));
  EXPECT_THAT(fold_->aliases(), IsEmpty());
}

TEST_F(CatalogFolding, a_rename_onto_a_name_replaces_what_had_it) {
  HOLDFAST_EXPECT_OK(apply("create", "next", 2));
  HOLDFAST_EXPECT_OK(rename("next", 2, "users"));
  EXPECT_THAT(names(), ElementsAre("shop.users:2"));
}

TEST_F(CatalogFolding, a_rename_out_of_scope_takes_the_collection_away) {
  HOLDFAST_EXPECT_OK(rename("users", 1, "users", "elsewhere"));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(CatalogFolding, takes_a_new_uuid_after_a_rename_for_the_same_collection) {
  HOLDFAST_EXPECT_OK(rename("users", 1, "people"));
  HOLDFAST_EXPECT_OK(insert("people", 9));
  EXPECT_THAT(names(), ElementsAre("shop.people:1"));
  ASSERT_EQ(fold_->aliases().size(), 1U);
  EXPECT_EQ(fold_->aliases().at(uuid(9)), uuid(1));
}

TEST_F(CatalogFolding, learns_of_a_collection_by_its_first_insert) {
  HOLDFAST_EXPECT_OK(insert("orders", 2));
  EXPECT_THAT(names(), ElementsAre("shop.orders:2", "shop.users:1"));
  EXPECT_THAT(fold_->born(), ElementsAre(uuid(2)));
}

TEST_F(CatalogFolding, learns_of_an_implicit_replacement_by_its_first_insert) {
  HOLDFAST_EXPECT_OK(insert("users", 1));
  HOLDFAST_EXPECT_OK(insert("users", 2));
  EXPECT_THAT(names(), ElementsAre("shop.users:2"));
}

TEST_F(CatalogFolding, builds_and_drops_indexes) {
  HOLDFAST_EXPECT_OK(describe("createIndexes",
                              R"({"indexes":[{"v":2,"key":{"n":1},"name":"n_1","sparse":true}]})"));
  HOLDFAST_EXPECT_OK(
      describe("createIndexes", R"({"indexes":[{"v":2,"key":{"m":1},"name":"m_1"}]})"));
  EXPECT_THAT(indexes(),
              ElementsAre(id_index, R"({"v":2,"key":{"n":1},"name":"n_1","sparse":true})",
                          R"({"v":2,"key":{"m":1},"name":"m_1"})"));
  HOLDFAST_EXPECT_OK(
      describe("dropIndexes", R"({"indexes":[{"v":2,"key":{"n":1},"name":"n_1"}]})"));
  EXPECT_THAT(indexes(), ElementsAre(id_index, R"({"v":2,"key":{"m":1},"name":"m_1"})"));
}

TEST_F(CatalogFolding, changes_indexes_by_name_or_key) {
  HOLDFAST_EXPECT_OK(
      describe("createIndexes",
               R"({"indexes":[{"v":2,"key":{"at":1},"name":"at_1","expireAfterSeconds":9}]})"));
  HOLDFAST_EXPECT_OK(describe("modify", R"({"index":{"name":"at_1","expireAfterSeconds":5}})"));
  EXPECT_EQ(indexes().at(1), R"({"v":2,"key":{"at":1},"name":"at_1","expireAfterSeconds":5})");
  HOLDFAST_EXPECT_OK(describe("modify", R"({"index":{"keyPattern":{"at":1},"hidden":true}})"));
  EXPECT_EQ(indexes().at(1),
            R"({"v":2,"key":{"at":1},"name":"at_1","expireAfterSeconds":5,"hidden":true})");
  HOLDFAST_EXPECT_OK(describe("modify", R"({"index":{"name":"at_1","hidden":false}})"));
  EXPECT_EQ(indexes().at(1), R"({"v":2,"key":{"at":1},"name":"at_1","expireAfterSeconds":5})");
}

TEST_F(CatalogFolding, leaves_out_what_an_index_has_only_inside_a_server) {
  HOLDFAST_EXPECT_OK(describe(
      "createIndexes", R"({"indexes":[{"v":2,"entryFormat":4,"numberKeys":2,"multikey":true,)"
                       R"("key":{"n":1},"name":"n_1"}]})"));
  EXPECT_EQ(indexes().at(1), R"({"v":2,"key":{"n":1},"name":"n_1"})");
}

TEST_F(CatalogFolding, changes_options_and_removes_a_validator) {
  HOLDFAST_EXPECT_OK(describe("modify", R"({"validator":{"n":1},"validationLevel":"moderate",)"
                                        R"("validationAction":"warn"})"));
  EXPECT_EQ(options(),
            R"({"validator":{"n":1},"validationLevel":"moderate","validationAction":"warn"})");
  HOLDFAST_EXPECT_OK(describe("modify", R"({"validator":{}})"));
  EXPECT_EQ(options(), R"({"validationLevel":"moderate","validationAction":"warn"})");
}

TEST_F(CatalogFolding, writes_down_the_defaults_that_a_change_of_validation_makes_explicit) {
  HOLDFAST_EXPECT_OK(describe("modify", R"({"validator":{"n":1}})"));
  EXPECT_EQ(options(),
            R"({"validator":{"n":1},"validationLevel":"strict","validationAction":"error"})");
}

TEST_F(CatalogFolding, changes_the_bounds_of_a_capped_collection) {
  HOLDFAST_EXPECT_OK(describe("modify", R"({"cappedSize":4096,"cappedMax":7})"));
  EXPECT_EQ(options(), R"({"size":4096,"max":7})");
}

TEST_F(CatalogFolding, says_what_it_cannot_know) {
  HOLDFAST_EXPECT_OK(describe("modify", "{}"));
  EXPECT_THAT(fold_->unclear(), ElementsAre(Namespace{"shop", "users"}));
  HOLDFAST_EXPECT_ERROR(ErrorCode::unsupported, describe("modify", R"({"unheardOf":1})"));
}

TEST_F(CatalogFolding, a_collection_that_is_gone_is_no_longer_unclear) {
  HOLDFAST_EXPECT_OK(describe("modify", "{}"));
  HOLDFAST_EXPECT_OK(rename("users", 1, "people"));
  EXPECT_THAT(fold_->unclear(), ElementsAre(Namespace{"shop", "people"}));
  HOLDFAST_EXPECT_OK(apply("drop", "people", 1));
  HOLDFAST_EXPECT_OK(apply("create", "users", 2));
  EXPECT_THAT(fold_->unclear(), IsEmpty());
}

TEST_F(CatalogFolding, refuses_what_does_not_fit) {
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, apply("create", "users", 2));
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, apply("drop", "nothing", 9));
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, rename("nothing", 9, "users"));
  HOLDFAST_EXPECT_ERROR(
      ErrorCode::corrupt,
      apply("modify", "nothing", 9, R"("operationDescription":{"validator":{"n":1}})"));
}

TEST_F(CatalogFolding, passes_over_other_databases) {
  HOLDFAST_EXPECT_OK(apply("drop", "nothing", 9, "", "elsewhere"));
  EXPECT_THAT(names(), ElementsAre("shop.users:1"));
}

}  // namespace
}  // namespace holdfast::changelog
