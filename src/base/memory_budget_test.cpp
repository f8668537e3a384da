#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

TEST(MemoryBudget, never_grants_more_than_it_has) {
  MemoryBudget budget(100);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&budget, thread] {
        for (std::uint64_t turn = 0; turn < 200; ++turn) {
          const auto lease = budget.acquire((turn * 13 + static_cast<std::uint64_t>(thread)) % 60);
          ASSERT_TRUE(lease.ok());
        }
      });
    }
  }
  EXPECT_LE(budget.peak(), 100U);
  EXPECT_GT(budget.peak(), 0U);
  EXPECT_EQ(budget.held(), 0U);
}

TEST(MemoryBudget, grants_a_request_above_the_whole_when_nothing_else_is_held) {
  MemoryBudget budget(10);
  auto huge = budget.acquire(50);
  ASSERT_TRUE(huge.ok());
  std::atomic<bool> granted = false;
  std::jthread other([&] {
    const auto small = budget.acquire(1);
    granted = small.ok();
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(granted);
  huge->release();
  other.join();
  EXPECT_TRUE(granted);
}

TEST(MemoryBudget, serves_a_large_request_before_later_small_ones) {
  MemoryBudget budget(10);
  auto held = budget.acquire(5);
  std::atomic<int> order = 0;
  int large_turn = 0;
  int small_turn = 0;
  std::jthread large([&] {
    const auto lease = budget.acquire(10);
    large_turn = ++order;
  });
  std::this_thread::sleep_for(20ms);
  std::jthread small([&] {
    const auto lease = budget.acquire(1);
    small_turn = ++order;
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(order, 0);
  held->release();
  large.join();
  small.join();
  EXPECT_LT(large_turn, small_turn);
}

TEST(MemoryBudget, a_stop_ends_the_wait_and_lets_the_next_pass) {
  MemoryBudget budget(10);
  const auto held = budget.acquire(5);
  std::stop_source stop;
  ErrorCode code = ErrorCode::io;
  std::jthread waiting([&] { code = budget.acquire(10, stop.get_token()).error().code(); });
  std::this_thread::sleep_for(20ms);
  std::atomic<bool> granted = false;
  std::jthread small([&] { granted = budget.acquire(5).ok(); });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(granted);
  stop.request_stop();
  waiting.join();
  small.join();
  EXPECT_EQ(code, ErrorCode::cancelled);
  EXPECT_TRUE(granted);
}

TEST(MemoryLease, shrinks) {
  MemoryBudget budget(10);
  auto lease = budget.acquire(8);
  lease->shrink(3);
  EXPECT_EQ(budget.held(), 3U);
  MemoryLease moved = std::move(*lease);
  EXPECT_EQ(lease->bytes(), 0U);
  moved.shrink(5);
  EXPECT_EQ(budget.held(), 3U);
}

}  // namespace
}  // namespace holdfast
