#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace holdfast {

// How numbers, times and foreign text look to people, the same everywhere. All functions are
// pure (but for the zone of `TimeZone::local`), thread-safe, and independent of the locale.

/// "0 B", "999 B", "27.4 MB": decimal units (kB = 1000), one digit after the point.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
/// "1,234,567"
[[nodiscard]] std::string format_count(std::uint64_t count);
/// "3.2 ms", "0.84 s", "12.3 s", "3 m 10 s", "2 h 5 m", "4 d 3 h"
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);

enum class TimeZone {
  utc,
  local,  ///< Of this process: TZ, else the machine's.
};
/// "2026-11-23 09:14:14 UTC", or with the zone's offset: "2026-11-23 12:44:14 +03:30".
[[nodiscard]] std::string format_time(WallTime time, TimeZone zone = TimeZone::utc);

/// How many columns a terminal gives this UTF-8 text: 0 for combining and format characters, 2 for
/// wide ones (East Asian Wide and Fullwidth, most emoji), 0 for control characters, 1 for each
/// byte that is not UTF-8.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The text without what could move a terminal's cursor or rewrite what stands elsewhere:
/// control characters become "\n", "\x1b", bidirectional overrides and isolates and the
/// separators U+2028/2029 become "\u{202e}", bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string sanitize_for_terminal(std::string_view text);

/// The text between U+2068 and U+2069 if it holds right-to-left letters, so that the terminal
/// doesn't reorder what stands beside it; else as it is. Sanitize first.
[[nodiscard]] std::string isolate_right_to_left(std::string_view text);

enum class Align { left, right };
/// Isolated and filled with spaces to `width` columns; longer text stays whole.
[[nodiscard]] std::string pad_to_width(std::string_view text, std::size_t width,
                                       Align align = Align::left);
/// At most `width` columns, the last of them "…" where something was cut.
[[nodiscard]] std::string cut_to_width(std::string_view text, std::size_t width);

}  // namespace holdfast
