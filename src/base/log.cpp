#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "base/text.h"
#include "base/unicode.h"

namespace holdfast {

namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// The content of a JSON string.
std::string escape_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto before = text;
    const char32_t letter = unicode::take(text);
    if (letter == unicode::invalid) {
      out += "\uFFFD";
    } else if (letter == U'"' || letter == U'\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(letter));
    } else if (unicode::is_control(letter) || unicode::reorders(letter)) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(letter));
    } else {
      out += before.substr(0, before.size() - text.size());
    }
  }
  return out;
}

/// The process's one stderr needs one owner; everything else is passed in.
struct Log {
  Log() : logger("holdfast", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    configure({});
    logger.set_error_handler([](const std::string&) {});  // a broken stderr is nobody's error
  }

  void configure(const LogSettings& settings) {
    format = settings.format;
    logger.set_level(level_of(settings.level));
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        format == LogFormat::text
            ? "%Y-%m-%d %H:%M:%S.%e UTC %l: %v"
            : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})",
        spdlog::pattern_time_type::utc));
  }

  LogFormat format = LogFormat::text;
  spdlog::logger logger;
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

void configure_logging(const LogSettings& settings) { the_log().configure(settings); }

bool log_enabled(LogLevel level) { return the_log().logger.should_log(level_of(level)); }

void write_log(LogLevel level, std::string_view message) {
  const std::string masked = mask_uri(message);
  the_log().logger.log(level_of(level), the_log().format == LogFormat::json
                                            ? escape_json(masked)
                                            : sanitize_for_terminal(masked));
}

}  // namespace holdfast
