#include "profile/decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace holdfast::profile {
namespace {

using bson::count_digits;
using bson::decimal128_digits;
using bson::power_of_ten;
using bson::Uint128;
using Kind = Decimal128::Kind;

constexpr int largest_exponent = 6111;
constexpr int smallest_exponent = -6176;
constexpr std::uint64_t exponent_bias = 6176;
/// Two operands further apart than this don't meet: the smaller one only decides a rounding.
constexpr int widest_gap = 2 * decimal128_digits + 4;

/// A magnitude of any length: digits, the highest first.
using Digits = std::vector<std::uint8_t>;

Digits digits_of(Uint128 value) {
  Digits digits(static_cast<std::size_t>(count_digits(value)));
  for (auto at = digits.rbegin(); at != digits.rend(); ++at) {
    *at = static_cast<std::uint8_t>(value % 10);
    value /= 10;
  }
  return digits;
}

Decimal128 special(Kind kind, bool negative = false) {
  Decimal128 value;
  value.kind = kind;
  value.negative = negative;
  return value;
}

Decimal128 finite(bool negative, Uint128 coefficient, int exponent) {
  Decimal128 value;
  value.negative = negative;
  value.coefficient = coefficient;
  value.exponent = exponent;
  return value;
}

bool rounds_up(Rounding rounding, bool negative, bool odd, int half, bool inexact) {
  switch (rounding) {
    case Rounding::half_even: return half > 0 || (half == 0 && odd);
    case Rounding::down: return false;
    case Rounding::floor: return inexact && negative;
    case Rounding::ceiling: return inexact && !negative;
  }
  return false;
}

/// Drops the last `dropped` digits, and rounds. `rest`: something lies below the last digit.
Uint128 round_digits(const Digits& digits, std::size_t dropped, bool rest, bool negative,
                     Rounding rounding) {
  const std::size_t kept = digits.size() - std::min(dropped, digits.size());
  Uint128 coefficient = 0;
  for (std::size_t i = 0; i < kept; ++i) coefficient = coefficient * 10 + digits[i];
  if (dropped == 0) return coefficient;
  const int first = dropped <= digits.size() ? digits[kept] : 0;
  bool tail = rest;
  for (std::size_t i = dropped <= digits.size() ? kept + 1 : 0; i < digits.size(); ++i) {
    tail = tail || digits[i] != 0;
  }
  const int half = first > 5 || (first == 5 && tail) ? 1 : first == 5 ? 0 : -1;
  const bool odd = coefficient % 2 != 0;
  return coefficient + (rounds_up(rounding, negative, odd, half, first != 0 || tail) ? 1 : 0);
}

/// The nearest value with 34 digits.
Decimal128 finish(bool negative, const Digits& digits, int exponent, bool rest) {
  std::size_t dropped = digits.size() > decimal128_digits ? digits.size() - decimal128_digits : 0;
  if (exponent + static_cast<int>(dropped) < smallest_exponent) {
    dropped = static_cast<std::size_t>(smallest_exponent - exponent);
  }
  Uint128 coefficient = round_digits(digits, dropped, rest, negative, Rounding::half_even);
  exponent += static_cast<int>(dropped);
  if (coefficient == power_of_ten(decimal128_digits)) {
    coefficient /= 10;
    ++exponent;
  }
  if (coefficient == 0) {
    return finite(negative, 0, std::clamp(exponent, smallest_exponent, largest_exponent));
  }
  while (exponent > largest_exponent && count_digits(coefficient) < decimal128_digits) {
    coefficient *= 10;
    --exponent;
  }
  if (exponent > largest_exponent) return special(Kind::infinity, negative);
  return finite(negative, coefficient, exponent);
}

/// `value`'s digits followed by zeros, so that they stand for units of 10^exponent.
Digits shifted(const Decimal128& value, int exponent) {
  Digits digits = digits_of(value.coefficient);
  digits.insert(digits.end(), static_cast<std::size_t>(value.exponent - exponent), 0);
  return digits;
}

Digits add_magnitudes(Digits a, Digits b) {
  if (a.size() < b.size()) std::swap(a, b);
  int carry = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const int sum = a[a.size() - i] + (i <= b.size() ? b[b.size() - i] : 0) + carry;
    a[a.size() - i] = static_cast<std::uint8_t>(sum % 10);
    carry = sum / 10;
  }
  if (carry != 0) a.insert(a.begin(), 1);
  return a;
}

void strip_front(Digits& digits) {
  digits.erase(digits.begin(), std::find_if(digits.begin(), digits.end(),
                                            [](std::uint8_t digit) { return digit != 0; }));
}

/// Requires a >= b, both without zeros in front.
Digits subtract_magnitudes(Digits a, const Digits& b) {
  int borrow = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int difference = a[a.size() - i] - (i <= b.size() ? b[b.size() - i] : 0) - borrow;
    borrow = difference < 0 ? 1 : 0;
    if (difference < 0) difference += 10;
    a[a.size() - i] = static_cast<std::uint8_t>(difference);
  }
  strip_front(a);
  return a;
}

