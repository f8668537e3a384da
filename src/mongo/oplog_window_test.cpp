#include "mongo/oplog_window.h"

#include <gtest/gtest.h>

#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::mongo {
namespace {

TEST(OplogWindow, reaches_from_the_oldest_entry_to_now) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  fill_with_numbers(*client, {"shop", "users"}, 10);
  const auto window = read_oplog_window(*client);
  ASSERT_TRUE(window.ok()) << window.error().message();
  EXPECT_FALSE(window->oldest.is_null());
  EXPECT_LE(window->oldest, window->newest);
  EXPECT_LE(window->newest, newest_time(*client));
  EXPECT_GT(window->fill, 0);
  EXPECT_LE(window->fill, 1);
  EXPECT_LT(window->seconds(), 3600U);
}

TEST(OplogWindow, of_a_server_without_a_log_is_not_found) {
  HOLDFAST_START_SERVER(server, {.standalone = true});
  const auto window = read_oplog_window(*connect_to(server->uri()));
  ASSERT_FALSE(window.ok());
}

}  // namespace
}  // namespace holdfast::mongo
