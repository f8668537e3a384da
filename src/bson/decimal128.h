#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace holdfast::bson {

__extension__ using Uint128 = unsigned __int128;

/// A Decimal128 taken apart: (-1)^negative * coefficient * 10^exponent. BSON stores IEEE 754-2008
/// decimal128 in the binary integer encoding (BID); a coefficient above 10^34 - 1 is not canonical
/// and counts as zero, as the standard has it.
struct Decimal128 {
  enum class Kind : std::uint8_t { finite, infinity, nan };

  Kind kind = Kind::finite;
  bool negative = false;
  Uint128 coefficient = 0;
  int exponent = 0;

  [[nodiscard]] bool is_zero() const { return kind == Kind::finite && coefficient == 0; }
  /// The value as int64 if it is integral and fits.
  [[nodiscard]] std::optional<std::int64_t> integral() const;
};

/// Coefficients are below 10 to this.
inline constexpr int decimal128_digits = 34;

/// Requires the 16 bytes of a BSON value.
[[nodiscard]] Decimal128 decode_decimal128(ByteView bytes);

/// 10^power for 0 <= power <= 38.
[[nodiscard]] Uint128 power_of_ten(int power);
/// The number of decimal digits; 0 has none.
[[nodiscard]] int count_digits(Uint128 value);

}  // namespace holdfast::bson
