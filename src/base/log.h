#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat {
  text,  ///< "2026-11-23 09:14:14.120 UTC info: sentence"
  json,  ///< {"time":"2026-11-23T09:14:14.120Z","level":"info","message":"sentence"}
};

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

// The log: one line on stderr for each message. Secrets of URIs are masked and control characters
// escaped in every message, so a name read from a database cannot forge a line. Logging is
// thread-safe and never fails to its caller; lines of several threads do not mix.

/// Call it once, before threads start; until then the defaults hold.
void configure_logging(const LogSettings& settings);
[[nodiscard]] bool log_enabled(LogLevel level);
/// Writes one message at this level, if enabled.
void write_log(LogLevel level, std::string_view message);

template <typename... Args>
void log_at(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) write_log(level, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::debug, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::info, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::warning, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::error, format, std::forward<Args>(args)...);
}

/// The text with the secrets of every URI in it replaced by "***": the password before an '@', and
/// query values whose name tells of a secret (password, token, secret, signature, …). Works on a
/// URI alone and on sentences that contain some; what is malformed is masked rather too much.
/// Everything that shows a URI goes through it.
[[nodiscard]] std::string mask_uri(std::string_view text);

}  // namespace holdfast