bool shorter_or_less(const Digits& a, const Digits& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

Decimal128 decimal_of(std::int64_t value) {
  const auto magnitude =
      value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
  return finite(value < 0, magnitude, 0);
}

Decimal128 decimal_of(double value, int digits) {
  if (std::isnan(value)) return special(Kind::nan);
  if (std::isinf(value)) return special(Kind::infinity, value < 0);
  if (value == 0) return finite(std::signbit(value), 0, 0);
  Decimal128 converted = *parse_decimal(fmt::format("{:.{}e}", value, digits - 1));
  // The shortest form of the same value, as the server gives it: 1.5 and not 1.50000000000000.
  while (converted.exponent < 0 && converted.coefficient % 10 == 0) {
    converted.coefficient /= 10;
    ++converted.exponent;
  }
  return converted;
}

Decimal128 decimal_of(const Datum& number) {
  if (number.is(bson::Type::decimal128)) return bson::decode_decimal128(number.bytes());
  if (number.is(bson::Type::float64)) return decimal_of(number.as_double());
  return decimal_of(number.as_integer());
}

Decimal128 add(const Decimal128& a, const Decimal128& b) {
  if (a.kind == Kind::nan || b.kind == Kind::nan) return special(Kind::nan);
  if (a.kind == Kind::infinity) {
    const bool opposite = b.kind == Kind::infinity && a.negative != b.negative;
    return opposite ? special(Kind::nan) : a;
  }
  if (b.kind == Kind::infinity) return b;
  Decimal128 high = a.exponent >= b.exponent ? a : b;
  Decimal128 low = a.exponent >= b.exponent ? b : a;
  if (high.coefficient == 0 && low.coefficient == 0) {
    return finite(a.negative && b.negative, 0, low.exponent);
  }
  if (high.coefficient == 0) return low;
  if (high.exponent - low.exponent > widest_gap) {
    const int nearest = high.exponent - widest_gap;
    const int top = low.exponent + count_digits(low.coefficient);
    // Something too small to matter keeps its sign only.
    if (top < nearest) low = finite(low.negative, low.coefficient == 0 ? 0 : 1, nearest);
  }
  const Digits first = shifted(high, low.exponent);
  const Digits second = digits_of(low.coefficient);
  if (high.negative == low.negative) {
    return finish(high.negative, add_magnitudes(first, second), low.exponent, false);
  }
  if (first == second) return finite(false, 0, low.exponent);
  const bool less = shorter_or_less(first, second);
  return finish(less ? low.negative : high.negative,
                less ? subtract_magnitudes(second, first) : subtract_magnitudes(first, second),
                low.exponent, false);
}

Decimal128 subtract(const Decimal128& a, const Decimal128& b) {
  Decimal128 opposite = b;
  opposite.negative = !b.negative;
  return add(a, opposite);
}

Decimal128 multiply(const Decimal128& a, const Decimal128& b) {
  const bool negative = a.negative != b.negative;
  if (a.kind == Kind::nan || b.kind == Kind::nan) return special(Kind::nan);
  if (a.kind == Kind::infinity || b.kind == Kind::infinity) {
    return a.is_zero() || b.is_zero() ? special(Kind::nan) : special(Kind::infinity, negative);
  }
  const Digits first = digits_of(a.coefficient);
  const Digits second = digits_of(b.coefficient);
  Digits product(first.size() + second.size(), 0);
  for (std::size_t i = first.size(); i-- > 0;) {
    int carry = 0;
    for (std::size_t j = second.size(); j-- > 0;) {
      const int sum = product[i + j + 1] + first[i] * second[j] + carry;
      product[i + j + 1] = static_cast<std::uint8_t>(sum % 10);
      carry = sum / 10;
    }
    product[i] = static_cast<std::uint8_t>(product[i] + carry);
  }
  strip_front(product);
  return finish(negative, product, a.exponent + b.exponent, false);
}

Decimal128 divide(const Decimal128& a, const Decimal128& b) {
  const bool negative = a.negative != b.negative;
  if (a.kind == Kind::nan || b.kind == Kind::nan) return special(Kind::nan);
  if (a.kind == Kind::infinity) {
    return b.kind == Kind::infinity ? special(Kind::nan) : special(Kind::infinity, negative);
  }
  if (b.kind == Kind::infinity) return finite(negative, 0, smallest_exponent);
  if (b.coefficient == 0) {
    return a.coefficient == 0 ? special(Kind::nan) : special(Kind::infinity, negative);
  }
  int exponent = a.exponent - b.exponent;
  Uint128 quotient = a.coefficient / b.coefficient;
  Uint128 rest = a.coefficient % b.coefficient;
  // One digit more than is kept decides the rounding together with what is left.
  while (rest != 0 && count_digits(quotient) <= decimal128_digits) {
    rest *= 10;
    quotient = quotient * 10 + rest / b.coefficient;
    rest %= b.coefficient;
    --exponent;
  }
  return finish(negative, digits_of(quotient), exponent, rest != 0);
}

Decimal128 remainder(const Decimal128& a, const Decimal128& b) {
  if (a.kind != Kind::finite || b.kind == Kind::nan || b.is_zero()) return special(Kind::nan);
  if (b.kind == Kind::infinity || a.coefficient == 0) return a;
  const int exponent = std::min(a.exponent, b.exponent);
  // a mod b by long division of a's digits; b is below 10^34, so ten times it fits.
  if (b.exponent - exponent > decimal128_digits) return a;
  Digits divisor_digits = shifted(b, exponent);
  if (divisor_digits.size() > decimal128_digits + 3) return a;
  Uint128 divisor = 0;
  for (const std::uint8_t digit : divisor_digits) divisor = divisor * 10 + digit;
  Uint128 rest = 0;
  for (const std::uint8_t digit : digits_of(a.coefficient)) rest = (rest * 10 + digit) % divisor;
  for (int i = exponent; i < a.exponent; ++i) rest = rest * 10 % divisor;
  return finish(a.negative, digits_of(rest), exponent, false);
}

Decimal128 round_to(const Decimal128& value, int exponent, Rounding rounding) {
  if (value.kind != Kind::finite) return value;
  if (value.exponent >= exponent) {
    const int padded = value.exponent - exponent;
    if (padded + count_digits(value.coefficient) > decimal128_digits) return value;
    return finite(value.negative, value.coefficient * power_of_ten(padded), exponent);
  }
  const auto dropped = static_cast<std::size_t>(exponent - value.exponent);
  const Digits digits = digits_of(value.coefficient);
  return finite(value.negative, round_digits(digits, dropped, false, value.negative, rounding),
                exponent);
}

double to_double(const Decimal128& value) {
  if (value.kind == Kind::nan) return std::nan("");
  if (value.kind == Kind::infinity) return value.negative ? -HUGE_VAL : HUGE_VAL;
  // strtod rounds to nearest whatever the locale: there is no decimal point in this text.
  return std::strtod(to_text(finite(value.negative, value.coefficient, 0))
                         .append(fmt::format("e{}", value.exponent))
                         .c_str(),
                     nullptr);
}

std::string to_text(const Decimal128& value) {
  if (value.kind == Kind::nan) return "NaN";
  std::string text = value.negative ? "-" : "";
  if (value.kind == Kind::infinity) return text + "Infinity";
  std::string digits;
  for (const std::uint8_t digit : digits_of(value.coefficient)) {
    digits += static_cast<char>('0' + digit);
  }
  if (digits.empty()) digits = "0";
  // IEEE 754's to-scientific-string: an exponent where the point would lie far from the digits.
  const int scientific = value.exponent + static_cast<int>(digits.size()) - 1;
  if (value.exponent > 0 || scientific < -6) {
    if (digits.size() > 1) digits.insert(1, ".");
    return text + digits + fmt::format("E{:+}", scientific);
  }
  if (value.exponent == 0) return text + digits;
  const auto after = static_cast<std::size_t>(-value.exponent);
  if (digits.size() <= after) digits.insert(0, after + 1 - digits.size(), '0');
  digits.insert(digits.size() - after, ".");
  return text + digits;
}

std::optional<Decimal128> parse_decimal(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "NaN") return special(Kind::nan);
  if (text == "Infinity" || text == "inf") return special(Kind::infinity, negative);
  Digits digits;
  std::size_t seen = 0;
  int exponent = 0;
  bool point = false;
  std::size_t at = 0;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.' && !point) {
      point = true;
      continue;
    }
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
    ++seen;
    if (point) --exponent;
    if (!digits.empty() || text[at] != '0') {
      digits.push_back(static_cast<std::uint8_t>(text[at] - '0'));
    }
  }
  if (seen == 0) return std::nullopt;
  if (at < text.size()) {
    if (++at < text.size() && text[at] == '+') ++at;
    int written = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + at, end, written);
    if (error != std::errc{} || stop != end || std::abs(written) > 1'000'000) return std::nullopt;
    exponent += written;
  }
  return finish(negative, digits, exponent, false);
}

std::optional<std::int64_t> truncated(const Decimal128& value) {
  return round_to(value, 0, Rounding::down).integral();
}

std::array<std::uint8_t, 16> encode(const Decimal128& value) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (value.kind == Kind::nan) {
    high = 0x7c00000000000000U;
  } else if (value.kind == Kind::infinity) {
    high = 0x7800000000000000U;
  } else {
    low = static_cast<std::uint64_t>(value.coefficient);
    high = static_cast<std::uint64_t>(value.coefficient >> 64U) |
           ((static_cast<std::uint64_t>(value.exponent) + exponent_bias) << 49U);
  }
  if (value.negative) high |= std::uint64_t{1} << 63U;
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &low, 8);
  std::memcpy(bytes.data() + 8, &high, 8);
  return bytes;
}

Datum datum_of(Arena& arena, const Decimal128& value) {
  return Datum::of_bytes(arena, bson::Type::decimal128, encode(value));
}

}  // namespace holdfast::profile
