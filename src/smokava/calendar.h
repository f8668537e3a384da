#pragma once

#include <cstdint>
#include <vector>

namespace holdfast::smokava {

/// Tehran keeps UTC+3:30 the whole year since September 2022 (tzdata 2022b); the made-up business
/// keeps it always.
inline constexpr std::int64_t tehran_offset_seconds = 12'600;
inline constexpr std::int64_t day_seconds = 86'400;
inline constexpr std::int64_t day_ms = day_seconds * 1000;

/// When things happen: three growing years before now, busier on Thursdays and Fridays, quiet in
/// the morning and full from evening to past midnight. Immutable.
class Calendar {
 public:
  Calendar(std::int64_t now_ms, std::uint64_t seed);

  [[nodiscard]] std::int64_t now_ms() const { return now_ms_; }
  [[nodiscard]] std::int64_t start_second() const { return start_second_; }
  /// The last second in which anything happens; before now.
  [[nodiscard]] std::int64_t last_second() const { return last_second_; }
  /// The second at which the share (index + fraction / 2^20) / count of all business was done.
  /// Never falls when index rises. Requires index < count, fraction < 2^20.
  [[nodiscard]] std::int64_t second_at(std::uint64_t index, std::uint32_t fraction,
                                       std::uint64_t count) const;
  /// Midnight in Tehran at or before `second`.
  [[nodiscard]] static std::int64_t day_start(std::int64_t second);
  /// 0 Monday … 6 Sunday, in Tehran.
  [[nodiscard]] static int weekday(std::int64_t second);

 private:
  std::int64_t now_ms_;
  std::int64_t start_second_;
  std::int64_t last_second_;
  /// Business done before each day, in parts; one more than there are days.
  std::vector<std::uint64_t> done_before_;
};

/// A date of the Gregorian calendar in Tehran, as "20250314".
struct CalendarDate {
  int year;
  unsigned month;
  unsigned day;
};
[[nodiscard]] CalendarDate tehran_date(std::int64_t second);

}  // namespace holdfast::smokava
