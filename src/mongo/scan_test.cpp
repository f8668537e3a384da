#include "mongo/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "bson/builder.h"
#include "bson/order.h"
#include "mongo/catalog.h"
#include "mongo/cut_proxy_testing.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::mongo {
namespace {

const Namespace numbers{"d", "numbers"};

CollectionInfo entry(Client& client, const Namespace& ns) {
  auto info = read_catalog_entry(client, ns);
  if (!info.ok()) throw std::runtime_error(info.error().message());
  return std::move(info).value();
}

/// The scan's documents are {_id: 0 … count-1} in order, each once.
void expect_numbers(const std::vector<bson::Document>& documents, int count) {
  ASSERT_EQ(documents.size(), static_cast<std::size_t>(count));
  for (int number = 0; number < count; ++number) {
    ASSERT_EQ(documents[static_cast<std::size_t>(number)].view().find_integral("_id"), number);
  }
}

TEST(Scan, Core_reads_everything_in_key_order_not_before_the_window) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, numbers, 20'000);
  const ClusterTime start = newest_time(*client);
  const auto scan = open_scan(*client, entry(*client, numbers), {}, {.not_before = start});
  ASSERT_TRUE(scan.ok()) << scan.error().message();
  const auto documents = read_all(**scan);
  ASSERT_TRUE(documents.ok()) << documents.error().message();
  expect_numbers(*documents, 20'000);
  EXPECT_GE((*scan)->operation_time(), start);
  EXPECT_FALSE((*scan)->next().value().has_value()) << "the end is the end";
}

TEST(Scan, reads_a_standalone) {
  HOLDFAST_START_SERVER(server, {.standalone = true});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, numbers, 3000);
  const auto scan = open_scan(*client, entry(*client, numbers), {}, {});
  ASSERT_TRUE(scan.ok()) << scan.error().message();
  expect_numbers(read_all(**scan).value(), 3000);
}

TEST(Scan, reads_the_python_server) {
  HOLDFAST_START_SERVER(server, {.kind = ServerKind::python});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, numbers, 3000);
  const auto scan = open_scan(*client, entry(*client, numbers), {},
                              {.not_before = newest_time(*client), .batch_size = 500});
  ASSERT_TRUE(scan.ok()) << scan.error().message();
  expect_numbers(read_all(**scan).value(), 3000);
}

TEST(Scan, Core_resumes_behind_the_last_key_when_connections_are_cut) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "no port known";
  const auto direct = connect_to(server->uri());
  fill_with_numbers(*direct, numbers, 20'000, 400);
  const auto proxy = CutProxy::start(server->port()).value();
  const auto client = connect_to(server->uri_through(proxy->port()));
  const auto scan = open_scan(*client, entry(*client, numbers), {},
                              {.not_before = newest_time(*client), .batch_size = 700});
  ASSERT_TRUE(scan.ok()) << scan.error().message();
  std::vector<bson::Document> documents;
  for (;;) {
    const auto next = (*scan)->next();
    ASSERT_TRUE(next.ok()) << next.error().message();
    if (!*next) break;
    documents.emplace_back(**next);
    if (documents.size() % 3000 == 0) {
      // In the midst of the next reply, and now and then all at once.
      if (documents.size() % 6000 == 0) proxy->cut();
      proxy->cut_after_from_server(150'000);
    }
  }
  expect_numbers(documents, 20'000);
  EXPECT_GE(proxy->cuts(), 6U);
}

TEST(Scan, Core_goes_on_after_a_server_restart) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "not ours to restart";
  const auto client = connect_to(server->uri() + "&serverSelectionTimeoutMS=1000");
  fill_with_numbers(*client, numbers, 5000);
  const auto scan = open_scan(*client, entry(*client, numbers), {}, {.batch_size = 1000});
  ASSERT_TRUE(scan.ok());
  std::vector<bson::Document> documents;
  std::jthread restarts;
  for (;;) {
    const auto next = (*scan)->next();
    ASSERT_TRUE(next.ok()) << next.error().message();
    if (!*next) break;
    documents.emplace_back(**next);
    if (documents.size() == 2000) {
      server->stop();
      restarts = std::jthread([&server] {
        std::this_thread::sleep_for(std::chrono::seconds(3));
        (void)server->restart();
      });
    }
  }
  expect_numbers(documents, 5000);
}

TEST(Scan, reads_every_kind_of_key_and_resumes_at_each) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "no port known";
  const auto direct = connect_to(server->uri());
  const std::vector<std::string> ids = {R"({"$minKey": 1})",
                                        "null",
                                        R"({"$numberDouble": "NaN"})",
                                        R"({"$numberDouble": "-Infinity"})",
                                        "-3",
                                        "1",
                                        "2.5",
                                        R"({"$numberDecimal": "3.7"})",
                                        R"({"$numberLong": "1099511627776"})",
                                        R"({"$numberDouble": "Infinity"})",
                                        R"("")",
                                        R"("s")",
                                        R"("سلام")",
                                        "{}",
                                        R"({"a": 1})",
                                        R"({"$binary": {"base64": "YWJj", "subType": "00"}})",
                                        R"({"$uuid": "78787878-7878-7878-7878-787878787878"})",
                                        R"({"$oid": "6b040806da7666962e58f4b0"})",
                                        "false",
                                        "true",
                                        R"({"$date": "2026-01-01T00:00:00Z"})",
                                        R"({"$timestamp": {"t": 0, "i": 0}})",
                                        R"({"$timestamp": {"t": 5, "i": 5}})",
                                        R"({"$maxKey": 1})"};
  // The wrong way round: order is the index's work.
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    run_text(*direct, "d", R"({"insert": "kinds", "documents": [{"_id": )" + *id + "}]}");
  }
  const auto proxy = CutProxy::start(server->port()).value();
  const auto client = connect_to(server->uri_through(proxy->port()));
  const CollectionInfo info = entry(*client, {"d", "kinds"});
  for (std::size_t cut_at = 1; cut_at <= ids.size(); ++cut_at) {
    const auto scan = open_scan(*client, info, {}, {.batch_size = 1});
    ASSERT_TRUE(scan.ok());
    std::vector<bson::Document> documents;
    for (;;) {
      if (documents.size() == cut_at) proxy->cut();
      const auto next = (*scan)->next();
      ASSERT_TRUE(next.ok()) << next.error().message();
      if (!*next) break;
      documents.emplace_back(**next);
    }
    ASSERT_EQ(documents.size(), ids.size()) << "cut at " << cut_at;
    for (std::size_t at = 1; at < documents.size(); ++at) {
      EXPECT_TRUE(
          bson::less(*documents[at - 1].view().find("_id"), *documents[at].view().find("_id")))
          << to_text(documents[at].view());
    }
  }
}

