#include "smokava/traffic.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/temporary_folder_testing.h"
#include "bson/builder.h"
#include "mongo/server_fixture_testing.h"
#include "smokava/seed.h"
#include "smokava/traffic_documents.h"
#include "smokava/traffic_edits.h"
#include "smokava/traffic_record.h"
#include "smokava/traffic_targets.h"

namespace holdfast::smokava {
namespace {

using bson::Document;
using bson::DocumentView;

std::vector<Document> read_record(const std::filesystem::path& path) {
  std::vector<Document> entries;
  const auto bytes = read_file(path, 1U << 30U);
  EXPECT_TRUE(bytes.ok());
  ByteView rest = *bytes;
  while (const auto size = bson::front_document_size(rest)) {
    EXPECT_TRUE(bson::validate_document(rest.first(*size)).ok());
    entries.emplace_back(DocumentView(rest.first(*size)));
    rest = rest.subspan(*size);
  }
  EXPECT_TRUE(rest.empty());
  return entries;
}

TEST(TrafficEdits, are_all_well_formed) {
  Dice dice(1, Topic::traffic, 1);
  const TrafficTargets nobody;
  std::set<std::pair<std::string_view, std::string_view>> kinds;
  for (const auto& edit : edits()) {
    for (int i = 0; i < 20; ++i) {
      const auto filled = fill_in(edit.text, dice, nobody, 1'762'700'000'123);
      EXPECT_TRUE(filled.view().find("update").has_value()) << edit.operation;
    }
    EXPECT_TRUE(kinds.emplace(edit.operation, edit.collection).second) << edit.operation;
  }
  std::set<std::string_view> collections;
  for (const auto& kind : kinds) collections.insert(kind.second);
  EXPECT_EQ(collections.size(), collection_names().size());
}

TEST(TrafficTargets, give_every_id_one_owner) {
  ObjectId id;
  for (std::uint8_t i = 0; i < 100; ++i) {
    id.bytes[11] = i;
    int owners = 0;
    for (unsigned thread = 0; thread < 3; ++thread) owners += TrafficTargets::owns(id, thread, 3);
    EXPECT_EQ(owners, 1);
  }
}

TEST(TrafficDocuments, rearrange_without_touching_unique_fields) {
  Dice dice(1, Topic::traffic, 2);
  bson::Builder out;
  out.append_int32("_id", 1).append_string("phoneNumber", "0912");
  out.append_int32("a", 1).append_int32("b", 2).append_int32("c", 3);
  const auto before = std::move(out).finish();
  bool reordered = false;
  for (int i = 0; i < 100; ++i) {
    const auto after = rearranged(before.view(), dice, 5);
    EXPECT_EQ((*after.view().begin()).name, "_id");
    EXPECT_EQ(after.view().find_string("phoneNumber"), "0912");
    EXPECT_TRUE(after.view().find("note").has_value());
    std::string order;
    for (const auto& element : after.view()) order += element.name;
    reordered = reordered || order.find("ba") != std::string::npos;
  }
  EXPECT_TRUE(reordered);
}

TEST(TrafficRecord, keeps_entries_in_order) {
  const auto folder = TemporaryFolder();
  const auto path = folder.path() / "record";
  auto record = TrafficRecord::create(path);
  ASSERT_TRUE(record.ok()) << record.error().message();
  bson::Builder out;
  out.append_int32("_id", 7);
  const auto document = std::move(out).finish();
  TrafficEntry entry;
  entry.ns = "d.c";
  entry.operation = "set";
  entry.id = document.view().find("_id");
  entry.after = document.view();
  entry.since = {10, 1};
  entry.time = {10, 2};
  ASSERT_TRUE((*record)->append(entry).ok());
  entry.after.reset();
  ASSERT_TRUE((*record)->append(entry).ok());
  ASSERT_TRUE((*record)->flush().ok());
  const auto entries = read_record(path);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].view().find_integral("seq"), 1);
  EXPECT_EQ(entries[1].view().find_integral("seq"), 2);
  EXPECT_EQ(*entries[0].view().find_document("after")->find_integral("_id"), 7);
  EXPECT_EQ(entries[1].view().find("after")->type(), bson::Type::null);
  EXPECT_EQ(entries[0].view().find("time")->as_timestamp(), (ClusterTime{10, 2}.packed()));
}

