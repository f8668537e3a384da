#include <fmt/format.h>

#include <optional>

#include "base/bytes.h"
#include "bson/json_text.h"
#include "profile/date_text_internal.h"
#include "profile/node_internal.h"
#include "profile/text_internal.h"
#include "profile/time_zone.h"

namespace holdfast::profile {
namespace {

using bson::Type;

constexpr std::int64_t day_ms = 86'400'000;

/// Milliseconds of a date, a timestamp or an ObjectId, which all stand for a moment.
std::optional<std::int64_t> moment_of(const Datum& value) {
  if (value.is(Type::date)) return value.as_integer();
  if (value.is(Type::timestamp)) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(value.as_integer()) >> 32U) * 1000;
  }
  if (!value.is(Type::object_id)) return std::nullopt;
  const ByteView bytes = value.bytes();
  std::uint32_t seconds = 0;
  for (std::size_t i = 0; i < 4; ++i) seconds = seconds << 8U | bytes[i];
  return static_cast<std::int64_t>(static_cast<std::int32_t>(seconds)) * 1000;
}

/// What an argument gives: a value, or a reason to give up (null, or a failure).
template <typename T>
struct Given {
  std::optional<T> value;
  Datum otherwise = Datum::null();
};

Given<std::int64_t> moment(Evaluation& evaluation, const NodePointer& argument) {
  const Datum value = argument->evaluate(evaluation);
  if (value.nullish()) return {};
  const auto milliseconds = moment_of(value);
  if (milliseconds) return {milliseconds};
  return {{}, wrong_type(evaluation, "can't convert to Date from BSON type", value)};
}

Given<Zone> zone(Evaluation& evaluation, const NodePointer& argument) {
  if (argument == nullptr) return {Zone()};
  const Datum value = argument->evaluate(evaluation);
  if (value.nullish()) return {};
  if (!value.is(Type::string)) {
    return {{}, wrong_type(evaluation, "timezone must evaluate to a string, found", value)};
  }
  const auto found = Zone::find(value.as_string());
  if (!found.ok()) return {{}, evaluation.fail(found.error().message())};
  return {*found};
}

Given<DateUnit> unit(Evaluation& evaluation, const NodePointer& argument) {
  const Datum value = argument->evaluate(evaluation);
  if (value.nullish()) return {};
  const auto found = value.is(Type::string) ? parse_unit(value.as_string()) : std::nullopt;
  if (found) return {found};
  return {{}, evaluation.fail("unknown time unit value")};
}

Given<int> first_weekday(Evaluation& evaluation, const NodePointer& argument) {
  if (argument == nullptr) return {0};
  const Datum value = argument->evaluate(evaluation);
  if (value.nullish()) return {};
  const auto found = value.is(Type::string) ? parse_weekday(value.as_string()) : std::nullopt;
  if (found) return {found};
  return {{}, evaluation.fail("unknown day of week value")};
}

/// The server looks for null among all arguments before it looks at their types.
bool any_nullish(Evaluation& evaluation, Arguments arguments) {
  for (const NodePointer& argument : arguments) {
    if (argument != nullptr && argument->evaluate(evaluation).nullish()) return true;
  }
  return false;
}

template <LocalTime::Part part>
Datum part_of(Evaluation& evaluation, Arguments arguments) {
  if (arguments[1] != nullptr && any_nullish(evaluation, arguments)) return Datum::null();
  const auto at = moment(evaluation, arguments[0]);
  if (!at.value) return at.otherwise;
  const auto where = zone(evaluation, arguments[1]);
  if (!where.value) return where.otherwise;
  return Datum::of_integer(LocalTime(where.value->to_local(*at.value)).part(part));
}