class GoneInMidScan : public testing::TestWithParam<std::pair<ServerKind, std::string>> {};

TEST_P(GoneInMidScan, is_a_precondition) {
  const auto [kind, what] = GetParam();
  HOLDFAST_START_SERVER(server, {.kind = kind});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, numbers, 3000);
  const auto scan = open_scan(*client, entry(*client, numbers), {}, {.batch_size = 100});
  ASSERT_TRUE(scan.ok());
  ASSERT_TRUE((*scan)->next().ok());
  if (what == "drop") run_text(*client, "d", R"({"drop": "numbers"})");
  if (what == "rename") {
    run_text(*client, "admin", R"({"renameCollection": "d.numbers", "to": "d.elsewhere"})");
  }
  if (what == "replace") {
    fill_with_numbers(*client, {"d", "new"}, 10);
    run_text(*client, "admin",
             R"({"renameCollection": "d.new", "to": "d.numbers", "dropTarget": true})");
  }
  const auto rest = read_all(**scan);
  ASSERT_FALSE(rest.ok());
  EXPECT_EQ(rest.error().code(), ErrorCode::precondition) << rest.error().message();
  EXPECT_FALSE((*scan)->next().value().has_value()) << "after an error the cursor is finished";
}

INSTANTIATE_TEST_SUITE_P(
    Servers, GoneInMidScan,
    testing::Values(std::pair(ServerKind::any, "drop"), std::pair(ServerKind::any, "rename"),
                    std::pair(ServerKind::any, "replace"), std::pair(ServerKind::python, "drop"),
                    std::pair(ServerKind::python, "rename")),
    [](const auto& tested) {
      return std::string(name_of(tested.param.first)) + "_" + tested.param.second;
    });

TEST(Scan, refuses_a_collection_that_is_another_one_by_now) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, numbers, 10);
  const CollectionInfo before = entry(*client, numbers);
  run_text(*client, "d", R"({"drop": "numbers"})");
  EXPECT_EQ(open_scan(*client, before, {}, {}).error().code(), ErrorCode::precondition);
  fill_with_numbers(*client, numbers, 10);
  EXPECT_EQ(open_scan(*client, before, {}, {}).error().code(), ErrorCode::precondition);
}

TEST(Scan, reads_a_capped_collection_in_its_own_order) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  run_text(*client, "d", R"({"create": "cap", "capped": true, "size": 100000})");
  for (const int id : {5, 3, 9, 1}) {
    run_text(*client, "d",
             R"({"insert": "cap", "documents": [{"_id": )" + std::to_string(id) + "}]}");
  }
  const auto scan = open_scan(*client, entry(*client, {"d", "cap"}), {}, {});
  ASSERT_TRUE(scan.ok());
  std::vector<std::int64_t> ids;
  const auto documents = read_all(**scan).value();
  for (const bson::Document& document : documents) {
    ids.push_back(document.view().find_integral("_id").value_or(-1));
  }
  EXPECT_EQ(ids, (std::vector<std::int64_t>{5, 3, 9, 1}));
}

