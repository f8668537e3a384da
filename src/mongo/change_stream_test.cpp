#include "mongo/change_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "bson/builder.h"
#include "mongo/cut_proxy_testing.h"
#include "mongo/live_testing.h"
#include "mongo/resume_token_internal.h"
#include "mongo/server_fixture_testing.h"
#include "mongo/split_event_internal.h"

namespace holdfast::mongo {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<ChangeStream> open_stream(Client& client, const ChangeStreamOptions& options) {
  ClusterTime opened_at;
  auto stream = open_change_stream(client, options, opened_at);
  if (!stream.ok()) throw std::runtime_error(stream.error().message());
  EXPECT_FALSE(opened_at.is_null());
  return std::move(stream).value();
}

/// "insert 3", "drop", …: as many as come within `patience`, at most `most`.
std::vector<std::string> take(ChangeStream& stream, std::size_t most,
                              std::chrono::milliseconds patience = 5s) {
  std::vector<std::string> seen;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (seen.size() < most && std::chrono::steady_clock::now() < deadline) {
    const auto next = stream.next(100ms);
    if (!next.ok()) throw std::runtime_error(next.error().message());
    if (!*next) continue;
    const bson::DocumentView event = (*next)->event;
    std::string word(event.find_string("operationType").value_or("?"));
    if (const auto key = event.find_document("documentKey")) {
      if (const auto id = key->find_integral("_id")) word += " " + std::to_string(*id);
    }
    if (word != "create") seen.push_back(word);  // One test server leaves it out.
  }
  return seen;
}

void insert(Client& client, const std::string& database, int id) {
  run_text(client, database,
           R"({"insert": "c", "documents": [{"_id": )" + std::to_string(id) + "}]}");
}

using Words = std::vector<std::string>;

class StreamOf : public testing::TestWithParam<ServerKind> {};

TEST_P(StreamOf, delivers_what_happens_after_it_was_opened_in_order) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  insert(*client, "d", 0);
  const auto stream = open_stream(*client, {.databases = {"d"}});
  EXPECT_FALSE(stream->next(10ms).value().has_value());
  EXPECT_FALSE(stream->resume_token().view().empty()) << "a position before the first event";
  insert(*client, "d", 1);
  insert(*client, "other", 2);
  run_text(*client, "d",
           R"({"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$set": {"x": 1}}}]})");
  run_text(*client, "d", R"({"delete": "c", "deletes": [{"q": {"_id": 0}, "limit": 1}]})");
  EXPECT_EQ(take(*stream, 3), (Words{"insert 1", "update 1", "delete 0"}));
}

TEST_P(StreamOf, resumes_from_a_stored_token) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  insert(*client, "d", 0);
  auto stream = open_stream(*client, {.databases = {"d"}});
  const bson::Document at_start = stream->resume_token();
  for (int id = 1; id <= 4; ++id) insert(*client, "d", id);
  EXPECT_EQ(take(*stream, 2), (Words{"insert 1", "insert 2"}));
  const bson::Document after_two = stream->resume_token();
  stream = open_stream(*client, {.databases = {"d"}, .resume_after = after_two});
  EXPECT_EQ(take(*stream, 2), (Words{"insert 3", "insert 4"}));
  stream = open_stream(*client, {.databases = {"d"}, .resume_after = at_start});
  EXPECT_EQ(take(*stream, 4), (Words{"insert 1", "insert 2", "insert 3", "insert 4"}));
}

TEST_P(StreamOf, goes_on_after_its_database_was_dropped) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  insert(*client, "d", 0);
  const auto stream = open_stream(*client, {.databases = {"d"}});
  run_text(*client, "d", R"({"dropDatabase": 1})");
  EXPECT_EQ(take(*stream, 3), (Words{"drop", "dropDatabase", "invalidate"}));
  const bson::Document after_invalidate = stream->resume_token();
  insert(*client, "d", 7);
  EXPECT_EQ(take(*stream, 1), (Words{"insert 7"}));
  const auto again = open_stream(*client, {.databases = {"d"}, .resume_after = after_invalidate});
  EXPECT_EQ(take(*again, 1), (Words{"insert 7"}));
}

