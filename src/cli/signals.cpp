#include "cli/signals.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <string_view>

#include "cli/terminal.h"

namespace holdfast::cli {
namespace {

/// Wakes the watching thread at the end; blocked and waited for like the others.
constexpr int wake_signal = SIGUSR2;

void add_unless_ignored(sigset_t& set, int signal) {
  struct sigaction current {};
  if (::sigaction(signal, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) return;
  sigaddset(&set, signal);
}

/// Without a lock and without waiting: whoever reads our output may have stopped to, and another
/// thread may be stuck in writing it.
void say_if_possible(std::string_view text) {
  pollfd writable{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&writable, 1, 0) != 1 || (writable.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

SignalWatch::SignalWatch() {
  (void)::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  add_unless_ignored(signals_, SIGINT);
  add_unless_ignored(signals_, SIGTERM);
  sigaddset(&signals_, wake_signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
  ended_.store(true);
  pthread_kill(thread_.native_handle(), wake_signal);
  thread_.join();
}

void SignalWatch::watch() {
  while (true) {
    int signal = 0;
    if (sigwait(&signals_, &signal) != 0) continue;
    if (signal == wake_signal) {
      if (ended_.load()) return;
      continue;
    }
    if (received_.load() != 0) {
      restore_terminal_echo();
      ::_exit(128 + signal);
    }
    received_.store(signal);
    say_if_possible("\nstopping; once more to stop at once\n");
    source_.request_stop();
  }
}

}  // namespace holdfast::cli
