#include "bson/order.h"

#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <string_view>

#include "bson/decimal128.h"

namespace holdfast::bson {

namespace {

using Ordering = std::weak_ordering;

template <typename T>
Ordering compare_plain(T a, T b) {
  if (a < b) return Ordering::less;
  return b < a ? Ordering::greater : Ordering::equivalent;
}

Ordering reversed(Ordering order) { return 0 <=> order; }

Ordering compare_bytes(ByteView a, ByteView b) {
  const std::size_t common = a.size() < b.size() ? a.size() : b.size();
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  return order != 0 ? order <=> 0 : compare_plain(a.size(), b.size());
}

Ordering compare_text(std::string_view a, std::string_view b) {
  return compare_bytes(as_bytes(a), as_bytes(b));
}

// --- Numbers

/// A natural number with room for the products that `compare_magnitudes` makes: a decimal of at
/// most 34 digits around 10^±330 against a double, both scaled to integers, stays below 2^2700.
class BigNatural {
 public:
  explicit BigNatural(Uint128 value) {
    for (; value != 0; value >>= 32U) limbs_[size_++] = static_cast<std::uint32_t>(value);
  }

  void multiply(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::size_t at = 0; at < size_; ++at) {
      carry += static_cast<std::uint64_t>(limbs_[at]) * factor;
      limbs_[at] = static_cast<std::uint32_t>(carry);
      carry >>= 32U;
    }
    if (carry != 0) limbs_.at(size_++) = static_cast<std::uint32_t>(carry);
  }

