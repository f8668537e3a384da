#include "bson/decimal128.h"

#include <array>
#include <cassert>
#include <cstddef>

namespace holdfast::bson {

namespace {

constexpr int exponent_bias = 6176;
constexpr int powers_kept = 39;

constexpr std::array<Uint128, powers_kept> make_powers() {
  std::array<Uint128, powers_kept> powers{};
  Uint128 power = 1;
  for (auto& entry : powers) {
    entry = power;
    power *= 10;
  }
  return powers;
}

constexpr auto powers_of_ten = make_powers();

}  // namespace

Uint128 power_of_ten(int power) {
  assert(power >= 0 && power < powers_kept);
  return powers_of_ten[static_cast<std::size_t>(power)];
}

int count_digits(Uint128 value) {
  int digits = 0;
  while (digits < powers_kept && powers_of_ten[static_cast<std::size_t>(digits)] <= value) {
    ++digits;
  }
  return digits;
}

Decimal128 decode_decimal128(ByteView bytes) {
  assert(bytes.size() == 16);
  const auto low = load_little_endian<std::uint64_t>(bytes.data());
  const auto high = load_little_endian<std::uint64_t>(bytes.data() + 8);
  Decimal128 value;
  value.negative = (high >> 63U) != 0;
  if (((high >> 61U) & 3U) == 3U) {
    const auto combination = (high >> 58U) & 0x1fU;
    if (combination == 0x1eU) {
      value.kind = Decimal128::Kind::infinity;
    } else if (combination == 0x1fU) {
      value.kind = Decimal128::Kind::nan;
    } else {
      // The form for coefficients of 2^113 and more, which are above 10^34 - 1: zero.
      value.exponent = static_cast<int>((high >> 47U) & 0x3fffU) - exponent_bias;
    }
    return value;
  }
  value.exponent = static_cast<int>((high >> 49U) & 0x3fffU) - exponent_bias;
  value.coefficient = (static_cast<Uint128>(high & 0x1ffffffffffffU) << 64U) | low;
  if (value.coefficient >= power_of_ten(decimal128_digits)) value.coefficient = 0;
  return value;
}

std::optional<std::int64_t> Decimal128::integral() const {
  if (kind != Kind::finite) return std::nullopt;
  if (coefficient == 0) return 0;
  Uint128 magnitude = coefficient;
  if (exponent < 0) {
    if (-exponent >= decimal128_digits) return std::nullopt;
    const Uint128 divisor = power_of_ten(-exponent);
    if (magnitude % divisor != 0) return std::nullopt;
    magnitude /= divisor;
  } else if (exponent > 0) {
    // Beyond 19 digits nothing fits; this also keeps the product below 2^128.
    if (count_digits(coefficient) + exponent > 19) return std::nullopt;
    magnitude *= power_of_ten(exponent);
  }
  const Uint128 limit = (static_cast<Uint128>(1) << 63U) - (negative ? 0U : 1U);
  if (magnitude > limit) return std::nullopt;
  const auto bits = static_cast<std::uint64_t>(magnitude);
  return static_cast<std::int64_t>(negative ? 0U - bits : bits);
}

}  // namespace holdfast::bson
