#pragma once

#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::cli {

/// "2026-11-23T09:14:14Z", with "+03:30" instead of "Z", a space instead of "T", without seconds,
/// or a date alone (midnight UTC). A time of day without a zone is refused: nobody could tell
/// which one is meant. Errors: usage.
[[nodiscard]] Result<WallTime> parse_time(std::string_view text);

/// "500ms", "30s", "5m", "2h", "1d". Errors: usage.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace holdfast::cli
