#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace holdfast::cli {

/// Standard output, standard error and the person at the keyboard; passed in, so that tests play
/// them. Writing is thread-safe; asking is for one thread.
class Terminal {
 public:
  virtual ~Terminal() = default;

  virtual void write_out(std::string_view text) = 0;
  virtual void write_error(std::string_view text) = 0;
  /// Standard output is lost for another reason than a reader that closed its pipe (a full disk).
  [[nodiscard]] virtual bool out_failed() const = 0;

  [[nodiscard]] virtual bool out_is_terminal() const = 0;
  [[nodiscard]] virtual bool error_is_terminal() const = 0;
  /// Somebody can answer: standard input is a terminal.
  [[nodiscard]] virtual bool can_ask() const = 0;
  /// Columns of the terminal behind standard error; 80 where unknown.
  [[nodiscard]] virtual std::size_t width() const = 0;
  /// Whether lines may be redrawn (a terminal that is not "dumb").
  [[nodiscard]] virtual bool can_redraw() const = 0;

  /// Shows the question on standard error and reads one line, without its line break.
  /// Errors: cancelled (asked to stop), precondition (end of input).
  [[nodiscard]] virtual Result<std::string> ask(std::string_view question,
                                                std::stop_token stop) = 0;
  /// The same without echo.
  [[nodiscard]] virtual Result<SecretBytes> ask_secret(std::string_view question,
                                                       std::stop_token stop) = 0;
};

/// Opens /dev/null where standard input, output or error is closed: else the first files that the
/// program opens would take their numbers, and what it says would land in a backup. Call it first.
void occupy_standard_streams() noexcept;

/// The process's own. `dumb` says that TERM names a terminal that cannot redraw.
[[nodiscard]] std::unique_ptr<Terminal> make_process_terminal(bool dumb);

/// Gives the terminal its echo back if a question took it away; async-signal-safe, for the way out
/// that runs no destructors.
void restore_terminal_echo() noexcept;

}  // namespace holdfast::cli
