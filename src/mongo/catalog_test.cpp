#include "mongo/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::mongo {
namespace {

class Catalog : public testing::TestWithParam<ServerKind> {};

TEST_P(Catalog, lists_what_must_be_created_again) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  const auto run = [&client](const std::string& json) { run_text(*client, "shop", json); };
  run(R"({"create": "orders", "validator": {"n": {"$gt": 0}}, "validationLevel": "moderate"})");
  run(R"({"createIndexes": "orders", "indexes": [{"key": {"n": 1}, "name": "n_1", "unique": true},
      {"key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 60}]})");
  run(R"({"create": "cap", "capped": true, "size": 8192})");
  run(R"({"create": "clus", "clusteredIndex": {"key": {"_id": 1}, "unique": true}})");
  run(R"({"create": "coll", "collation": {"locale": "fa", "strength": 1}})");
  run(R"({"create": "view", "viewOn": "orders", "pipeline": [{"$match": {"n": 1}}]})");
  run(R"({"create": "weather", "timeseries": {"timeField": "t", "metaField": "m"}})");
  run(R"({"create": "holdfast.barrier"})");
  run(R"({"create": "a/b %سفارش"})");

  const auto catalog = read_catalog(*client, "shop");
  ASSERT_TRUE(catalog.ok()) << catalog.error().message();
  std::vector<std::string> names;
  for (const CollectionInfo& info : *catalog) names.push_back(info.ns.collection);
  EXPECT_EQ(names, (std::vector<std::string>{"a/b %سفارش", "cap", "clus", "coll", "orders", "view",
                                             "weather"}));
  const auto at = [&catalog](std::string_view name) -> const CollectionInfo& {
    return *std::find_if(catalog->begin(), catalog->end(),
                         [&](const auto& info) { return info.ns.collection == name; });
  };
  EXPECT_TRUE(at("cap").capped());
  EXPECT_TRUE(at("clus").clustered());
  EXPECT_TRUE(at("coll").collation().has_value());
  EXPECT_FALSE(at("orders").collation().has_value());
  EXPECT_EQ(at("view").type, CollectionType::view);
  EXPECT_FALSE(at("view").uuid.has_value());
  EXPECT_TRUE(at("view").indexes.empty());
  EXPECT_EQ(at("weather").type, CollectionType::timeseries);
  EXPECT_EQ(at("orders").indexes.size(), 3U);
  EXPECT_TRUE(at("orders").uuid.has_value());
  EXPECT_TRUE(at("orders").options.view().find("validator").has_value());

  const auto again = read_catalog_entry(*client, {"shop", "orders"});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->uuid, at("orders").uuid);
  EXPECT_EQ(again->options, at("orders").options);
  EXPECT_EQ(read_catalog_entry(*client, {"shop", "absent"}).error().code(), ErrorCode::not_found);
}

TEST_P(Catalog, lists_databases_and_counts) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, {"b", "c"}, 50);
  fill_with_numbers(*client, {"a", "c"}, 1);
  EXPECT_EQ(list_databases(*client).value(), (std::vector<std::string>{"a", "b"}));
  const auto statistics = read_statistics(*client, {"b", "c"});
  ASSERT_TRUE(statistics.ok());
  EXPECT_EQ(statistics->documents, 50U);
  EXPECT_GT(statistics->bytes, 50U * 100);
  EXPECT_EQ(read_statistics(*client, {"b", "absent"}).value().documents, 0U);
  run_text(*client, "b", R"({"create": "view", "viewOn": "c", "pipeline": []})");
  EXPECT_EQ(read_statistics(*client, {"b", "view"}).value().documents, 0U);
}

INSTANTIATE_TEST_SUITE_P(Servers, Catalog, testing::Values(ServerKind::any, ServerKind::python),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST(ReadCatalog, says_denied_without_the_privilege) {
  HOLDFAST_START_SERVER(server, {.auth = true});
  const auto root = connect_to(server->uri());
  run_text(*root, "shop", R"({"insert": "c", "documents": [{"_id": 1}]})");
  run_text(*root, "admin", R"({"createUser": "visitor", "pwd": "visitor-pass",
      "roles": [{"role": "read", "db": "elsewhere"}]})");
  const auto visitor = Client::connect(server->uri_as("visitor", "visitor-pass"));
  ASSERT_TRUE(visitor.ok()) << visitor.error().message();
  const auto catalog = read_catalog(**visitor, "shop");
  ASSERT_FALSE(catalog.ok());
  EXPECT_EQ(catalog.error().code(), ErrorCode::denied) << catalog.error().message();
  EXPECT_FALSE(catalog.error().hint().empty());
}

}  // namespace
}  // namespace holdfast::mongo
