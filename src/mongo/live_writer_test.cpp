#include "mongo/live_writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "bson/builder.h"
#include "mongo/catalog.h"
#include "mongo/catalog_internal.h"
#include "mongo/cut_proxy_testing.h"
#include "mongo/insert_batch_internal.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::mongo {
namespace {

const Namespace target{"d", "target"};

std::vector<bson::DocumentView> views_of(const std::vector<bson::Document>& documents) {
  std::vector<bson::DocumentView> views;
  for (const bson::Document& document : documents) views.push_back(document.view());
  return views;
}

std::vector<bson::Document> stored(Client& client, const Namespace& ns) {
  const auto scan = open_scan(client, read_catalog_entry(client, ns).value(), {}, {});
  if (!scan.ok()) throw std::runtime_error(scan.error().message());
  return read_all(**scan).value();
}

std::vector<bson::Document> numbered(int count, std::size_t bytes) {
  std::vector<bson::Document> documents;
  for (int number = 0; number < count; ++number) {
    bson::Builder builder;
    builder.append_int32("_id", number).append_string("pad", std::string(bytes, 'p'));
    documents.push_back(std::move(builder).finish());
  }
  return documents;
}

/// Servers keep repeated names; the Python one keeps the last.
bson::Document with_a_name_twice(bool twice) {
  bson::Builder builder;
  builder.append_int32("_id", 2).append_int32("a", 1);
  if (twice) builder.append_int32("a", 2);
  builder.append_int32("", 3).append_int32("a.b", 4).append_null("a.b.c");
  return std::move(builder).finish();
}

class Writer : public testing::TestWithParam<ServerKind> {};

TEST_P(Writer, copies_a_catalog_faithfully) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  const auto run = [&client](const std::string& json) { run_text(*client, "from", json); };
  run(R"({"create": "orders", "validator": {"n": {"$gt": 0}}, "validationAction": "warn"})");
  run(R"({"createIndexes": "orders", "indexes": [{"key": {"n": 1}, "name": "n_1", "unique": true},
      {"key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 60, "sparse": true}]})");
  run(R"({"create": "cap", "capped": true, "size": 8192, "max": 10})");
  run(R"({"create": "clus", "clusteredIndex": {"key": {"_id": 1}, "unique": true}})");
  run(R"({"create": "coll", "collation": {"locale": "en", "strength": 2}})");
  run(R"({"createIndexes": "coll", "indexes": [{"key": {"a": 1}, "name": "a_1"},
      {"key": {"b": 1}, "name": "b_simple", "collation": {"locale": "simple"}}]})");
  run(R"({"create": "view", "viewOn": "orders", "pipeline": [{"$match": {"n": 1}}]})");
  run(R"({"create": "weather", "timeseries": {"timeField": "t", "metaField": "m"}})");

  const auto source = read_catalog(*client, "from").value();
  const auto writer = make_live_writer(*client);
  for (CollectionInfo info : source) {
    info.ns.database = "to";
    const Status created = writer->create(info);
    ASSERT_TRUE(created.ok()) << created.error().message();
    EXPECT_EQ(writer->create(info).error().code(), ErrorCode::exists);
    if (info.type == CollectionType::view) continue;
    const Status built = writer->create_indexes(info.ns, info.indexes);
    ASSERT_TRUE(built.ok()) << info.ns.text() << ": " << built.error().message();
  }
  const auto copied = read_catalog(*client, "to").value();
  ASSERT_EQ(copied.size(), source.size());
  for (std::size_t at = 0; at < source.size(); ++at) {
    EXPECT_EQ(to_text(copied[at].options.view()), to_text(source[at].options.view()));
    EXPECT_EQ(copied[at].type, source[at].type);
    ASSERT_EQ(copied[at].indexes.size(), source[at].indexes.size()) << copied[at].ns.text();
    // This server does not list the collation that an index inherits.
    if (server->kind() == ServerKind::python && source[at].collation()) continue;
    for (std::size_t index = 0; index < source[at].indexes.size(); ++index) {
      const auto find_same = [&](const bson::Document& other) {
        return to_text(other.view()) == to_text(source[at].indexes[index].view());
      };
      EXPECT_TRUE(std::any_of(copied[at].indexes.begin(), copied[at].indexes.end(), find_same))
          << to_text(source[at].indexes[index].view());
    }
  }
}