TEST_P(StreamOf, resumes_from_before_its_database_was_dropped) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  insert(*client, "d", 0);
  const bson::Document before = open_stream(*client, {.databases = {"d"}})->resume_token();
  Words wanted;
  for (int id = 1; id <= 20; ++id) {
    insert(*client, "d", id);
    wanted.push_back("insert " + std::to_string(id));
  }
  run_text(*client, "d", R"({"dropDatabase": 1})");
  insert(*client, "d", 21);
  for (const char* word : {"drop", "dropDatabase", "invalidate", "insert 21"}) {
    wanted.emplace_back(word);
  }
  const auto stream = open_stream(*client, {.databases = {"d"}, .resume_after = before});
  EXPECT_EQ(take(*stream, wanted.size()), wanted);
}

TEST_P(StreamOf, takes_bursts_of_the_largest_events) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  const auto stream = open_stream(*client, {.databases = {"d"}});
  // Together more than any reply may hold, waiting when the stream is asked for the first time.
  constexpr int count = 8;
  const std::string large(15'000'000, 'x');
  for (int id = 1; id <= count; ++id) {
    bson::Builder command;
    command.append_string("insert", "c").begin_array("documents").begin_document("0");
    command.append_int32("_id", id).append_string("text", large).end().end();
    const bson::Document document = std::move(command).finish();
    ASSERT_TRUE(client->run("d", document.view()).ok());
  }
  for (int id = 1; id <= count; ++id) {
    EXPECT_EQ(take(*stream, 1), (Words{"insert " + std::to_string(id)}));
  }
}

TEST_P(StreamOf, says_gap_when_the_position_has_left_the_log) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam(), .oplog_entries = 50});
  const auto client = connect_to(server->uri());
  insert(*client, "d", 0);
  const auto stream = open_stream(*client, {.databases = {"d"}});
  const bson::Document old = stream->resume_token();
  for (int round = 0; round < 6; ++round) {
    fill_with_numbers(*client, {"d", "many" + std::to_string(round)}, 500, 10);
    std::this_thread::sleep_for(200ms);
  }
  ClusterTime opened_at;
  const auto late =
      open_change_stream(*client, {.databases = {"d"}, .resume_after = old}, opened_at);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), ErrorCode::gap) << late.error().message();
  EXPECT_FALSE(late.error().hint().empty());
  const auto alien = open_change_stream(
      *client, {.databases = {"d"}, .resume_after = from_text(R"({"_data": "82AABBCC"})")},
      opened_at);
  ASSERT_FALSE(alien.ok());
  EXPECT_EQ(alien.error().code(), ErrorCode::gap) << alien.error().message();
}

TEST_P(StreamOf, says_gap_when_the_log_overtakes_it) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam(), .oplog_entries = 100});
  const auto client = connect_to(server->uri());
  insert(*client, "d", -1);
  const auto stream = open_stream(*client, {.databases = {"d"}});
  for (int round = 0; round < 6; ++round) {
    fill_with_numbers(*client, {"d", "many" + std::to_string(round)}, 500, 10);
    std::this_thread::sleep_for(200ms);
  }
  const auto next = stream->next(1s);
  ASSERT_FALSE(next.ok()) << "a stream that skips events must not go on";
  EXPECT_EQ(next.error().code(), ErrorCode::gap) << next.error().message();
  EXPECT_EQ(stream->next(1s).error().code(), ErrorCode::gap) << "and stays so";
}

TEST_P(StreamOf, follows_several_databases_or_all) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  const auto two = open_stream(*client, {.databases = {"a", "b"}});
  const auto all = open_stream(*client, {});
  insert(*client, "a", 1);
  insert(*client, "x", 2);
  insert(*client, "b", 3);
  EXPECT_EQ(take(*two, 2), (Words{"insert 1", "insert 3"}));
  EXPECT_EQ(take(*all, 3), (Words{"insert 1", "insert 2", "insert 3"}));
}

