#include "base/task_group.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

Status wait_for_stop(const std::stop_token& stop) {
  while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
  return Error(ErrorCode::cancelled, "stopped");
}

TEST(TaskGroup, is_ok_when_all_tasks_are) {
  TaskGroup group;
  for (int task = 0; task < 3; ++task) group.start([](const std::stop_token&) { return Status(); });
  EXPECT_TRUE(group.wait().ok());
}

TEST(TaskGroup, the_first_failure_stops_the_others_and_is_the_outcome) {
  TaskGroup group;
  group.start(wait_for_stop);
  group.start([](const std::stop_token&) -> Status { return Error(ErrorCode::corrupt, "bad"); });
  group.start(wait_for_stop);
  const auto outcome = group.wait();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::corrupt);
  EXPECT_EQ(outcome.error().message(), "bad");
}

TEST(TaskGroup, a_stop_from_outside_reaches_the_tasks) {
  std::stop_source outer;
  TaskGroup group(outer.get_token());
  group.start(wait_for_stop);
  outer.request_stop();
  EXPECT_EQ(group.wait().error().code(), ErrorCode::cancelled);
}

TEST(TaskGroup, an_exception_is_an_error) {
  TaskGroup group;
  group.start([](const std::stop_token&) -> Status { throw std::runtime_error("oops"); });
  EXPECT_EQ(group.wait().error().message(), "unexpected failure: oops");
}

TEST(TaskGroup, destroying_it_stops_and_joins) {
  bool ended = false;
  {
    TaskGroup group;
    group.start([&](const std::stop_token& stop) {
      auto outcome = wait_for_stop(stop);
      ended = true;
      return outcome;
    });
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace holdfast
