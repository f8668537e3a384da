#include "changelog/stream_drain.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/temporary_folder_testing.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::changelog {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most_live_bytes = 1024U * 1024;
constexpr std::size_t document_bytes = 100'000;

/// Waits until `reached`; false after ten seconds.
bool wait_until(const std::function<bool()>& reached) {
  const auto begun = std::chrono::steady_clock::now();
  while (!reached()) {
    if (std::chrono::steady_clock::now() - begun > 10s) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

TEST(StreamDrain, stops_to_read_while_too_much_waits_and_goes_on_once_it_is_discarded) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = mongo::connect_to(server->uri());
  const TemporaryFolder folder;
  SystemRandom random;
  auto drain = StreamDrain::start(*client, {"shop"}, std::nullopt, folder.path(), random,
                                  {most_live_bytes, true});
  ASSERT_TRUE(drain.ok()) << drain.error().message();
  const auto writer = mongo::connect_to(server->uri());
  mongo::fill_with_numbers(*writer, {"shop", "users"}, 60, document_bytes);

  ASSERT_TRUE(wait_until([&] { return (*drain)->live_bytes() >= most_live_bytes; }));
  std::this_thread::sleep_for(500ms);
  EXPECT_LT((*drain)->live_bytes(), most_live_bytes + 2 * document_bytes);
  EXPECT_LT((*drain)->drained_events(), 20U);

  std::uint64_t inserts = 0;
  Boundary seen = (*drain)->start_boundary();
  EXPECT_TRUE(wait_until([&] {
    const Boundary newest = (*drain)->newest();
    EXPECT_TRUE((*drain)
                    ->visit(seen, newest,
                            [&](const Event& event) -> Status {
                              if (event.kind == EventKind::insert) ++inserts;
                              return {};
                            })
                    .ok());
    if (!(*drain)->discard(newest)) return true;  // this file system cannot make holes
    seen = newest;
    return inserts == 60;
  }));
  EXPECT_FALSE((*drain)->failure().has_value());
}

}  // namespace
}  // namespace holdfast::changelog