Datum shift(Evaluation& evaluation, Arguments arguments, std::int64_t sign) {
  if (any_nullish(evaluation, arguments)) return Datum::null();
  const auto at = moment(evaluation, arguments[0]);
  if (!at.value) return at.otherwise;
  const auto by = unit(evaluation, arguments[1]);
  if (!by.value) return by.otherwise;
  const Datum amount = arguments[2]->evaluate(evaluation);
  if (amount.nullish()) return Datum::null();
  std::array<std::uint8_t, 8> scratch;
  const auto count = amount.is_number() ? amount.view(scratch).integral() : std::nullopt;
  if (!count) return evaluation.fail("$dateAdd expects an integer amount of time units");
  const auto where = zone(evaluation, arguments[3]);
  if (!where.value) return where.otherwise;
  const auto moved = add_units(*at.value, *by.value, *count, sign, *where.value);
  return moved ? Datum::of_date(*moved) : evaluation.fail("$dateAdd overflowed");
}

Datum date_add(Evaluation& evaluation, Arguments arguments) {
  return shift(evaluation, arguments, 1);
}

Datum date_subtract(Evaluation& evaluation, Arguments arguments) {
  return shift(evaluation, arguments, -1);
}

Datum date_difference(Evaluation& evaluation, Arguments arguments) {
  if (any_nullish(evaluation, arguments)) return Datum::null();
  const auto from = moment(evaluation, arguments[0]);
  if (!from.value) return from.otherwise;
  const auto to = moment(evaluation, arguments[1]);
  if (!to.value) return to.otherwise;
  const auto by = unit(evaluation, arguments[2]);
  if (!by.value) return by.otherwise;
  const auto where = zone(evaluation, arguments[3]);
  if (!where.value) return where.otherwise;
  const auto start = first_weekday(evaluation, arguments[4]);
  if (!start.value) return start.otherwise;
  return Datum::of_int64(
      count_boundaries(*from.value, *to.value, *by.value, *where.value, *start.value));
}

Datum date_truncate(Evaluation& evaluation, Arguments arguments) {
  if (any_nullish(evaluation, arguments)) return Datum::null();
  const auto at = moment(evaluation, arguments[0]);
  if (!at.value) return at.otherwise;
  const auto by = unit(evaluation, arguments[1]);
  if (!by.value) return by.otherwise;
  std::int64_t bin = 1;
  if (arguments[2] != nullptr) {
    const Datum size = arguments[2]->evaluate(evaluation);
    if (size.nullish()) return Datum::null();
    bin = size.is_number() ? clamp_to_int64(size) : 0;
    if (bin < 1) return evaluation.fail("$dateTrunc requires 'binSize' to be greater than 0");
  }
  const auto where = zone(evaluation, arguments[3]);
  if (!where.value) return where.otherwise;
  const auto start = first_weekday(evaluation, arguments[4]);
  if (!start.value) return start.otherwise;
  return Datum::of_date(truncate_to(*at.value, *by.value, bin, *where.value, *start.value));
}

Datum date_to_string(Evaluation& evaluation, Arguments arguments) {
  const auto at = moment(evaluation, arguments[0]);
  if (!at.value) {
    const bool replaced = !evaluation.failed() && arguments[3] != nullptr;
    return replaced ? arguments[3]->evaluate(evaluation) : at.otherwise;
  }
  const auto where = zone(evaluation, arguments[2]);
  if (!where.value) return where.otherwise;
  std::string_view format =
      arguments[2] == nullptr ? "%Y-%m-%dT%H:%M:%S.%LZ" : "%Y-%m-%dT%H:%M:%S.%L";
  if (arguments[1] != nullptr) {
    const Datum given = arguments[1]->evaluate(evaluation);
    if (given.nullish()) return Datum::null();
    if (!given.is(Type::string)) {
      return wrong_type(evaluation, "$dateToString requires 'format' to be a string, found", given);
    }
    format = given.as_string();
  }
  const auto text = format_local(*at.value, *where.value, format);
  return text.ok() ? Datum::of_string(evaluation.arena(), *text)
                   : evaluation.fail(text.error().message());
}