TEST_P(Writer, stores_documents_byte_for_byte_and_names_the_refused) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  run_text(*client, "d", R"({"create": "target", "validator": {"n": {"$gt": 0}}})");
  const auto writer = make_live_writer(*client);
  const std::vector<bson::Document> documents = {
      from_text(R"({"_id": 1, "n": -1})"), with_a_name_twice(server->kind() != ServerKind::python),
      from_text(
          R"({"_id": 3, "t": {"$timestamp": {"t": 0, "i": 0}}, "u": {"$numberDecimal": "1.50"}})"),
      from_text(R"({"_id": {"$timestamp": {"t": 0, "i": 0}}, "x": {"$numberDouble": "NaN"}})"),
      from_text(R"({"_id": "سلام", "z": {"$minKey": 1}})")};
  const auto refused = writer->insert(target, views_of(documents));
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  EXPECT_TRUE(refused->empty()) << refused->front().reason;
  auto kept = stored(*client, target);
  ASSERT_EQ(kept.size(), documents.size());
  for (const bson::Document& document : documents) {
    EXPECT_TRUE(std::find(kept.begin(), kept.end(), document) != kept.end())
        << to_text(document.view()) << " but " << to_text(kept[1].view());
  }
  const std::vector<bson::Document> more = {from_text(R"({"_id": 1, "n": 5})"),
                                            from_text(R"({"_id": 9})"),
                                            from_text(R"({"_id": "سلام"})")};
  const auto twice = writer->insert(target, views_of(more));
  ASSERT_TRUE(twice.ok()) << twice.error().message();
  ASSERT_EQ(twice->size(), 2U);
  EXPECT_EQ((*twice)[0].id.view().integral(), 1);
  EXPECT_NE((*twice)[0].reason.find("11000"), std::string::npos) << (*twice)[0].reason;
  EXPECT_EQ(stored(*client, target).size(), documents.size() + 1);
}

INSTANTIATE_TEST_SUITE_P(Servers, Writer, testing::Values(ServerKind::any, ServerKind::python),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST(LiveWriter, Core_takes_batches_of_any_size_and_the_greatest_documents) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto writer = make_live_writer(*client);
  std::vector<bson::Document> documents = numbered(40, 1'000'000);
  bson::Builder greatest;
  greatest.append_int32("_id", 1000);
  greatest.append_string("s", std::string(16U * 1024 * 1024 - 4 - 9 - 8 - 1, 'x'));
  documents.push_back(std::move(greatest).finish());
  ASSERT_EQ(documents.back().bytes().size(), 16U * 1024 * 1024);
  const auto refused = writer->insert(target, views_of(documents));
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  EXPECT_TRUE(refused->empty());
  EXPECT_EQ(stored(*client, target), documents);
  bson::Builder one_more;
  one_more.append_int32("_id", 1001);
  one_more.append_string("s", std::string(16U * 1024 * 1024 - 4 - 9 - 8, 'x'));
  const std::vector<bson::Document> too_big = {std::move(one_more).finish()};
  const auto no = writer->insert(target, views_of(too_big));
  ASSERT_TRUE(no.ok()) << no.error().message();
  ASSERT_EQ(no->size(), 1U);
  EXPECT_EQ((*no)[0].id.view().integral(), 1001);
}

