#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, gives_what_was_pushed_in_order_and_ends_when_closed) {
  BoundedQueue<std::unique_ptr<int>> queue(4);
  EXPECT_TRUE(queue.push(std::make_unique<int>(1)));
  EXPECT_TRUE(queue.push(std::make_unique<int>(2)));
  queue.close();
  EXPECT_FALSE(queue.push(std::make_unique<int>(3)));
  EXPECT_EQ(**queue.pop(), 1);
  EXPECT_EQ(**queue.pop(), 2);
  EXPECT_FALSE(queue.pop().has_value());
}

TEST(BoundedQueue, a_producer_waits_for_room) {
  BoundedQueue<int> queue(2);
  std::atomic<int> pushed = 0;
  std::jthread producer([&] {
    for (int number = 0; number < 5; ++number) {
      ASSERT_TRUE(queue.push(number));
      ++pushed;
    }
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(pushed, 2);
  for (int number = 0; number < 5; ++number) EXPECT_EQ(queue.pop(), number);
}

TEST(BoundedQueue, a_stop_ends_both_waits) {
  BoundedQueue<int> empty(1);
  BoundedQueue<int> full(1);
  ASSERT_TRUE(full.push(1));
  std::jthread consumer([&](std::stop_token stop) { EXPECT_FALSE(empty.pop(stop).has_value()); });
  std::jthread producer([&](std::stop_token stop) { EXPECT_FALSE(full.push(2, stop)); });
  std::this_thread::sleep_for(10ms);
  consumer.request_stop();
  producer.request_stop();
}

TEST(BoundedQueue, loses_nothing_between_many_threads) {
  BoundedQueue<int> queue(3);
  std::atomic<int> sum = 0;
  {
    std::vector<std::jthread> consumers;
    for (int thread = 0; thread < 4; ++thread) {
      consumers.emplace_back([&] {
        while (const auto number = queue.pop()) sum += *number;
      });
    }
    {
      std::vector<std::jthread> producers;
      for (int thread = 0; thread < 4; ++thread) {
        producers.emplace_back([&] {
          for (int number = 1; number <= 1000; ++number) ASSERT_TRUE(queue.push(number));
        });
      }
    }
    queue.close();
  }
  EXPECT_EQ(sum, 4 * 500'500);
}

}  // namespace
}  // namespace holdfast
