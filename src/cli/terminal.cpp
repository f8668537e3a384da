#include "cli/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>

namespace holdfast::cli {
namespace {

/// Longest answer; passwords and identifiers are far shorter.
constexpr std::size_t max_answer_bytes = 4096;
/// How often a question looks whether the program was asked to stop.
constexpr int poll_interval_ms = 100;

// The settings to give back lie where restore_terminal_echo can reach them without a lock.
termios saved_settings{};
std::atomic<bool> echo_is_off{false};

/// Turns echo off for its lifetime.
class EchoOff {
 public:
  EchoOff() {
    termios settings{};
    if (tcgetattr(STDIN_FILENO, &settings) != 0) return;
    saved_settings = settings;
    echo_is_off.store(true);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings);
  }
  ~EchoOff() { restore_terminal_echo(); }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
};

/// Writes everything; returns errno, or 0.
int write_fully(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {
        pollfd writable{fd, POLLOUT, 0};
        (void)::poll(&writable, 1, poll_interval_ms);
        continue;
      }
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

class ProcessTerminal final : public Terminal {
 public:
  explicit ProcessTerminal(bool dumb)
      : dumb_(dumb),
        in_terminal_(isatty(STDIN_FILENO) == 1),
        out_terminal_(isatty(STDOUT_FILENO) == 1),
        error_terminal_(isatty(STDERR_FILENO) == 1) {}

  void write_out(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    if (out_closed_ || out_failed_) return;
    const int error = write_fully(STDOUT_FILENO, text);
    if (error == EPIPE) out_closed_ = true;
    if (error != 0 && error != EPIPE) out_failed_ = true;
  }
  void write_error(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    (void)write_fully(STDERR_FILENO, text);
  }
  [[nodiscard]] bool out_failed() const override {
    const std::lock_guard lock(mutex_);
    return out_failed_;
  }
  [[nodiscard]] bool out_is_terminal() const override { return out_terminal_; }
  [[nodiscard]] bool error_is_terminal() const override { return error_terminal_; }
  [[nodiscard]] bool can_ask() const override { return in_terminal_; }
  [[nodiscard]] std::size_t width() const override {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
  }
  [[nodiscard]] bool can_redraw() const override { return error_terminal_ && !dumb_; }

  [[nodiscard]] Result<std::string> ask(std::string_view question, std::stop_token stop) override {
    auto answer = read_answer(question, stop);
    if (!answer.ok()) return answer.error();
    return std::string(as_text(answer->view()));
  }
  [[nodiscard]] Result<SecretBytes> ask_secret(std::string_view question,
                                               std::stop_token stop) override {
    Result<SecretBytes> answer = Error(ErrorCode::cancelled, "no answer");
    {
      const EchoOff quiet;
      answer = read_answer(question, stop);
    }
    write_error("\n");
    return answer;
  }

 private:
  [[nodiscard]] Result<SecretBytes> read_answer(std::string_view question, std::stop_token& stop) {
    write_error(question);
    SecretBytes line(max_answer_bytes);
    std::size_t size = 0;
    while (size < max_answer_bytes) {
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "interrupted");
      pollfd readable{STDIN_FILENO, POLLIN, 0};
      const int ready = ::poll(&readable, 1, poll_interval_ms);
      if (ready <= 0) continue;
      const ssize_t got = ::read(STDIN_FILENO, line.span().data() + size, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Error(ErrorCode::precondition, "no answer was given");
      if (line.view()[size] == '\n') return SecretBytes(line.view().first(size));
      ++size;
    }
    return Error(ErrorCode::usage, "the answer is too long");
  }

  bool dumb_;
  bool in_terminal_;
  bool out_terminal_;
  bool error_terminal_;
  mutable std::mutex mutex_;
  bool out_closed_ = false;
  bool out_failed_ = false;
};

}  // namespace

void occupy_standard_streams() noexcept {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // open() takes the lowest free number: this one, since those below are taken by now.
    if (::fcntl(fd, F_GETFD) == -1) (void)::open("/dev/null", O_RDWR);
  }
}

std::unique_ptr<Terminal> make_process_terminal(bool dumb) {
  return std::make_unique<ProcessTerminal>(dumb);
}

void restore_terminal_echo() noexcept {
  if (echo_is_off.exchange(false)) tcsetattr(STDIN_FILENO, TCSANOW, &saved_settings);
}

}  // namespace holdfast::cli