TEST(LiveWriter, Core_retries_lost_replies_without_refusing_its_own_documents) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "no port known";
  const auto proxy = CutProxy::start(server->port()).value();
  const auto client = connect_to(server->uri_through(proxy->port()));
  const auto writer = make_live_writer(*client);
  const std::vector<bson::Document> documents = numbered(3000, 200);
  const std::vector<bson::Document> foreign = {from_text(R"({"_id": 7, "other": true})")};
  ASSERT_TRUE(writer->insert(target, views_of(foreign)).value().empty());
  proxy->lose_next_reply();
  const auto refused = writer->insert(target, views_of(documents));
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  ASSERT_EQ(refused->size(), 1U) << "the foreign document stands in the way of one";
  EXPECT_EQ(refused->front().id.view().integral(), 7);
  EXPECT_EQ(stored(*client, target).size(), 3000U);
  EXPECT_GE(proxy->cuts(), 1U);
  proxy->cut_after_to_server(100'000);  // a request cut in two
  const Namespace second{"d", "second"};
  EXPECT_TRUE(writer->insert(second, views_of(documents)).value().empty());
  EXPECT_EQ(stored(*client, second), documents);
}

TEST(LiveWriter, knows_its_own_rename_when_the_reply_is_lost) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "no port known";
  const auto proxy = CutProxy::start(server->port()).value();
  const auto client = connect_to(server->uri_through(proxy->port()));
  const auto writer = make_live_writer(*client);
  ASSERT_TRUE(writer->insert(target, views_of(numbered(3, 1))).ok());
  const Namespace other{"d", "other"};
  const std::uint64_t before = proxy->from_server();
  ASSERT_TRUE(find_listed(*client, target).ok());
  // Lets the question what stands there pass, and loses the answer to the rename.
  proxy->cut_after_from_server(proxy->from_server() - before + 1);
  const Status renamed = writer->rename(target, other, true);
  ASSERT_TRUE(renamed.ok()) << renamed.error().message();
  EXPECT_GE(proxy->cuts(), 1U);
  EXPECT_EQ(stored(*client, other).size(), 3U);
  proxy->lose_next_reply();
  EXPECT_TRUE(writer->drop(other).ok());
  EXPECT_EQ(writer->rename(target, other, true).error().code(), ErrorCode::not_found);
}

TEST(LiveWriter, keeps_empty_timestamps_where_the_server_lacks_the_switch) {
  const bson::Document document =
      from_text(R"({"_id": 1, "$q": 1, "t": {"$timestamp": {"t": 0, "i": 0}}})");
  EXPECT_TRUE(has_empty_timestamp(document.view()));
  EXPECT_FALSE(has_empty_timestamp(from_text(
                                       R"({"_id": {"$timestamp": {"t": 0, "i": 0}},
              "a": {"t": {"$timestamp": {"t": 0, "i": 0}}}})")
                                       .view()));
  // The second way, as replace_command writes it, on a live server.
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const std::vector<Replacement> replacements = {{document.view(), true}};
  const bson::Document command = replace_command("target", replacements, true);
  ASSERT_TRUE(client->run("d", command.view()).ok());
  EXPECT_EQ(stored(*client, target).front(), document);
}

TEST(LiveWriter, Core_replaces_by_key) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto writer = make_live_writer(*client);
  const std::vector<bson::Document> before = numbered(10, 10);
  ASSERT_TRUE(writer->insert(target, views_of(before)).value().empty());
  const std::vector<bson::Document> after = {
      from_text(R"({"_id": 3, "new": true})"), from_text(R"({"_id": {"a": 1}, "upserted": 1})"),
      from_text(R"({"_id": 5, "t": {"$timestamp": {"t": 0, "i": 0}}})"),
      from_text(R"({"_id": 6, "$dollar": 1})")};
  const auto refused = writer->replace(target, views_of(after));
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  EXPECT_TRUE(refused->empty()) << refused->front().reason;
  const auto kept = stored(*client, target);
  EXPECT_EQ(kept.size(), 11U);
  for (const bson::Document& document : after) {
    EXPECT_TRUE(std::find(kept.begin(), kept.end(), document) != kept.end())
        << to_text(document.view());
  }
}