  void multiply_by_power(std::uint32_t base, std::uint32_t base_power, int steps, int power) {
    for (; power >= steps; power -= steps) multiply(base_power);
    for (; power > 0; --power) multiply(base);
  }
  void multiply_by_power_of_ten(int power) { multiply_by_power(10, 1'000'000'000, 9, power); }
  void multiply_by_power_of_two(int power) { multiply_by_power(2, 1U << 31U, 31, power); }

  [[nodiscard]] Ordering compare(const BigNatural& other) const {
    if (size_ != other.size_) return compare_plain(size_, other.size_);
    for (std::size_t at = size_; at-- > 0;) {
      if (limbs_[at] != other.limbs_[at]) return compare_plain(limbs_[at], other.limbs_[at]);
    }
    return Ordering::equivalent;
  }

 private:
  std::array<std::uint32_t, 96> limbs_{};
  std::size_t size_ = 0;
};

/// Both finite, not zero; signs are ignored. Exact.
Ordering compare_magnitudes(const Decimal128& a, const Decimal128& b) {
  const int a_top = count_digits(a.coefficient) + a.exponent;
  const int b_top = count_digits(b.coefficient) + b.exponent;
  if (a_top != b_top) return compare_plain(a_top, b_top);
  // The leading digits stand at the same place, so the exponents differ by less than 34, and
  // the coefficient of the larger exponent, brought to the smaller, stays below 10^34.
  Uint128 a_scaled = a.coefficient;
  Uint128 b_scaled = b.coefficient;
  if (a.exponent > b.exponent) a_scaled *= power_of_ten(a.exponent - b.exponent);
  if (b.exponent > a.exponent) b_scaled *= power_of_ten(b.exponent - a.exponent);
  return compare_plain(a_scaled, b_scaled);
}

/// Both finite, not zero; signs are ignored. Exact.
Ordering compare_magnitudes(const Decimal128& a, double b) {
  // 10^(top-1) <= a < 10^top, and 4.9e-324 <= |b| < 1.8e308.
  const int top = count_digits(a.coefficient) + a.exponent;
  if (top > 310) return Ordering::greater;
  if (top < -324) return Ordering::less;

  int binary_exponent = 0;
  const double fraction = std::frexp(std::fabs(b), &binary_exponent);
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  binary_exponent -= 53;

  BigNatural left(a.coefficient);
  BigNatural right(mantissa);
  if (a.exponent > 0) left.multiply_by_power_of_ten(a.exponent);
  if (a.exponent < 0) right.multiply_by_power_of_ten(-a.exponent);
  if (binary_exponent > 0) right.multiply_by_power_of_two(binary_exponent);
  if (binary_exponent < 0) left.multiply_by_power_of_two(-binary_exponent);
  return left.compare(right);
}

/// -1, 0, 1.
int sign_of(const Decimal128& value) {
  if (value.is_zero()) return 0;
  return value.negative ? -1 : 1;
}

int sign_of(double value) { return (value > 0 ? 1 : 0) - (value < 0 ? 1 : 0); }

Ordering compare_decimals(const Decimal128& a, const Decimal128& b) {
  using Kind = Decimal128::Kind;
  if (a.kind == Kind::nan || b.kind == Kind::nan) {
    return compare_plain(a.kind != Kind::nan, b.kind != Kind::nan);
  }
  const int sign = sign_of(a);
  if (sign != sign_of(b)) return compare_plain(sign, sign_of(b));
  if (sign == 0) return Ordering::equivalent;
  Ordering order = Ordering::equivalent;
  if (a.kind == Kind::infinity || b.kind == Kind::infinity) {
    order = compare_plain(a.kind == Kind::infinity, b.kind == Kind::infinity);
  } else {
    order = compare_magnitudes(a, b);
  }
  return sign < 0 ? reversed(order) : order;
}

Ordering compare_decimal_double(const Decimal128& a, double b) {
  using Kind = Decimal128::Kind;
  if (a.kind == Kind::nan || std::isnan(b))
    return compare_plain(a.kind != Kind::nan, !std::isnan(b));
  const int sign = sign_of(a);
  if (sign != sign_of(b)) return compare_plain(sign, sign_of(b));
  if (sign == 0) return Ordering::equivalent;
  Ordering order = Ordering::equivalent;
  if (a.kind == Kind::infinity || std::isinf(b)) {
    order = compare_plain(a.kind == Kind::infinity, std::isinf(b));
  } else {
    order = compare_magnitudes(a, b);
  }
  return sign < 0 ? reversed(order) : order;
}

Ordering compare_doubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return compare_plain(!std::isnan(a), !std::isnan(b));
  return compare_plain(a, b);
}

Ordering compare_integer_double(std::int64_t a, double b) {
  if (std::isnan(b) || b < -0x1p63) return Ordering::greater;
  if (b >= 0x1p63) return Ordering::less;
  const double whole = std::trunc(b);
  const auto order = compare_plain(a, static_cast<std::int64_t>(whole));
  return order != 0 ? order : compare_plain(whole, b);
}

Decimal128 to_decimal(std::int64_t value) {
  Decimal128 decimal;
  decimal.negative = value < 0;
  const auto bits = static_cast<std::uint64_t>(value);
  decimal.coefficient = value < 0 ? 0U - bits : bits;
  return decimal;
}

std::int64_t integer_of(ValueView value) {
  return value.type() == Type::int32 ? value.as_int32() : value.as_int64();
}

Ordering compare_numbers(ValueView a, ValueView b) {
  const bool a_double = a.type() == Type::float64;
  const bool b_double = b.type() == Type::float64;
  const bool a_decimal = a.type() == Type::decimal128;
  const bool b_decimal = b.type() == Type::decimal128;
  if (a_decimal) {
    const Decimal128 decimal = decode_decimal128(a.bytes());
    if (b_double) return compare_decimal_double(decimal, b.as_double());
    return compare_decimals(decimal,
                            b_decimal ? decode_decimal128(b.bytes()) : to_decimal(integer_of(b)));
  }
  if (b_decimal) return reversed(compare_numbers(b, a));
  if (a_double && b_double) return compare_doubles(a.as_double(), b.as_double());
  if (a_double) return reversed(compare_integer_double(integer_of(b), a.as_double()));
  if (b_double) return compare_integer_double(integer_of(a), b.as_double());
  return compare_plain(integer_of(a), integer_of(b));
}

// --- Everything else

/// An array's names are its positions and say nothing; index keys don't hold them either.
Ordering compare_documents(DocumentView a, DocumentView b, bool with_names) {
  auto left = a.begin();
  auto right = b.begin();
  const auto left_end = a.end();
  const auto right_end = b.end();
  for (; left != left_end && right != right_end; ++left, ++right) {
    const auto brackets =
        compare_plain(bracket_of(left->value.type()), bracket_of(right->value.type()));
    if (brackets != 0) return brackets;
    if (with_names) {
      const auto names = compare_text(left->name, right->name);
      if (names != 0) return names;
    }
    const auto values = compare(left->value, right->value);
    if (values != 0) return values;
  }
  return compare_plain(left != left_end, right != right_end);
}

Ordering compare_binary(ValueView a, ValueView b) {
  if (a.bytes().size() != b.bytes().size()) {
    return compare_plain(a.bytes().size(), b.bytes().size());
  }
  return compare_bytes(a.bytes().subspan(4), b.bytes().subspan(4));
}

Ordering compare_regex(ValueView a, ValueView b) {
  const auto pattern = [](ValueView value) {
    return std::string_view(reinterpret_cast<const char*>(value.bytes().data()));
  };
  const auto order = compare_text(pattern(a), pattern(b));
  if (order != 0) return order;
  const std::size_t options = pattern(a).size() + 1;
  return compare_bytes(a.bytes().subspan(options), b.bytes().subspan(options));
}

/// The server compares size, then bytes.
Ordering compare_db_pointer(ValueView a, ValueView b) {
  const auto sizes = compare_plain(a.bytes().size(), b.bytes().size());
  return sizes != 0 ? sizes : compare_bytes(a.bytes().subspan(4), b.bytes().subspan(4));
}

Ordering compare_code_with_scope(ValueView a, ValueView b) {
  const auto code = [](ValueView value) {
    const auto length = load_little_endian<std::int32_t>(value.bytes().data() + 4);
    return value.bytes().subspan(8, static_cast<std::size_t>(length));
  };
  const auto order =
      compare_bytes(code(a).first(code(a).size() - 1), code(b).first(code(b).size() - 1));
  if (order != 0) return order;
  const std::size_t scope = 8 + code(a).size();
  return compare_documents(DocumentView(a.bytes().subspan(scope)),
                           DocumentView(b.bytes().subspan(scope)), true);
}

}  // namespace

int bracket_of(Type type) {
  switch (type) {
    case Type::min_key: return 0;
    case Type::undefined: return 1;
    case Type::null: return 2;
    case Type::int32:
    case Type::int64:
    case Type::float64:
    case Type::decimal128: return 3;
    case Type::string:
    case Type::symbol: return 4;
    case Type::document: return 5;
    case Type::array: return 6;
    case Type::binary: return 7;
    case Type::object_id: return 8;
    case Type::boolean: return 9;
    case Type::date: return 10;
    case Type::timestamp: return 11;
    case Type::regex: return 12;
    case Type::db_pointer: return 13;
    case Type::code: return 14;
    case Type::code_with_scope: return 15;
    case Type::max_key: return 16;
  }
  assert(false && "a type that validate_document refuses");
  return 17;
}

std::weak_ordering compare(ValueView a, ValueView b) {
  const auto brackets = compare_plain(bracket_of(a.type()), bracket_of(b.type()));
  if (brackets != 0) return brackets;
  switch (a.type()) {
    case Type::min_key:
    case Type::max_key:
    case Type::undefined:
    case Type::null: return Ordering::equivalent;
    case Type::int32:
    case Type::int64:
    case Type::float64:
    case Type::decimal128: return compare_numbers(a, b);
    case Type::string:
    case Type::symbol:
    case Type::code: return compare_text(a.as_string(), b.as_string());
    case Type::document: return compare_documents(a.as_document(), b.as_document(), true);
    case Type::array: return compare_documents(a.as_document(), b.as_document(), false);
    case Type::binary: return compare_binary(a, b);
    case Type::object_id:
    case Type::boolean: return compare_bytes(a.bytes(), b.bytes());
    case Type::date: return compare_plain(a.as_date(), b.as_date());
    case Type::timestamp: return compare_plain(a.as_timestamp(), b.as_timestamp());
    case Type::regex: return compare_regex(a, b);
    case Type::db_pointer: return compare_db_pointer(a, b);
    case Type::code_with_scope: return compare_code_with_scope(a, b);
  }
  return Ordering::equivalent;
}

}  // namespace holdfast::bson
