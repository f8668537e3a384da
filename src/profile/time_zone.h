#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace date {
class time_zone;
}

namespace holdfast::profile {

/// A moment within 126 million years of 1970: beyond, arithmetic with days and zones would
/// overflow, and nobody means such a date.
[[nodiscard]] constexpr std::int64_t clamp_moment(std::int64_t milliseconds) {
  constexpr std::int64_t most = 4'000'000'000'000'000'000;
  return std::clamp(milliseconds, -most, most);
}

/// A zone as MongoDB takes it: an Olson name ("Asia/Tehran"), "UTC" or "GMT", or an offset
/// ("+03:30", "+0330", "+03"). A value; the database of zones is the system's.
class Zone {
 public:
  /// UTC.
  Zone() = default;
  /// Errors: usage.
  [[nodiscard]] static Result<Zone> find(std::string_view name);

  /// East of Greenwich, at this moment.
  [[nodiscard]] std::int64_t offset_ms(std::int64_t milliseconds) const;
  /// The clock on the wall, as milliseconds since 1970 of that clock.
  [[nodiscard]] std::int64_t to_local(std::int64_t milliseconds) const {
    return clamp_moment(milliseconds) + offset_ms(clamp_moment(milliseconds));
  }
  /// The moment of a wall clock's time: of two the earlier one; of none the one that as much time
  /// after the gap.
  [[nodiscard]] std::int64_t from_local(std::int64_t local_ms) const;
  [[nodiscard]] bool is_utc() const { return zone_ == nullptr && fixed_ms_ == 0; }

 private:
  const date::time_zone* zone_ = nullptr;  ///< Null: a fixed offset.
  std::int64_t fixed_ms_ = 0;
};

}  // namespace holdfast::profile
