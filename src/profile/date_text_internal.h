#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "profile/time_zone.h"

namespace holdfast::profile {

/// A wall clock's time taken apart, in the proleptic Gregorian calendar.
class LocalTime {
 public:
  enum Part {
    year,
    month,
    day,
    hour,
    minute,
    second,
    millisecond,
    weekday,  ///< 1 (Sunday) … 7
    day_of_year,
    week,  ///< 0 … 53, of Sundays
    iso_weekday,
    iso_week,
    iso_year,
  };
  explicit LocalTime(std::int64_t local_ms);
  [[nodiscard]] std::int64_t part(Part part) const;
  /// Months since year 0.
  [[nodiscard]] std::int64_t months() const { return year_ * 12 + month_ - 1; }
  [[nodiscard]] std::int64_t days() const { return days_; }
  [[nodiscard]] std::int64_t in_day() const { return in_day_; }

 private:
  std::int64_t days_;    ///< since 1970
  std::int64_t in_day_;  ///< milliseconds
  std::int64_t year_ = 0;
  std::int64_t month_ = 1;
  std::int64_t day_ = 1;
};

enum class DateUnit { year, quarter, month, week, day, hour, minute, second, millisecond };
[[nodiscard]] std::optional<DateUnit> parse_unit(std::string_view name);
/// "monday", "Mon": 0 (Sunday) … 6.
[[nodiscard]] std::optional<int> parse_weekday(std::string_view name);

/// Days from 1970 to the first day of a month, counted from year 0.
[[nodiscard]] std::int64_t days_from_month(std::int64_t months);

// $dateAdd, $dateDiff, $dateTrunc and $dateToString
// (https://www.mongodb.com/docs/v7.0/reference/operator/aggregation/dateTrunc/ and its neighbours).

/// Days and longer by the wall clock, a month's day cut to its last; nothing on overflow.
[[nodiscard]] std::optional<std::int64_t> add_units(std::int64_t at, DateUnit unit,
                                                    std::int64_t count, std::int64_t sign,
                                                    const Zone& zone);
[[nodiscard]] std::int64_t count_boundaries(std::int64_t from, std::int64_t to, DateUnit unit,
                                            const Zone& zone, int first_weekday);
/// Bins are counted from 2000-01-01; weeks from the first such weekday of that year.
[[nodiscard]] std::int64_t truncate_to(std::int64_t at, DateUnit unit, std::int64_t bin,
                                       const Zone& zone, int first_weekday);
/// Errors: usage (an unknown format specifier, a year outside 0 … 9999).
[[nodiscard]] Result<std::string> format_local(std::int64_t at, const Zone& zone,
                                               std::string_view format);

}  // namespace holdfast::profile
