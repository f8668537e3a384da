#include <gtest/gtest.h>

#include "mongo/cut_proxy_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::mongo {
namespace {

constexpr auto count_command = R"({"count": "c"})";

TEST(TestServer, starts_keeps_its_data_over_a_restart_and_ends) {
  HOLDFAST_START_SERVER(server, {});
  const std::string uri = server->uri();
  ASSERT_TRUE(run_json(uri, "d", R"({"insert": "c", "documents": [{"_id": 1}]})").ok());
  if (!server->owned()) GTEST_SKIP() << "not ours to restart";
  server->stop();
  EXPECT_FALSE(run_json(uri + "&serverSelectionTimeoutMS=300", "d", count_command).ok());
  ASSERT_TRUE(server->restart().ok());
  auto counted = run_json(uri, "d", count_command);
  ASSERT_TRUE(counted.ok()) << counted.error().message();
  EXPECT_NE(counted->find("\"n\" : 1"), std::string::npos) << *counted;
}

TEST(TestServer, asks_for_the_password_where_told) {
  HOLDFAST_START_SERVER(server, {.auth = true});
  EXPECT_TRUE(run_json(server->uri(), "d", count_command).ok());
  EXPECT_FALSE(run_json(server->uri_as("keeper", "wrong"), "d", count_command).ok());
}

TEST(CutProxy, forwards_cuts_and_refuses) {
  HOLDFAST_START_SERVER(server, {});
  if (!server->owned()) GTEST_SKIP() << "no port known";
  auto proxy = CutProxy::start(server->port());
  ASSERT_TRUE(proxy.ok());
  const std::string uri = server->uri_through((*proxy)->port()) + "&serverSelectionTimeoutMS=300";
  EXPECT_TRUE(run_json(uri, "d", count_command).ok());
  (*proxy)->refuse(true);
  EXPECT_FALSE(run_json(uri, "d", count_command).ok());
  (*proxy)->refuse(false);
  EXPECT_TRUE(run_json(uri, "d", count_command).ok());
  const std::uint64_t before = (*proxy)->cuts();
  (*proxy)->cut_after_from_server(100);
  (void)run_json(uri, "d", R"({"listDatabases": 1})");
  EXPECT_EQ((*proxy)->cuts(), before + 1);
}

}  // namespace
}  // namespace holdfast::mongo
