#include "cli/parse_time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace holdfast::cli {
namespace {

/// Longest duration: a hundred years, so that no arithmetic overflows.
constexpr std::int64_t max_duration_ms = 100LL * 366 * 86'400'000;

/// Takes exactly `digits` digits from the front.
bool take_number(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  const auto parsed = std::from_chars(text.data(), text.data() + digits, out);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + digits || out < 0) return false;
  text.remove_prefix(digits);
  return true;
}

bool take_letter(std::string_view& text, std::string_view allowed) {
  if (text.empty() || allowed.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool take_time_of_day(std::string_view& text, std::chrono::seconds& out) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!take_number(text, 2, hour) || !take_letter(text, ":") || !take_number(text, 2, minute)) {
    return false;
  }
  if (take_letter(text, ":") && !take_number(text, 2, second)) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  out = std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  return true;
}

bool take_zone(std::string_view& text, std::chrono::seconds& offset) {
  offset = std::chrono::seconds(0);
  if (take_letter(text, "Zz")) return true;
  if (text.empty()) return false;
  const bool minus = text.front() == '-';
  int hours = 0;
  int minutes = 0;
  if (!take_letter(text, "+-") || !take_number(text, 2, hours)) return false;
  (void)take_letter(text, ":");
  if (!take_number(text, 2, minutes) || hours > 23 || minutes > 59) return false;
  offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  if (minus) offset = -offset;
  return true;
}

}  // namespace

Result<WallTime> parse_time(std::string_view text) {
  const Error error(ErrorCode::usage, fmt::format("'{}' is no time", text),
                    "write 2026-11-23T09:14:14Z, with +03:30 instead of Z, or a date alone");
  std::string_view rest = text;
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take_number(rest, 4, year) || !take_letter(rest, "-") || !take_number(rest, 2, month) ||
      !take_letter(rest, "-") || !take_number(rest, 2, day)) {
    return error;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return error;
  WallTime time = std::chrono::sys_days(date);
  if (rest.empty()) return time;
  std::chrono::seconds of_day{};
  std::chrono::seconds offset{};
  if (!take_letter(rest, "Tt ") || !take_time_of_day(rest, of_day)) return error;
  (void)take_letter(rest, " ");
  if (!take_zone(rest, offset) || !rest.empty()) return error;
  return time + of_day - offset;
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  static constexpr std::array<Unit, 5> units{
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (parsed.ec == std::errc{} && number >= 0) {
    for (const Unit& known : units) {
      if (known.name != unit || number > max_duration_ms / known.milliseconds) continue;
      return std::chrono::milliseconds(number * known.milliseconds);
    }
  }
  return Error(ErrorCode::usage, fmt::format("'{}' is no duration", text),
               "write 500ms, 30s, 5m, 2h or 1d");
}

}  // namespace holdfast::cli