TEST(Scan, asks_to_start_over_when_a_natural_scan_is_cut) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "no port known";
  const auto direct = connect_to(server->uri());
  run_text(*direct, "d", R"({"create": "numbers", "capped": true, "size": 10000000})");
  fill_with_numbers(*direct, numbers, 3000);
  const auto proxy = CutProxy::start(server->port()).value();
  const auto client = connect_to(server->uri_through(proxy->port()));
  const auto scan = open_scan(*client, entry(*client, numbers), {}, {.batch_size = 100});
  ASSERT_TRUE(scan.ok());
  ASSERT_TRUE((*scan)->next().ok());
  proxy->cut_after_from_server(2000);  // in the midst of a reply
  const auto rest = read_all(**scan);
  ASSERT_FALSE(rest.ok());
  EXPECT_EQ(rest.error().code(), ErrorCode::retry) << rest.error().message();
}

TEST(Scan, reads_clustered_collated_and_timeseries_collections) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  run_text(*client, "d",
           R"({"create": "clus", "clusteredIndex": {"key": {"_id": 1}, "unique": true}})");
  fill_with_numbers(*client, {"d", "clus"}, 2000);
  auto scan = open_scan(*client, entry(*client, {"d", "clus"}), {}, {.batch_size = 100});
  ASSERT_TRUE(scan.ok());
  expect_numbers(read_all(**scan).value(), 2000);

  run_text(*client, "d", R"({"create": "coll", "collation": {"locale": "en", "strength": 2}})");
  run_text(*client, "d", R"({"insert": "coll", "documents":
      [{"_id": "b"}, {"_id": "A"}, {"_id": "Z"}, {"_id": "a1"}]})");
  scan = open_scan(*client, entry(*client, {"d", "coll"}), {}, {.batch_size = 1});
  ASSERT_TRUE(scan.ok());
  EXPECT_EQ(read_all(**scan).value().size(), 4U);

  run_text(*client, "d", R"({"create": "ts", "timeseries": {"timeField": "t", "metaField": "m"}})");
  run_text(*client, "d", R"({"insert": "ts", "documents": [
      {"t": {"$date": "2026-01-01T00:00:00Z"}, "m": 1},
      {"t": {"$date": "2026-01-01T00:00:01Z"}, "m": 2}]})");
  scan = open_scan(*client, entry(*client, {"d", "ts"}), {}, {});
  ASSERT_TRUE(scan.ok()) << scan.error().message();
  EXPECT_EQ(read_all(**scan).value().size(), 2U);
}

TEST(ReadById, finds_keys_of_all_kinds_and_passes_over_absent_ones) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, numbers, 5000);
  run_text(*client, "d", R"({"insert": "numbers", "documents": [{"_id": {"a": 1}}, {"_id": null},
      {"_id": "x"}, {"_id": {"$minKey": 1}}]})");
  std::vector<bson::Value> ids;
  const bson::Document wanted = from_text(
      R"({"a": {"a": 1}, "b": null, "c": "x", "d": {"$minKey": 1}, "e": "absent", "f": {"a": 2}})");
  for (const bson::Element& element : wanted.view()) ids.emplace_back(element.value);
  for (int number = 0; number < 2500; ++number) {
    bson::Builder one;
    one.append_int32("", number);
    const bson::Document holder = std::move(one).finish();
    ids.emplace_back(holder.view().begin()->value);
  }
  ClusterTime time;
  const auto found =
      read_by_id(*client, entry(*client, numbers), ids, {.not_before = newest_time(*client)}, time);
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(found->size(), 2504U);
  EXPECT_FALSE(time.is_null());
}

TEST(LiveReader, is_the_server_as_a_dataset) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, numbers, 100);
  fill_with_numbers(*client, {"e", "more"}, 7);
  const auto reader = make_live_reader(*client, {});
  const auto catalog = reader->catalog();
  ASSERT_TRUE(catalog.ok()) << catalog.error().message();
  ASSERT_EQ(catalog->size(), 2U);
  EXPECT_EQ((*catalog)[0].ns, numbers);
  const auto cursor = reader->open({"e", "more"});
  ASSERT_TRUE(cursor.ok()) << cursor.error().message();
  expect_numbers(read_all(**cursor).value(), 7);
  EXPECT_EQ(reader->open({"e", "absent"}).error().code(), ErrorCode::not_found);
  EXPECT_EQ(make_live_reader(*client, {"e"})->catalog().value().size(), 1U);
}

}  // namespace
}  // namespace holdfast::mongo
