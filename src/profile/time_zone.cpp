#include "profile/time_zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <exception>
#include <map>
#include <mutex>

namespace holdfast::profile {
namespace {

constexpr std::int64_t minute_ms = 60'000;

std::optional<int> two_digits(std::string_view text) {
  if (text.size() < 2 || text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
    return std::nullopt;
  }
  return (text[0] - '0') * 10 + (text[1] - '0');
}

std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  const auto hours = two_digits(text.substr(1));
  std::string_view rest = text.substr(3);
  if (!hours) return std::nullopt;
  if (rest.empty()) return sign * *hours * 60 * minute_ms;
  if (rest.front() == ':') rest.remove_prefix(1);
  const auto minutes = two_digits(rest);
  if (!minutes || rest.size() != 2 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes) * minute_ms;
}

date::sys_seconds to_seconds(std::int64_t milliseconds) {
  return date::floor<std::chrono::seconds>(
      date::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(milliseconds)));
}

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  Zone zone;
  if (name == "UTC" || name == "GMT" || name == "Z") return zone;
  if (const auto offset = parse_offset(name)) {
    zone.fixed_ms_ = *offset;
    return zone;
  }
  try {
    zone.zone_ = date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    return Error(ErrorCode::usage, fmt::format("unrecognized time zone identifier: \"{}\"", name),
                 "names are those of the system's tzdata, like Asia/Tehran");
  }
  return zone;
}

std::int64_t Zone::offset_ms(std::int64_t milliseconds) const {
  if (zone_ == nullptr) return fixed_ms_;
  return std::chrono::milliseconds(zone_->get_info(to_seconds(milliseconds)).offset).count();
}

std::int64_t Zone::from_local(std::int64_t local_ms) const {
  local_ms = clamp_moment(local_ms);
  if (zone_ == nullptr) return local_ms - fixed_ms_;
  const date::local_seconds local(to_seconds(local_ms).time_since_epoch());
  return local_ms - std::chrono::milliseconds(zone_->get_info(local).first.offset).count();
}

}  // namespace holdfast::profile
