#include "base/text.h"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <cmath>
#include <cstdlib>

#include "base/unicode.h"

namespace holdfast {

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  static constexpr std::array units = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  // 999.95 would be shown as 1000.0
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string format_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string format_duration(std::chrono::nanoseconds duration) {
  if (duration.count() < 0) return "-" + format_duration(-duration);
  const double seconds = std::chrono::duration<double>(duration).count();
  // Bounds are where the shorter form would round up to the next unit.
  if (seconds < 0.00995) return fmt::format("{:.1f} ms", seconds * 1000);
  if (seconds < 0.995) return fmt::format("{:.2f} s", seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} m {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} m", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {} h", whole / 86400, whole % 86400 / 3600);
}

std::string format_time(WallTime time, TimeZone zone) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto number = static_cast<time_t>(seconds.time_since_epoch().count());
  struct tm parts {};
  const bool known = zone == TimeZone::utc ? ::gmtime_r(&number, &parts) != nullptr
                                           : ::localtime_r(&number, &parts) != nullptr;
  if (!known) return fmt::format("{} s after 1970", number);
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (zone == TimeZone::utc) return text + " UTC";
  const long minutes = std::labs(parts.tm_gmtoff) / 60;
  return text +
         fmt::format(" {}{:02}:{:02}", parts.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += unicode::width(unicode::take(text));
  return width;
}

std::string sanitize_for_terminal(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto before = text;
    const char32_t letter = unicode::take(text);
    const auto raw = before.substr(0, before.size() - text.size());
    if (letter == unicode::invalid) {
      clean += "\uFFFD";
    } else if (letter == U'\n') {
      clean += "\\n";
    } else if (letter == U'\r') {
      clean += "\\r";
    } else if (letter == U'\t') {
      clean += "\\t";
    } else if (unicode::is_control(letter)) {
      clean += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(letter));
    } else if (unicode::reorders(letter)) {
      clean += fmt::format("\\u{{{:04x}}}", static_cast<std::uint32_t>(letter));
    } else {
      clean += raw;
    }
  }
  return clean;
}

std::string isolate_right_to_left(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    if (!unicode::is_right_to_left(unicode::take(rest))) continue;
    return fmt::format("\u2068{}\u2069", text);
  }
  return std::string(text);
}

std::string pad_to_width(std::string_view text, std::size_t width, Align align) {
  const auto used = display_width(text);
  const std::string fill(used < width ? width - used : 0, ' ');
  const std::string isolated = isolate_right_to_left(text);
  return align == Align::left ? isolated + fill : fill + isolated;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t used = 0;
  std::string_view rest = text;
  while (true) {
    const auto before = rest;
    used += unicode::width(unicode::take(rest));
    if (used > width - 1) {
      return fmt::format("{}…", text.substr(0, text.size() - before.size()));
    }
  }
}

}  // namespace holdfast