TEST_P(StreamOf, brings_markers) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = connect_to(server->uri());
  const auto stream = open_stream(*client, {.databases = {"d"}});
  insert(*client, "d", 1);
  const auto marker = write_marker(*client, "d");
  ASSERT_TRUE(marker.ok()) << marker.error().message();
  bool seen_insert = false;
  for (bool seen_marker = false; !seen_marker;) {
    const auto next = stream->next(5s);
    ASSERT_TRUE(next.ok() && *next);
    const bson::DocumentView event = (*next)->event;
    const auto key = event.find_document("documentKey");
    const auto id = key ? key->find("_id") : std::nullopt;
    seen_marker = is_marker_event(event) && id && id->identical(marker->view());
    seen_insert |= !is_marker_event(event) && key.has_value();
  }
  EXPECT_TRUE(seen_insert) << "everything before the marker came before it";
  EXPECT_TRUE(remove_marker(*client, "d", marker->view()).ok());
  const bson::Document left = run_text(*client, "d", R"({"count": "holdfast.barrier"})");
  EXPECT_EQ(left.view().find_integral("n"), 0);
}

INSTANTIATE_TEST_SUITE_P(Servers, StreamOf, testing::Values(ServerKind::any, ServerKind::python),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST(ChangeStream, Core_resumes_by_itself_when_connections_are_cut) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "no port known";
  const auto direct = connect_to(server->uri());
  insert(*direct, "d", -1);
  const auto proxy = CutProxy::start(server->port()).value();
  const auto client = connect_to(server->uri_through(proxy->port()));
  const auto stream = open_stream(*client, {.databases = {"d"}});
  std::jthread writer([&direct] {
    for (int id = 0; id < 2000; ++id) insert(*direct, "d", id);
  });
  std::vector<std::string> seen;
  while (seen.size() < 2000) {
    const auto more = take(*stream, 100);
    ASSERT_FALSE(more.empty()) << "after " << seen.size();
    seen.insert(seen.end(), more.begin(), more.end());
    if (seen.size() % 400 == 0) proxy->cut();
    if (seen.size() % 300 == 0) proxy->cut_after_from_server(5000);
  }
  for (std::size_t at = 0; at < seen.size(); ++at) {
    ASSERT_EQ(seen[at], "insert " + std::to_string(at)) << "each once, in order";
  }
  EXPECT_GE(proxy->cuts(), 4U);
}

TEST(ChangeStream, Core_comes_back_after_the_server_was_gone) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "not ours to restart";
  const auto client = connect_to(server->uri() + "&serverSelectionTimeoutMS=1000");
  insert(*client, "d", -1);
  const auto stream = open_stream(*client, {.databases = {"d"}});
  insert(*client, "d", 0);
  EXPECT_EQ(take(*stream, 1), (Words{"insert 0"}));
  server->stop();
  std::jthread back([&server, &client] {
    std::this_thread::sleep_for(4s);
    ASSERT_TRUE(server->restart().ok());
    ASSERT_TRUE(client->run_retrying("d", from_text(R"({"ping": 1})").view(), 20'000, {}).ok());
    insert(*client, "d", 1);
  });
  EXPECT_EQ(take(*stream, 1, 40s), (Words{"insert 1"}));
}

TEST(Marker, says_denied_without_the_privilege) {
  HOLDFAST_START_SERVER(server, {.auth = true});
  const auto root = connect_to(server->uri());
  run_text(*root, "admin", R"({"createUser": "reader", "pwd": "reader-pass",
      "roles": [{"role": "readAnyDatabase", "db": "admin"}]})");
  const auto client = connect_to(server->uri_as("reader", "reader-pass"));
  const auto marker = write_marker(*client, "d");
  ASSERT_FALSE(marker.ok());
  EXPECT_EQ(marker.error().code(), ErrorCode::denied) << marker.error().message();
  ClusterTime opened_at;
  EXPECT_TRUE(open_change_stream(*client, {.databases = {"d"}}, opened_at).ok())
      << "reading is enough for a stream";
}

