#include "smokava/calendar.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "smokava/dice.h"

namespace holdfast::smokava {
namespace {

constexpr std::int64_t days_of_history = 1095;
/// The last minute before now stays quiet, so that "in a moment" is never after now.
constexpr std::int64_t quiet_seconds = 60;
/// Business of each hour of a day in Tehran, in thousandths.
constexpr std::array<std::uint64_t, 24> hour_weights = {
    70, 38, 16, 6, 3, 2, 2, 4, 8, 12, 16, 22, 32, 36, 32, 32, 40, 58, 78, 96, 112, 112, 96, 77};
/// Monday … Sunday, in hundredths; the weekend is Thursday and Friday.
constexpr std::array<std::uint64_t, 7> weekday_weights = {84, 88, 100, 148, 140, 92, 86};
constexpr std::uint64_t weights_of_a_day = 1000;
constexpr std::uint64_t hour_seconds = 3600;

/// Business done in a day's first `seconds`, in hour weights times `hour_seconds`.
std::uint64_t done_within_day(std::uint64_t seconds) {
  std::uint64_t done = 0;
  for (const auto weight : hour_weights) {
    const auto part = std::min(seconds, hour_seconds);
    done += weight * part;
    seconds -= part;
  }
  return done;
}

/// The inverse of done_within_day.
std::uint64_t second_within_day(std::uint64_t done) {
  std::uint64_t seconds = 0;
  for (const auto weight : hour_weights) {
    const auto full = weight * hour_seconds;
    if (done < full) return seconds + done / weight;
    done -= full;
    seconds += hour_seconds;
  }
  return static_cast<std::uint64_t>(day_seconds) - 1;
}

}  // namespace

Calendar::Calendar(std::int64_t now_ms, std::uint64_t seed)
    : now_ms_(now_ms), last_second_(now_ms / 1000 - quiet_seconds) {
  start_second_ = day_start(last_second_) - days_of_history * day_seconds;
  done_before_.push_back(0);
  for (std::int64_t day = 0; day <= days_of_history; ++day) {
    const auto begin = start_second_ + day * day_seconds;
    const auto number = static_cast<std::uint64_t>(day);
    Dice dice(seed, Topic::calendar, number);
    const auto growth = 300 + number;  // from 300 to 1,400 a day
    const auto noise = 90 + dice.below(21);
    const auto weekday_weight = weekday_weights[static_cast<std::size_t>(weekday(begin))];
    const auto seconds = std::min(day_seconds, last_second_ + 1 - begin);
    const auto share = done_within_day(static_cast<std::uint64_t>(seconds));
    done_before_.push_back(done_before_.back() +
                           growth * weekday_weight * noise * share / (weights_of_a_day * 10'000));
  }
}

std::int64_t Calendar::second_at(std::uint64_t index, std::uint32_t fraction,
                                 std::uint64_t count) const {
  constexpr std::uint32_t fraction_bits = 20;
  const auto position = (index << fraction_bits) | fraction;
  const auto done = multiply_divide(position, done_before_.back(), count << fraction_bits);
  const auto after = std::upper_bound(done_before_.begin(), done_before_.end(), done);
  const auto day = std::min<std::ptrdiff_t>(after - done_before_.begin() - 1, days_of_history);
  const auto before = done_before_[static_cast<std::size_t>(day)];
  const auto whole = done_before_[static_cast<std::size_t>(day) + 1] - before;
  const auto begin = start_second_ + day * day_seconds;
  const auto seconds = std::min(day_seconds, last_second_ + 1 - begin);
  const auto share = done_within_day(static_cast<std::uint64_t>(seconds));
  const auto within = second_within_day(multiply_divide(done - before, share, whole));
  return std::min(begin + static_cast<std::int64_t>(within), last_second_);
}

std::int64_t Calendar::day_start(std::int64_t second) {
  const auto local = second + tehran_offset_seconds;
  return local - local % day_seconds - tehran_offset_seconds;
}

int Calendar::weekday(std::int64_t second) {
  // 1 January 1970 was a Thursday.
  return static_cast<int>(((second + tehran_offset_seconds) / day_seconds + 3) % 7);
}

CalendarDate tehran_date(std::int64_t second) {
  const auto days = (second + tehran_offset_seconds) / day_seconds;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return {int{date.year()}, unsigned{date.month()}, unsigned{date.day()}};
}

}  // namespace holdfast::smokava
