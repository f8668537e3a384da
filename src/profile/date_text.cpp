#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "profile/date_text_internal.h"

namespace holdfast::profile {
namespace {

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;
/// 2000-01-01, a Saturday, in days and in months.
constexpr std::int64_t reference_day = 10957;
constexpr std::int64_t reference_month = 2000 * 12;
/// Dates are 64-bit milliseconds; calendar arithmetic stays within these years.
constexpr std::int64_t most_months = 200'000'000LL * 12;

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

/// Days since 1970 of a civil date, and back (http://howardhinnant.github.io/date_algorithms.html;
/// date.h itself stops at the year 32767).
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = floor_divide(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

std::int64_t weekday_of(std::int64_t days) { return ((days + 4) % 7 + 7) % 7; }

/// The first day of ISO week 1 of a year.
std::int64_t iso_start(std::int64_t year) {
  const std::int64_t fourth = days_from_civil(year, 1, 4);
  return fourth - (weekday_of(fourth) + 6) % 7;
}

std::int64_t fixed_length(DateUnit unit) {
  switch (unit) {
    case DateUnit::hour: return hour_ms;
    case DateUnit::minute: return minute_ms;
    case DateUnit::second: return second_ms;
    default: return 1;
  }
}

std::int64_t month_count(DateUnit unit) {
  return unit == DateUnit::year ? 12 : unit == DateUnit::quarter ? 3 : 1;
}

bool is_calendar(DateUnit unit) {
  return unit == DateUnit::year || unit == DateUnit::quarter || unit == DateUnit::month;
}

}  // namespace

LocalTime::LocalTime(std::int64_t local_ms)
    : days_(floor_divide(local_ms, day_ms)), in_day_(local_ms - days_ * day_ms) {
  const std::int64_t shifted = days_ + 719'468;
  const std::int64_t era = floor_divide(shifted, 146'097);
  const std::int64_t of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t from_march = (5 * of_year + 2) / 153;
  day_ = of_year - (153 * from_march + 2) / 5 + 1;
  month_ = from_march < 10 ? from_march + 3 : from_march - 9;
  year_ = year_of_era + era * 400 + (month_ <= 2 ? 1 : 0);
}

std::int64_t LocalTime::part(Part part) const {
  switch (part) {
    case year: return year_;
    case month: return month_;
    case day: return day_;
    case hour: return in_day_ / hour_ms;
    case minute: return in_day_ / minute_ms % 60;
    case second: return in_day_ / second_ms % 60;
    case millisecond: return in_day_ % second_ms;
    case weekday: return weekday_of(days_) + 1;
    case day_of_year: return days_ - days_from_civil(year_, 1, 1) + 1;
    case week: return (this->part(day_of_year) + 6 - weekday_of(days_)) / 7;
    case iso_weekday: return (weekday_of(days_) + 6) % 7 + 1;
    case iso_week: return (days_ - iso_start(this->part(iso_year))) / 7 + 1;
    case iso_year:
      if (days_ < iso_start(year_)) return year_ - 1;
      return days_ >= iso_start(year_ + 1) ? year_ + 1 : year_;
  }
  return 0;
}

std::optional<DateUnit> parse_unit(std::string_view name) {
  constexpr std::array<std::string_view, 9> names = {
      "year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"};
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<DateUnit>(found - names.begin());
}

std::optional<int> parse_weekday(std::string_view name) {
  constexpr std::array<std::string_view, 7> names = {"sunday",   "monday", "tuesday", "wednesday",
                                                     "thursday", "friday", "saturday"};
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (lower == names[i] || lower == names[i].substr(0, 3)) return static_cast<int>(i);
  }
  return std::nullopt;
}

std::int64_t days_from_month(std::int64_t months) {
  const std::int64_t year = floor_divide(months, 12);
  return days_from_civil(year, months - year * 12 + 1, 1);
}

std::optional<std::int64_t> add_units(std::int64_t at, DateUnit unit, std::int64_t count,
                                      std::int64_t sign, const Zone& zone) {
  std::int64_t amount = 0;
  if (__builtin_mul_overflow(count, sign, &amount)) return std::nullopt;
  std::int64_t step = 0;
  std::int64_t moved = 0;
  if (is_calendar(unit)) {
    if (std::abs(amount) > most_months / month_count(unit)) return std::nullopt;
    const LocalTime local(zone.to_local(at));
    const std::int64_t months = local.months() + amount * month_count(unit);
    const std::int64_t first = days_from_month(months);
    const std::int64_t length = days_from_month(months + 1) - first;
    const std::int64_t day = std::min(local.part(LocalTime::day), length) - 1;
    if (__builtin_mul_overflow(first + day, day_ms, &moved)) return std::nullopt;
    return zone.from_local(moved + local.in_day());
  }
  if (unit == DateUnit::day || unit == DateUnit::week) {
    const std::int64_t length = unit == DateUnit::week ? 7 * day_ms : day_ms;
    if (__builtin_mul_overflow(amount, length, &step) ||
        __builtin_add_overflow(zone.to_local(at), step, &moved)) {
      return std::nullopt;
    }
    return zone.from_local(moved);
  }
  if (__builtin_mul_overflow(amount, fixed_length(unit), &step) ||
      __builtin_add_overflow(at, step, &moved)) {
    return std::nullopt;
  }
  return moved;
}

std::int64_t count_boundaries(std::int64_t from, std::int64_t to, DateUnit unit, const Zone& zone,
                              int first_weekday) {
  from = clamp_moment(from);
  to = clamp_moment(to);
  const LocalTime start(zone.to_local(from));
  const LocalTime end(zone.to_local(to));
  if (is_calendar(unit)) {
    const std::int64_t length = month_count(unit);
    return floor_divide(end.months(), length) - floor_divide(start.months(), length);
  }
  if (unit == DateUnit::day) return end.days() - start.days();
  if (unit == DateUnit::week) {
    // 1970-01-01 was a Thursday: the Sunday before it is day -4.
    const auto week = [first_weekday](std::int64_t days) {
      return floor_divide(days + 4 - first_weekday, 7);
    };
    return week(end.days()) - week(start.days());
  }
  if (unit == DateUnit::hour) {
    // Zones with half hours shift the boundaries of hours, but a change of the offset is no time.
    const std::int64_t offset = zone.offset_ms(from) % hour_ms;
    return floor_divide(to + offset, hour_ms) - floor_divide(from + offset, hour_ms);
  }
  const std::int64_t length = fixed_length(unit);
  return floor_divide(to, length) - floor_divide(from, length);
}

std::int64_t truncate_to(std::int64_t at, DateUnit unit, std::int64_t bin, const Zone& zone,
                         int first_weekday) {
  at = clamp_moment(at);
  const LocalTime local(zone.to_local(at));
  if (is_calendar(unit)) {
    bin = std::min(bin, most_months / 12) * month_count(unit);
    const std::int64_t months =
        reference_month + floor_divide(local.months() - reference_month, bin) * bin;
    return zone.from_local(days_from_month(months) * day_ms);
  }
  if (unit == DateUnit::day || unit == DateUnit::week) {
    std::int64_t origin = reference_day;
    bin = std::min<std::int64_t>(bin, 1'000'000'000);
    if (unit == DateUnit::week) {
      bin *= 7;
      while (weekday_of(origin) != first_weekday) ++origin;
    }
    const std::int64_t days = origin + floor_divide(local.days() - origin, bin) * bin;
    return zone.from_local(days * day_ms);
  }
  const std::int64_t origin = zone.from_local(reference_day * day_ms);
  std::int64_t length = 0;
  if (__builtin_mul_overflow(bin, fixed_length(unit), &length)) return origin;
  return origin + floor_divide(at - origin, length) * length;
}

Result<std::string> format_local(std::int64_t at, const Zone& zone, std::string_view format) {
  const LocalTime local(zone.to_local(at));
  const std::int64_t year = local.part(LocalTime::year);
  if (year < 0 || year > 9999) {
    return Error(ErrorCode::usage, "$dateToString takes dates of the years 0 to 9999");
  }
  const std::int64_t minutes = zone.offset_ms(at) / minute_ms;
  std::string text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    const char letter = ++i < format.size() ? format[i] : '\0';
    switch (letter) {
      case 'Y': text += fmt::format("{:04}", year); break;
      case 'm': text += fmt::format("{:02}", local.part(LocalTime::month)); break;
      case 'd': text += fmt::format("{:02}", local.part(LocalTime::day)); break;
      case 'H': text += fmt::format("{:02}", local.part(LocalTime::hour)); break;
      case 'M': text += fmt::format("{:02}", local.part(LocalTime::minute)); break;
      case 'S': text += fmt::format("{:02}", local.part(LocalTime::second)); break;
      case 'L': text += fmt::format("{:03}", local.part(LocalTime::millisecond)); break;
      case 'j': text += fmt::format("{:03}", local.part(LocalTime::day_of_year)); break;
      case 'w': text += fmt::format("{}", local.part(LocalTime::weekday)); break;
      case 'u': text += fmt::format("{}", local.part(LocalTime::iso_weekday)); break;
      case 'U': text += fmt::format("{:02}", local.part(LocalTime::week)); break;
      case 'V': text += fmt::format("{:02}", local.part(LocalTime::iso_week)); break;
      case 'G': text += fmt::format("{:04}", local.part(LocalTime::iso_year)); break;
      case 'z':
        text += fmt::format("{}{:02}{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                            std::abs(minutes) % 60);
        break;
      case 'Z': text += fmt::format("{:+}", minutes); break;
      case '%': text += '%'; break;
      default:
        return Error(ErrorCode::usage,
                     fmt::format("Invalid format character '%{}' in format string", letter));
    }
  }
  return text;
}

}  // namespace holdfast::profile
