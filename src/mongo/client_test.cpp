#include "mongo/client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "mongo/client_internal.h"
#include "mongo/cut_proxy_testing.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::mongo {
namespace {

TEST(Client, Core_tells_what_the_server_is) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  EXPECT_FALSE(client->server().version.empty());
  EXPECT_GE(client->server().wire_version, 8);
  EXPECT_TRUE(client->server().has_log());
  EXPECT_GT(client->server().local_time_ms, 1'600'000'000'000);
  if (server->kind() == ServerKind::rust) {
    EXPECT_EQ(client->server().set_id.size(), 24U);
    EXPECT_FALSE(driver_of(*client).genuine());
  }
}

TEST(Client, sees_that_a_standalone_has_no_log) {
  HOLDFAST_START_SERVER(server, {.standalone = true});
  const auto client = connect_to(server->uri());
  EXPECT_FALSE(client->server().has_log());
  EXPECT_TRUE(client->server().set_id.empty());
}

TEST(Client, works_on_the_python_server) {
  HOLDFAST_START_SERVER(server, {.kind = ServerKind::python});
  const auto client = connect_to(server->uri());
  EXPECT_TRUE(client->server().has_log());
  EXPECT_FALSE(driver_of(*client).genuine());
}

TEST(Client, Core_says_the_servers_words_and_number) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const auto reply = client->run("admin", from_text(R"({"noSuchCommand": 1})").view());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(code_of(reply.error()), 59);
  EXPECT_EQ(reply.error().code(), ErrorCode::unsupported);
}

TEST(Client, refuses_a_wrong_password_without_repeating_it) {
  HOLDFAST_START_SERVER(server, {.auth = true});
  ASSERT_TRUE(Client::connect(server->uri()).ok());
  const auto wrong = Client::connect(server->uri_as("keeper", "hunter2hunter2"));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code(), ErrorCode::denied) << wrong.error().message();
  EXPECT_EQ(wrong.error().message().find("hunter2"), std::string::npos) << wrong.error().message();
  EXPECT_FALSE(wrong.error().hint().empty());
  const auto client = connect_to(server->uri());
  EXPECT_EQ(client->masked_uri().find(TestServerOptions().password), std::string::npos);
}

TEST(Client, refuses_a_login_that_is_missing) {
  HOLDFAST_START_SERVER(server, {.auth = true});
  const auto client = Client::connect("mongodb://127.0.0.1:" + std::to_string(server->port()) +
                                      "/?directConnection=true");
  // Whether ping needs a login differs between servers; data does.
  if (!client.ok()) {
    EXPECT_EQ(client.error().code(), ErrorCode::denied);
    return;
  }
  const auto reply = (*client)->run("d", from_text(R"({"count": "c"})").view());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), ErrorCode::denied) << reply.error().message();
}

TEST(Client, gives_up_in_time_where_nobody_answers) {
  const auto before = std::chrono::steady_clock::now();
  const auto client =
      Client::connect("mongodb://anna:s3cret@127.0.0.1:" + std::to_string(free_port()), 700);
  const auto spent = std::chrono::steady_clock::now() - before;
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code(), ErrorCode::retry) << client.error().message();
  EXPECT_LT(spent, std::chrono::seconds(3));
  EXPECT_EQ(client.error().message().find("s3cret"), std::string::npos);
  EXPECT_NE(client.error().message().find("127.0.0.1"), std::string::npos);
}

TEST(Client, refuses_malformed_uris_without_repeating_the_password) {
  for (const std::string uri : {"", "http://host", "mongodb://", "mongodb://anna:pa/ss%zzword@host",
                                "mongodb://:@", "mongodb://anna:verysecretword@host:notaport/",
                                "mongodb://h:99999", "mongodb://anna:very@secret@word@/x"}) {
    const auto client = Client::connect(uri, 300);
    ASSERT_FALSE(client.ok()) << uri;
    const std::string said = client.error().message() + client.error().hint();
    EXPECT_EQ(client.error().code(), ErrorCode::usage) << uri << ": " << said;
    for (const std::string piece : {"verysecret", "pa/ss", "zzword", "very@secret", "secret@"}) {
      EXPECT_EQ(said.find(piece), std::string::npos) << said;
    }
  }
}

TEST(Client, Core_goes_on_after_an_outage_while_retrying) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "not ours to restart";
  const auto client = connect_to(server->uri() + "&serverSelectionTimeoutMS=500");
  server->kill();
  EXPECT_EQ(client->run("d", from_text(R"({"ping": 1})").view()).error().code(), ErrorCode::retry);
  std::jthread back([&server] {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    (void)server->restart();
  });
  EXPECT_TRUE(client->run_retrying("d", from_text(R"({"ping": 1})").view(), 30'000, {}).ok());
}

TEST(Client, stops_retrying_when_asked) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "not ours to stop";
  const auto client = connect_to(server->uri() + "&serverSelectionTimeoutMS=200");
  server->kill();
  std::stop_source stop;
  std::jthread asks([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop.request_stop();
  });
  const auto reply =
      client->run_retrying("d", from_text(R"({"ping": 1})").view(), 60'000, stop.get_token());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), ErrorCode::cancelled);
}

TEST(Client, serves_many_threads_at_once) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&] {
        for (int turn = 0; turn < 50; ++turn) {
          good += client->run("d", from_text(R"({"ping": 1})").view()).ok() ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(good, 400);
}

TEST(code_of, reads_the_number_at_the_end) {
  EXPECT_EQ(code_of(Error(ErrorCode::io, "a (code 7): b (code 286)")), 286);
  EXPECT_EQ(code_of(Error(ErrorCode::io, "nothing here")), 0);
  EXPECT_EQ(code_of(Error(ErrorCode::io, "cut (code 28")), 0);
}

}  // namespace
}  // namespace holdfast::mongo
