#include "cli/parse_moment.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

#include "cli/parse_time.h"

namespace holdfast::cli {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t seconds;
};

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::array units{
    Unit{"s", 1},         Unit{"sec", 1},         Unit{"second", 1},
    Unit{"seconds", 1},   Unit{"m", minute},      Unit{"min", minute},
    Unit{"mins", minute}, Unit{"minute", minute}, Unit{"minutes", minute},
    Unit{"h", hour},      Unit{"hour", hour},     Unit{"hours", hour},
    Unit{"d", day},       Unit{"day", day},       Unit{"days", day},
};
constexpr std::uint32_t last_ordinal = std::numeric_limits<std::uint32_t>::max();
/// Fits a timestamp, and leaves room for arithmetic.
constexpr std::int64_t max_seconds = std::numeric_limits<std::uint32_t>::max();

/// 2001: "12:52" is a time of day, not a cluster time.
constexpr std::int64_t least_seconds = 1'000'000'000;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// A number from the front, up to `max_seconds`.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || number < 0 || number > max_seconds) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return number;
}

std::optional<std::int64_t> parse_ago(std::string_view text) {
  constexpr std::string_view word = "ago";
  if (!text.ends_with(word)) return std::nullopt;
  text = trim(text.substr(0, text.size() - word.size()));
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  text = trim(text);
  for (const Unit& unit : units) {
    if (unit.name == text && *number <= max_seconds / unit.seconds) return *number * unit.seconds;
  }
  return std::nullopt;
}

std::optional<ClusterTime> parse_numbers(std::string_view text) {
  const auto seconds = take_number(text);
  if (!seconds || *seconds < least_seconds) return std::nullopt;
  const auto whole = static_cast<std::uint32_t>(*seconds);
  if (text.empty()) return ClusterTime{whole, last_ordinal};
  if (text.front() != ':') return std::nullopt;
  text.remove_prefix(1);
  const auto ordinal = take_number(text);
  if (!ordinal || !text.empty()) return std::nullopt;
  return ClusterTime{whole, static_cast<std::uint32_t>(*ordinal)};
}

}  // namespace

Result<MomentText> parse_moment(std::string_view text) {
  text = trim(text);
  MomentText moment;
  moment.now = text == "now";
  if (moment.now) return moment;
  if (moment.seconds_ago = parse_ago(text); moment.seconds_ago) return moment;
  if (moment.time = parse_numbers(text); moment.time) return moment;
  const auto wall = parse_time(text);
  constexpr std::size_t date_alone = 10;
  if (!wall.ok() || text.size() <= date_alone) {
    return Error(ErrorCode::usage, fmt::format("'{}' is no moment", text),
                 "write 2026-11-23T09:14:14+03:30 (with a zone, or Z), seconds since 1970, a "
                 "cluster time T:I, '10 minutes ago', or now");
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*wall).time_since_epoch().count();
  if (seconds < 0 || seconds > max_seconds) {
    return Error(ErrorCode::usage, fmt::format("'{}' is outside of what servers count", text));
  }
  moment.time = ClusterTime{static_cast<std::uint32_t>(seconds), last_ordinal};
  return moment;
}

std::optional<ClusterTime> resolve_moment(const MomentText& text, WallTime server_now) {
  if (!text.seconds_ago) return text.time;
  const auto now = std::chrono::floor<std::chrono::seconds>(server_now).time_since_epoch().count();
  return ClusterTime{static_cast<std::uint32_t>(std::max<std::int64_t>(now - *text.seconds_ago, 0)),
                     last_ordinal};
}

}  // namespace holdfast::cli