TEST(LiveWriter, drops_renames_and_sets_validators) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto writer = make_live_writer(*client);
  EXPECT_EQ(writer->drop(target).error().code(), ErrorCode::not_found);
  ASSERT_TRUE(writer->insert(target, views_of(numbered(3, 1))).ok());
  const Namespace other{"d", "other"};
  ASSERT_TRUE(writer->insert(other, views_of(numbered(5, 1))).ok());
  const Status blocked = writer->rename(target, other, false);
  ASSERT_FALSE(blocked.ok());
  EXPECT_EQ(blocked.error().code(), ErrorCode::exists) << blocked.error().message();
  ASSERT_TRUE(writer->rename(target, other, true).ok());
  EXPECT_EQ(stored(*client, other).size(), 3U);
  EXPECT_EQ(writer->rename(target, other, true).error().code(), ErrorCode::not_found);
  const bson::Document options =
      from_text(R"({"capped": false, "validator": {"n": 1}, "validationLevel": "strict"})");
  ASSERT_TRUE(writer->set_validator(other, options.view()).ok());
  EXPECT_TRUE(read_catalog_entry(*client, other).value().options.view().find("validator"));
  ASSERT_TRUE(writer->drop(other).ok());
  EXPECT_EQ(read_catalog_entry(*client, other).error().code(), ErrorCode::not_found);
}

TEST(LiveWriter, says_which_index_keys_collide) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto writer = make_live_writer(*client);
  const std::vector<bson::Document> same = {from_text(R"({"_id": 1, "a": 1})"),
                                            from_text(R"({"_id": 2, "a": 1})")};
  ASSERT_TRUE(writer->insert(target, views_of(same)).ok());
  const Status built = writer->create_indexes(
      target,
      {from_text(R"({"v": 2, "key": {"a": 1}, "name": "a_1", "unique": true, "ns": "x"})")});
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.error().code(), ErrorCode::exists) << built.error().message();
  EXPECT_NE(built.error().message().find("d.target"), std::string::npos);
}

TEST(LiveWriter, writes_to_the_longest_names) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto writer = make_live_writer(*client);
  const Namespace longest{"d", std::string(253, 'x')};
  const auto refused = writer->insert(longest, views_of(numbered(3, 1)));
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  EXPECT_EQ(stored(*client, longest).size(), 3U);
}

TEST(LiveWriter, works_from_several_threads) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto writer = make_live_writer(*client);
  const std::vector<bson::Document> documents = numbered(8000, 100);
  const auto views = views_of(documents);
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t at = thread * 2000; at < (thread + 1) * 2000; at += 500) {
          const auto from = views.begin() + static_cast<std::ptrdiff_t>(at);
          refused += static_cast<int>(writer->insert(target, {from, from + 500}).value().size());
        }
      });
    }
  }
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(stored(*client, target), documents);
}

TEST(LiveWriter, says_denied_without_the_privilege) {
  HOLDFAST_START_SERVER(server, {.auth = true});
  const auto root = connect_to(server->uri());
  run_text(*root, "admin", R"({"createUser": "reader", "pwd": "reader-pass",
      "roles": [{"role": "readAnyDatabase", "db": "admin"}]})");
  const auto client = connect_to(server->uri_as("reader", "reader-pass"));
  const auto writer = make_live_writer(*client);
  const auto refused = writer->insert(target, views_of(numbered(1, 1)));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::denied) << refused.error().message();
}

TEST(next_insert_batch, cuts_below_both_limits) {
  const std::vector<bson::Document> big = numbered(20, 1'000'000);
  const auto views = views_of(big);
  EXPECT_EQ(next_insert_batch(views).size(), 16U);
  const std::vector<bson::DocumentView> many(150'000, big.front().view());
  EXPECT_LE(next_insert_batch(many).size(), most_batch_documents);
  const std::vector<bson::DocumentView> tiny(150'000, bson::DocumentView());
  EXPECT_EQ(next_insert_batch(tiny).size(), most_batch_documents);
  const std::vector<bson::Document> giant = numbered(1, most_stored_bytes + 1);
  EXPECT_EQ(next_insert_batch(views_of(giant)).size(), 1U) << "alone, to be refused";
}

}  // namespace
}  // namespace holdfast::mongo