Datum date_from_parts(Evaluation& evaluation, Arguments arguments) {
  std::int64_t parts[7] = {0, 1, 1, 0, 0, 0, 0};
  for (std::size_t i = 0; i < 7; ++i) {
    if (arguments[i] == nullptr) continue;
    const Datum value = arguments[i]->evaluate(evaluation);
    if (value.nullish()) return Datum::null();
    std::array<std::uint8_t, 8> scratch;
    const auto whole = value.is_number() ? value.view(scratch).integral() : std::nullopt;
    if (!whole || *whole < INT16_MIN || (*whole > INT16_MAX && i < 6) || *whole > INT32_MAX) {
      return evaluation.fail("$dateFromParts takes integers between -32768 and 32767");
    }
    parts[i] = *whole;
  }
  if (parts[0] < 1 || parts[0] > 9999) {
    return evaluation.fail("'year' must evaluate to an integer in the range 1 to 9999");
  }
  const auto where = zone(evaluation, arguments[7]);
  if (!where.value) return where.otherwise;
  const std::int64_t days = days_from_month(parts[0] * 12 + parts[1] - 1) + parts[2] - 1;
  const std::int64_t time = ((parts[3] * 60 + parts[4]) * 60 + parts[5]) * 1000 + parts[6];
  return Datum::of_date(where.value->from_local(days * day_ms + time));
}

Datum to_date(Evaluation& evaluation, Arguments arguments) {
  const Datum value = arguments[0]->evaluate(evaluation);
  if (value.nullish()) return Datum::null();
  if (const auto at = moment_of(value)) return Datum::of_date(*at);
  if (value.is(Type::string)) {
    const auto at = bson::parse_date(value.as_string());
    return at ? Datum::of_date(*at) : evaluation.fail("Error parsing date string in $convert");
  }
  if (value.is_number() && !value.is(Type::int32)) return Datum::of_date(clamp_to_int64(value));
  return wrong_type(evaluation, "Unsupported conversion to date in $convert from", value);
}

const std::vector<std::string_view> part_names = {"date", "timezone"};
const std::vector<std::string_view> shift_names = {"startDate", "unit", "amount", "timezone"};

const Operator operators[] = {
    {"$dateAdd", date_add, 3, 4, shift_names},
    {"$dateDiff",
     date_difference,
     3,
     5,
     {"startDate", "endDate", "unit", "timezone", "startOfWeek"}},
    {"$dateFromParts",
     date_from_parts,
     1,
     8,
     {"year", "month", "day", "hour", "minute", "second", "millisecond", "timezone"}},
    {"$dateSubtract", date_subtract, 3, 4, shift_names},
    {"$dateToString", date_to_string, 1, 4, {"date", "format", "timezone", "onNull"}},
    {"$dateTrunc", date_truncate, 2, 5, {"date", "unit", "binSize", "timezone", "startOfWeek"}},
    {"$dayOfMonth", part_of<LocalTime::day>, 1, 2, part_names},
    {"$dayOfWeek", part_of<LocalTime::weekday>, 1, 2, part_names},
    {"$dayOfYear", part_of<LocalTime::day_of_year>, 1, 2, part_names},
    {"$hour", part_of<LocalTime::hour>, 1, 2, part_names},
    {"$isoDayOfWeek", part_of<LocalTime::iso_weekday>, 1, 2, part_names},
    {"$isoWeek", part_of<LocalTime::iso_week>, 1, 2, part_names},
    {"$isoWeekYear", part_of<LocalTime::iso_year>, 1, 2, part_names},
    {"$millisecond", part_of<LocalTime::millisecond>, 1, 2, part_names},
    {"$minute", part_of<LocalTime::minute>, 1, 2, part_names},
    {"$month", part_of<LocalTime::month>, 1, 2, part_names},
    {"$second", part_of<LocalTime::second>, 1, 2, part_names},
    {"$toDate", to_date},
    {"$week", part_of<LocalTime::week>, 1, 2, part_names},
    {"$year", part_of<LocalTime::year>, 1, 2, part_names},
};

}  // namespace

std::span<const Operator> date_operators() { return operators; }

}  // namespace holdfast::profile
