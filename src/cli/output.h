#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"

namespace holdfast::cli {

/// Fields keep the order in which they are written.
using Json = nlohmann::ordered_json;

/// Where a command's words go: text for people, or one versioned JSON document (long work: lines
/// of progress, then a result). In JSON mode nothing but JSON reaches standard output.
/// Thread-safe as the terminal is.
class Output {
 public:
  Output(Terminal& terminal, bool json, bool quiet, bool color)
      : terminal_(terminal), json_(json), quiet_(quiet), color_(color) {}

  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] bool quiet() const { return quiet_; }

  /// What was asked for: always shown. Nothing in JSON mode.
  void print(std::string_view text);
  /// A report on work done: not with --quiet. Nothing in JSON mode.
  void report(std::string_view text);
  /// Something to know, on standard error; not with --quiet; nothing in JSON mode.
  void tell(std::string_view text);
  /// A warning on standard error, always.
  void warn(std::string_view text);

  /// The one document of a command, e.g. format "holdfast.info/1". Nothing in text mode.
  void document(std::string_view format, Json fields);
  /// The last line of long work; adds `"type":"result"`. Nothing in text mode.
  void result(std::string_view format, Json fields);
  /// A line of long work as it is. Nothing in text mode.
  void line(const Json& line);

  /// "error: …" and the hint on standard error; in JSON mode an error document on standard
  /// output, too.
  void error(const Error& error, ExitCode code);

  enum class Color { green, yellow, red, bold };
  /// The text in a colour where colours are shown on standard output.
  [[nodiscard]] std::string colored(std::string_view text, Color color) const;

 private:
  Terminal& terminal_;
  bool json_;
  bool quiet_;
  bool color_;
};

/// One line of JSON; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_line(const Json& value);
/// "2026-11-23T09:14:14Z"; null for the epoch (never).
[[nodiscard]] Json json_time(WallTime time);

}  // namespace holdfast::cli
