#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/result.h"

namespace holdfast {

/// Runs tasks on threads of their own and gathers their outcome. The first task that fails asks
/// all others to stop. `start`, `wait` and the destructor belong to one thread; tasks run on
/// theirs. Destroying it asks all tasks to stop and waits for them, so what tasks refer to must
/// outlive the group.
class TaskGroup {
 public:
  using Task = std::function<Status(std::stop_token)>;

  /// A request on `outer` is passed on to the tasks.
  explicit TaskGroup(std::stop_token outer = {});
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts a thread. An exception that leaves the task counts as an error (io, its text).
  void start(Task task);
  /// What all tasks see; also for collaborators that should stop with them.
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  void request_stop() { stop_.request_stop(); }

  /// Waits for all tasks. The error of the first that failed by itself; `cancelled` only if no
  /// task had another error; ok if all were ok. May be followed by more `start`s only if ok.
  [[nodiscard]] Status wait();

 private:
  struct PassOn {
    std::stop_source* to;
    void operator()() const { to->request_stop(); }
  };
  void record(const Status& outcome);

  std::stop_source stop_;
  std::mutex mutex_;
  std::optional<Error> failure_;
  std::optional<Error> cancelled_;
  std::stop_callback<PassOn> outer_;
  std::vector<std::jthread> threads_;
};

}  // namespace holdfast