std::optional<Document> read_document(mongo::Client& client, const std::string& collection,
                                      bson::ValueView id) {
  bson::Builder command;
  command.append_string("find", collection).begin_document("filter").append("_id", id).end();
  const auto document = std::move(command).finish();
  const auto reply = client.run("smokava", document.view());
  EXPECT_TRUE(reply.ok());
  const auto batch = *reply->view().find_document("cursor")->find_document("firstBatch");
  if (batch.empty()) return std::nullopt;
  return Document((*batch.begin()).value.as_document());
}

TEST(Traffic, records_what_the_server_then_holds) {
  HOLDFAST_START_SERVER(server, {});
  auto client = mongo::Client::connect(server->uri());
  ASSERT_TRUE(client.ok()) << client.error().message();
  SilentProgress progress;
  SeedOptions seed_options;
  seed_options.userpackages = 200;
  seed_options.now = WallTime{std::chrono::milliseconds(1'762'700'000'123)};
  const auto seeded = seed(**client, "smokava", seed_options, progress, {});
  ASSERT_TRUE(seeded.ok()) << seeded.error().message();

  const auto folder = TemporaryFolder();
  TrafficOptions options;
  options.writes_per_second = 0;
  options.writes = 600;
  options.threads = 3;
  options.record_path = (folder.path() / "record").string();
  const auto summary = run_traffic(**client, "smokava", options, progress, {});
  ASSERT_TRUE(summary.ok()) << summary.error().message();
  EXPECT_EQ(summary->writes, 600U);
  EXPECT_GT(summary->by_operation.size(), 20U);

  std::map<std::pair<std::string, std::string>, Document> latest;
  std::map<std::int64_t, std::uint64_t> thread_times;
  std::int64_t number = 0;
  for (const auto& entry : read_record(options.record_path)) {
    const auto view = entry.view();
    EXPECT_EQ(view.find_integral("seq"), ++number);
    const auto since = view.find("since")->as_timestamp();
    const auto time = view.find("time")->as_timestamp();
    EXPECT_LE(thread_times[*view.find_integral("thread")], since);
    EXPECT_LE(since, time);
    thread_times[*view.find_integral("thread")] = time;
    latest.insert_or_assign(
        {std::string(*view.find_string("ns")), std::string(as_text(view.find("_id")->bytes()))},
        entry);
  }
  EXPECT_EQ(number, 600);
  for (const auto& [key, entry] : latest) {
    const auto found = read_document(**client, key.first.substr(std::string("smokava.").size()),
                                     *entry.view().find("_id"));
    const auto after = entry.view().find_document("after");
    ASSERT_EQ(found.has_value(), after.has_value()) << key.first;
    if (found) {
      EXPECT_TRUE(same_bytes(found->bytes(), after->bytes())) << key.first;
    }
  }
}

TEST(Traffic, defines_and_drops_scratch_collections) {
  HOLDFAST_START_SERVER(server, {});
  auto client = mongo::Client::connect(server->uri());
  ASSERT_TRUE(client.ok()) << client.error().message();
  SilentProgress progress;
  SeedOptions seed_options;
  seed_options.userpackages = 50;
  seed_options.now = WallTime{std::chrono::milliseconds(1'762'700'000'123)};
  ASSERT_TRUE(seed(**client, "smokava", seed_options, progress, {}).ok());
  TrafficOptions options;
  options.writes_per_second = 20;
  options.duration = std::chrono::milliseconds(2500);
  options.ddl = true;
  const auto summary = run_traffic(**client, "smokava", options, progress, {});
  ASSERT_TRUE(summary.ok()) << summary.error().message();
  EXPECT_GT(summary->ddl, 1U);
}

TEST(Traffic, ends_when_it_is_asked_to) {
  HOLDFAST_START_SERVER(server, {});
  auto client = mongo::Client::connect(server->uri());
  ASSERT_TRUE(client.ok()) << client.error().message();
  SilentProgress progress;
  const auto empty = run_traffic(**client, "nothing", {}, progress, {});
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().code(), ErrorCode::precondition);
  SeedOptions seed_options;
  seed_options.userpackages = 50;
  seed_options.now = WallTime{std::chrono::milliseconds(1'762'700'000'123)};
  ASSERT_TRUE(seed(**client, "smokava", seed_options, progress, {}).ok());
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = run_traffic(**client, "smokava", {}, progress, stop.get_token());
  EXPECT_TRUE(stopped.ok());
}

}  // namespace
}  // namespace holdfast::smokava
