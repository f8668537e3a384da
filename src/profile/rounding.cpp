#include <cmath>

#include "profile/decimal.h"
#include "profile/node_internal.h"

namespace holdfast::profile {
namespace {

using bson::Type;

/// The places that $round and $trunc take (documented: above -20, below 100).
constexpr std::int64_t least_places = -20;
constexpr std::int64_t most_places = 100;

Datum absolute(Evaluation& evaluation, Arguments arguments) {
  const Datum value = arguments[0]->evaluate(evaluation);
  if (value.nullish()) return Datum::null();
  if (!value.is_number()) return wrong_type(evaluation, "$abs only supports numeric types", value);
  if (value.is(Type::float64)) return Datum::of_double(std::abs(value.as_double()));
  if (value.is(Type::decimal128)) {
    Decimal128 decimal = decimal_of(value);
    decimal.negative = false;
    return datum_of(evaluation.arena(), decimal);
  }
  if (value.as_integer() == INT64_MIN) {
    return evaluation.fail("can't take $abs of long long min");
  }
  const std::int64_t result = std::abs(value.as_integer());
  return value.is(Type::int64) ? Datum::of_int64(result) : Datum::of_integer(result);
}

/// To an integer, in the number's own type.
Datum to_whole(Evaluation& evaluation, Arguments arguments, std::string_view name,
               double (*rounded)(double), Rounding rounding) {
  const Datum value = arguments[0]->evaluate(evaluation);
  if (value.nullish()) return Datum::null();
  if (!value.is_number()) {
    return wrong_type(evaluation, std::string(name) + " only supports numeric types", value);
  }
  if (value.is(Type::float64)) return Datum::of_double(rounded(value.as_double()));
  if (!value.is(Type::decimal128)) return value;
  const Decimal128 decimal = decimal_of(value);
  if (decimal.exponent >= 0) return value;
  return datum_of(evaluation.arena(), round_to(decimal, 0, rounding));
}

Datum ceiling(Evaluation& evaluation, Arguments arguments) {
  return to_whole(evaluation, arguments, "$ceil", std::ceil, Rounding::ceiling);
}

Datum floor(Evaluation& evaluation, Arguments arguments) {
  return to_whole(evaluation, arguments, "$floor", std::floor, Rounding::floor);
}

Datum round_integer(Evaluation& evaluation, const Datum& value, int places, Rounding rounding) {
  if (places >= 0) return value;
  const auto result = round_to(decimal_of(value.as_integer()), -places, rounding).integral();
  if (!result) return evaluation.fail("invalid conversion from Decimal128 result in $round");
  return value.is(Type::int64) ? Datum::of_int64(*result) : Datum::of_integer(*result);
}

Datum round_double(double value, int places, Rounding rounding) {
  if (!std::isfinite(value)) return Datum::of_double(value);
  if (places == 0) {
    return Datum::of_double(rounding == Rounding::down ? std::trunc(value) : std::nearbyint(value));
  }
  // By its decimal digits, as the server does: 1.005 lies below the half.
  const Decimal128 digits = decimal_of(value, bson::decimal128_digits);
  return Datum::of_double(to_double(round_to(digits, -places, rounding)));
}

Datum round_places(Evaluation& evaluation, Arguments arguments, std::string_view name,
                   Rounding rounding) {
  const Datum value = arguments[0]->evaluate(evaluation);
  std::int64_t places = 0;
  if (arguments.size() > 1) {
    const Datum given = arguments[1]->evaluate(evaluation);
    if (given.nullish()) return Datum::null();
    std::array<std::uint8_t, 8> scratch;
    const auto whole = given.is_number() ? given.view(scratch).integral() : std::nullopt;
    if (!whole || *whole <= least_places || *whole >= most_places) {
      return evaluation.fail(std::string(name) + " takes a precision from -19 to 99");
    }
    places = *whole;
  }
  if (value.nullish()) return Datum::null();
  if (!value.is_number()) {
    return wrong_type(evaluation, std::string(name) + " only supports numeric types", value);
  }
  if (value.is(Type::float64)) {
    return round_double(value.as_double(), static_cast<int>(places), rounding);
  }
  if (value.is(Type::decimal128)) {
    const Decimal128 decimal = decimal_of(value);
    const bool coarse = decimal.exponent >= -static_cast<int>(places);
    return coarse ? value
                  : datum_of(evaluation.arena(),
                             round_to(decimal, -static_cast<int>(places), rounding));
  }
  return round_integer(evaluation, value, static_cast<int>(places), rounding);
}

Datum round(Evaluation& evaluation, Arguments arguments) {
  return round_places(evaluation, arguments, "$round", Rounding::half_even);
}

Datum truncate(Evaluation& evaluation, Arguments arguments) {
  return round_places(evaluation, arguments, "$trunc", Rounding::down);
}

const Operator operators[] = {
    {"$abs", absolute},      {"$ceil", ceiling},         {"$floor", floor},
    {"$round", round, 1, 2}, {"$trunc", truncate, 1, 2},
};

}  // namespace

std::span<const Operator> rounding_operators() { return operators; }

}  // namespace holdfast::profile
