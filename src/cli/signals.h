#pragma once

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

namespace holdfast::cli {

/// Turns SIGINT and SIGTERM into a stop request; a second one ends the process at once. Made
/// before other threads, since they must inherit the blocked signals. A signal that the parent
/// ignores (nohup, a shell's background job) stays ignored. SIGPIPE is ignored from here on: a
/// reader that closes its pipe must not kill a backup.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  /// The signal that asked to stop, or 0.
  [[nodiscard]] int received() const { return received_.load(); }

 private:
  void watch();

  std::stop_source source_;
  std::atomic<int> received_{0};
  std::atomic<bool> ended_{false};
  sigset_t signals_{};
  std::thread thread_;
};

}  // namespace holdfast::cli
