#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bson/decimal128.h"
#include "profile/datum.h"

namespace holdfast::profile {

// Arithmetic on Decimal128 as IEEE 754-2008 has it: 34 digits, ties to even. Pure functions.

using bson::Decimal128;

enum class Rounding { half_even, down, floor, ceiling };

[[nodiscard]] Decimal128 decimal_of(std::int64_t value);
/// The double's exact value, rounded to `digits` significant ones. The server converts with 15
/// (https://www.mongodb.com/docs/v7.0/reference/operator/aggregation/toDecimal/).
[[nodiscard]] Decimal128 decimal_of(double value, int digits = 15);
/// Any number; requires is_number().
[[nodiscard]] Decimal128 decimal_of(const Datum& number);

[[nodiscard]] Decimal128 add(const Decimal128& a, const Decimal128& b);
[[nodiscard]] Decimal128 subtract(const Decimal128& a, const Decimal128& b);
[[nodiscard]] Decimal128 multiply(const Decimal128& a, const Decimal128& b);
[[nodiscard]] Decimal128 divide(const Decimal128& a, const Decimal128& b);
/// The remainder of the division truncated towards zero, with the sign of `a`.
[[nodiscard]] Decimal128 remainder(const Decimal128& a, const Decimal128& b);
/// To a multiple of 10^exponent.
[[nodiscard]] Decimal128 round_to(const Decimal128& value, int exponent, Rounding rounding);
[[nodiscard]] double to_double(const Decimal128& value);
/// "1.50", "1E+10": as the server writes it.
[[nodiscard]] std::string to_text(const Decimal128& value);
[[nodiscard]] std::optional<Decimal128> parse_decimal(std::string_view text);
/// The value's integer part if it fits into 64 bits.
[[nodiscard]] std::optional<std::int64_t> truncated(const Decimal128& value);

/// As BSON.
[[nodiscard]] std::array<std::uint8_t, 16> encode(const Decimal128& value);
[[nodiscard]] Datum datum_of(Arena& arena, const Decimal128& value);

}  // namespace holdfast::profile