TEST(ChangeStream, is_refused_by_a_standalone) {
  HOLDFAST_START_SERVER(server, {.standalone = true});
  const auto client = connect_to(server->uri());
  ClusterTime opened_at;
  const auto stream = open_change_stream(*client, {.databases = {"d"}}, opened_at);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().code(), ErrorCode::precondition);
}

TEST(ChangeStream, Core_trusts_no_tokens_but_mongods) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto stream = open_stream(*client, {.databases = {"d"}});
  insert(*client, "d", 1);
  EXPECT_EQ(take(*stream, 1).size(), 1U);
  EXPECT_FALSE(stream->next(10ms).value().has_value());
  if (server->kind() != ServerKind::mongod) {
    EXPECT_TRUE(stream->reliable_time().is_null());
  } else {
    EXPECT_FALSE(stream->reliable_time().is_null());
  }
}

TEST(ChangeStream, delivers_documents_of_the_greatest_size) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto stream = open_stream(*client, {.databases = {"d"}});
  bson::Builder command;
  command.append_string("insert", "big").begin_array("documents").begin_document("0");
  command.append_int32("_id", 1);
  // 16 MiB in all: length, _id, the string's frame, the end.
  command.append_string("s", std::string(16U * 1024 * 1024 - 4 - 9 - 8 - 1, 'x'));
  command.end().end();
  const bson::Document document = std::move(command).finish();
  ASSERT_TRUE(client->run("d", document.view()).ok());
  EXPECT_EQ(take(*stream, 1, 20s), (Words{"insert 1"}));
}

TEST(ResumeToken, tells_mongods_time_and_nothing_else) {
  // From MongoDB's documentation of change events.
  const auto mongod = from_text(
      R"({"_data": "82635019A0000000012B042C0100296E5A1004F8BC52D1A5C84D4D8D6B2A76BA3E9C46465F6964)"
      R"(006462A7B0C5C5E4B3A1D2C3E4F50004"})");
  const ClusterTime time = decode_token_time(mongod.view());
  EXPECT_EQ(time, (ClusterTime{0x635019A0, 1}));
  EXPECT_EQ(time_settled_by(mongod.view()), (ClusterTime{0x635019A0, 0}));
  for (const std::string alien :
       {R"({"_data": "3A0000001273000400000000"})", R"({"_data": "82"})", R"({"_data": "zz"})",
        R"({"_data": 7})", "{}", R"({"_data": "820000001273000400000000000000"})"}) {
    EXPECT_TRUE(decode_token_time(from_text(alien).view()).is_null()) << alien;
  }
}

TEST(FragmentJoiner, puts_the_parts_of_an_event_together) {
  FragmentJoiner joiner;
  const auto first = from_text(R"({"_id": {"_data": "1"}, "splitEvent": {"fragment": 1, "of": 2},
      "operationType": "update", "documentKey": {"_id": 1}})");
  const auto second = from_text(R"({"_id": {"_data": "2"}, "splitEvent": {"fragment": 2, "of": 2},
      "updateDescription": {"updatedFields": {"a": 1}}})");
  EXPECT_FALSE(joiner.add(first.view()).value().has_value());
  EXPECT_TRUE(joiner.incomplete());
  const auto whole = joiner.add(second.view()).value();
  ASSERT_TRUE(whole.has_value());
  ASSERT_TRUE(bson::validate_document(whole->bytes()).ok());
  EXPECT_EQ(bson::Document(*whole), from_text(R"({"_id": {"_data": "2"},
      "operationType": "update", "documentKey": {"_id": 1},
      "updateDescription": {"updatedFields": {"a": 1}}})"));
  EXPECT_FALSE(joiner.incomplete());
  EXPECT_EQ(joiner.add(second.view()).error().code(), ErrorCode::corrupt);
  joiner.reset();
  ASSERT_FALSE(joiner.add(first.view()).value().has_value());
  EXPECT_EQ(joiner.add(from_text("{}").view()).error().code(), ErrorCode::corrupt);
}

}  // namespace
}  // namespace holdfast::mongo
