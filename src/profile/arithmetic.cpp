#include <fmt/format.h>

#include <cmath>

#include "profile/decimal.h"
#include "profile/node_internal.h"

namespace holdfast::profile {
namespace {

using bson::Type;

/// A sum of doubles with its rounding error (Knuth's two-sum), as the server keeps it for $add and
/// $sum (src/mongo/util/summation.h).
class ExactSum {
 public:
  void add(double value) {
    const double sum = sum_ + value;
    const double virtual_part = sum - sum_;
    error_ += (sum_ - (sum - virtual_part)) + (value - virtual_part);
    sum_ = sum;
    if (!std::isfinite(value)) infinite_ += value;
  }
  [[nodiscard]] double value() const {
    const double total = sum_ + error_;
    return std::isnan(total) ? (infinite_ != 0 ? infinite_ : total) : total;
  }

 private:
  double sum_ = 0;
  double error_ = 0;
  double infinite_ = 0;  ///< NaN and infinities leave the error undefined.
};

/// Adds numbers of all types; the result's type is the widest one's.
class Total {
 public:
  void add(const Datum& number) {
    switch (number.type()) {
      case Type::float64:
        has_double_ = true;
        doubles_.add(number.as_double());
        break;
      case Type::decimal128:
        has_decimal_ = true;
        decimals_ = profile::add(decimals_, bson::decode_decimal128(number.bytes()));
        break;
      default: has_long_ = has_long_ || number.is(Type::int64); integers_ += number.as_integer();
    }
  }
  [[nodiscard]] Datum result(Arena& arena) const {
    if (has_decimal_) return datum_of(arena, decimal());
    if (has_double_) return Datum::of_double(number());
    if (integers_ < INT64_MIN || integers_ > INT64_MAX) {
      return Datum::of_double(static_cast<double>(integers_));
    }
    const auto sum = static_cast<std::int64_t>(integers_);
    return has_long_ ? Datum::of_int64(sum) : Datum::of_integer(sum);
  }
  /// Divided by how many.
  [[nodiscard]] Datum average(Arena& arena, std::size_t count) const {
    if (has_decimal_) {
      return datum_of(arena, divide(decimal(), decimal_of(static_cast<std::int64_t>(count))));
    }
    return Datum::of_double(number() / static_cast<double>(count));
  }
  /// As milliseconds, if they fit.
  [[nodiscard]] std::optional<std::int64_t> milliseconds() const {
    if (has_decimal_) return truncated(decimal());
    if (has_double_) {
      const double sum = number();
      if (!(sum >= -0x1p63 && sum < 0x1p63)) return std::nullopt;
      return static_cast<std::int64_t>(sum);
    }
    if (integers_ < INT64_MIN || integers_ > INT64_MAX) return std::nullopt;
    return static_cast<std::int64_t>(integers_);
  }

 private:
  [[nodiscard]] double number() const {
    ExactSum all = doubles_;
    all.add(static_cast<double>(integers_));
    return all.value();
  }
  [[nodiscard]] Decimal128 decimal() const {
    Decimal128 integers;
    integers.negative = integers_ < 0;
    integers.coefficient = static_cast<bson::Uint128>(integers_ < 0 ? -integers_ : integers_);
    const Decimal128 sum = profile::add(decimals_, integers);
    return has_double_ ? profile::add(sum, decimal_of(doubles_.value())) : sum;
  }

  bool has_double_ = false;
  bool has_decimal_ = false;
  bool has_long_ = false;
  __extension__ __int128 integers_ = 0;
  ExactSum doubles_;
  Decimal128 decimals_;
};

double as_double(const Datum& number) {
  if (number.is(Type::float64)) return number.as_double();
  if (number.is(Type::decimal128)) return to_double(decimal_of(number));
  return static_cast<double>(number.as_integer());
}

bool either(const Datum& a, const Datum& b, Type type) { return a.is(type) || b.is(type); }

Datum add(Evaluation& evaluation, Arguments arguments) {
  Total total;
  bool date = false;
  for (const NodePointer& argument : arguments) {
    const Datum value = argument->evaluate(evaluation);
    if (value.nullish()) return Datum::null();
    if (value.is(Type::date)) {
      if (date) return evaluation.fail("only one date allowed in an $add expression");
      date = true;
      total.add(Datum::of_int64(value.as_integer()));
    } else if (value.is_number()) {
      total.add(value);
    } else {
      return wrong_type(evaluation, "$add only supports numeric or date types", value);
    }
  }
  if (!date) return total.result(evaluation.arena());
  const auto milliseconds = total.milliseconds();
  return milliseconds ? Datum::of_date(*milliseconds) : evaluation.fail("date overflow in $add");
}

Datum subtract_from_date(Evaluation& evaluation, const Datum& date, const Datum& other) {
  std::int64_t result = 0;
  if (other.is(Type::date)) {
    if (__builtin_sub_overflow(date.as_integer(), other.as_integer(), &result)) {
      return evaluation.fail("date overflow in $subtract");
    }
    return Datum::of_int64(result);
  }
  if (!other.is_number()) return wrong_type(evaluation, "can't $subtract from Date a", other);
  Total total;
  total.add(other);
  const auto milliseconds = total.milliseconds();
  if (!milliseconds || __builtin_sub_overflow(date.as_integer(), *milliseconds, &result)) {
    return evaluation.fail("date overflow in $subtract");
  }
  return Datum::of_date(result);
}

Datum subtract(Evaluation& evaluation, Arguments arguments) {
  const Datum a = arguments[0]->evaluate(evaluation);
  const Datum b = arguments[1]->evaluate(evaluation);
  if (a.nullish() || b.nullish()) return Datum::null();
  if (a.is(Type::date)) return subtract_from_date(evaluation, a, b);
  if (!a.is_number() || !b.is_number()) {
    return wrong_type(evaluation, "can't $subtract", a.is_number() ? b : a);
  }
  if (either(a, b, Type::decimal128)) {
    return datum_of(evaluation.arena(), profile::subtract(decimal_of(a), decimal_of(b)));
  }
  if (either(a, b, Type::float64)) return Datum::of_double(as_double(a) - as_double(b));
  std::int64_t result = 0;
  if (__builtin_sub_overflow(a.as_integer(), b.as_integer(), &result)) {
    return Datum::of_double(as_double(a) - as_double(b));
  }
  return either(a, b, Type::int64) ? Datum::of_int64(result) : Datum::of_integer(result);
}

Datum multiply(Evaluation& evaluation, Arguments arguments) {
  Datum product = Datum::of_int32(1);
  bool null = false;
  for (const NodePointer& argument : arguments) {
    const Datum value = argument->evaluate(evaluation);
    if (value.nullish()) {
      null = true;
    } else if (!value.is_number()) {
      return wrong_type(evaluation, "$multiply only supports numeric types", value);
    } else if (either(product, value, Type::decimal128)) {
      product =
          datum_of(evaluation.arena(), profile::multiply(decimal_of(product), decimal_of(value)));
    } else if (either(product, value, Type::float64)) {
      product = Datum::of_double(as_double(product) * as_double(value));
    } else {
      std::int64_t result = 0;
      if (__builtin_mul_overflow(product.as_integer(), value.as_integer(), &result)) {
        product = Datum::of_double(as_double(product) * as_double(value));
      } else {
        product = either(product, value, Type::int64) ? Datum::of_int64(result)
                                                      : Datum::of_integer(result);
      }
    }
    if (null) return Datum::null();
  }
  return product;
}

Datum divide(Evaluation& evaluation, Arguments arguments) {
  const Datum a = arguments[0]->evaluate(evaluation);
  const Datum b = arguments[1]->evaluate(evaluation);
  if (a.nullish() || b.nullish()) return Datum::null();
  if (!a.is_number() || !b.is_number()) {
    return wrong_type(evaluation, "$divide only supports numeric types", a.is_number() ? b : a);
  }
  if (!b.truthy()) return evaluation.fail("can't $divide by zero");
  if (either(a, b, Type::decimal128)) {
    return datum_of(evaluation.arena(), profile::divide(decimal_of(a), decimal_of(b)));
  }
  return Datum::of_double(as_double(a) / as_double(b));
}

Datum modulo(Evaluation& evaluation, Arguments arguments) {
  const Datum a = arguments[0]->evaluate(evaluation);
  const Datum b = arguments[1]->evaluate(evaluation);
  if (a.nullish() || b.nullish()) return Datum::null();
  if (!a.is_number() || !b.is_number()) {
    return wrong_type(evaluation, "$mod only supports numeric types", a.is_number() ? b : a);
  }
  if (!b.truthy()) return evaluation.fail("can't $mod by zero");
  if (either(a, b, Type::decimal128)) {
    return datum_of(evaluation.arena(), remainder(decimal_of(a), decimal_of(b)));
  }
  // A divisor like 2.0 counts as the integer that it is, if it fits into 32 bits.
  const bool whole = !b.is(Type::float64) || (std::trunc(b.as_double()) == b.as_double() &&
                                              std::abs(b.as_double()) <= INT32_MAX);
  if (a.is(Type::float64) || !whole) {
    return Datum::of_double(std::fmod(as_double(a), as_double(b)));
  }
  const auto divisor =
      b.is(Type::float64) ? static_cast<std::int64_t>(b.as_double()) : b.as_integer();
  const std::int64_t rest = divisor == -1 ? 0 : a.as_integer() % divisor;
  return either(a, b, Type::int64) ? Datum::of_int64(rest) : Datum::of_integer(rest);
}

/// The values that an accumulator among expressions looks at: the elements of its one argument if
/// that is an array, else its arguments.
std::span<const Datum> accumulated(Evaluation& evaluation, Arguments arguments) {
  const auto values = evaluate_all(evaluation, arguments);
  if (values.size() == 1 && values[0].is_array()) {
    return elements_of(evaluation.arena(), values[0]);
  }
  return values;
}

Datum sum(Evaluation& evaluation, Arguments arguments) {
  if (arguments.size() == 1) {
    const Datum only = arguments[0]->evaluate(evaluation);
    Total total;
    if (only.is_array()) {
      for_each_element(only, [&](const Datum& item) {
        if (item.is_number()) total.add(item);
        return true;
      });
    } else if (only.is_number()) {
      total.add(only);
    }
    return total.result(evaluation.arena());
  }
  return add_up(evaluation, evaluate_all(evaluation, arguments));
}

Datum average(Evaluation& evaluation, Arguments arguments) {
  Total total;
  std::size_t count = 0;
  for (const Datum& value : accumulated(evaluation, arguments)) {
    if (!value.is_number()) continue;
    total.add(value);
    ++count;
  }
  return count == 0 ? Datum::null() : total.average(evaluation.arena(), count);
}

Datum extreme(Evaluation& evaluation, Arguments arguments, int wanted) {
  Datum best = Datum::null();
  for (const Datum& value : accumulated(evaluation, arguments)) {
    if (value.nullish()) continue;
    if (best.nullish() || compare(value, best) * wanted > 0) best = value;
  }
  return best;
}

Datum least(Evaluation& evaluation, Arguments arguments) {
  return extreme(evaluation, arguments, -1);
}

Datum greatest(Evaluation& evaluation, Arguments arguments) {
  return extreme(evaluation, arguments, 1);
}

const Operator operators[] = {
    {"$add", add, 0, any_number},
    {"$avg", average, 0, any_number},
    {"$divide", divide, 2, 2},
    {"$max", greatest, 0, any_number},
    {"$min", least, 0, any_number},
    {"$mod", modulo, 2, 2},
    {"$multiply", multiply, 0, any_number},
    {"$subtract", subtract, 2, 2},
    {"$sum", sum, 0, any_number},
};

}  // namespace

std::span<const Operator> arithmetic_operators() { return operators; }

Datum add_up(Evaluation& evaluation, std::span<const Datum> items) {
  Total total;
  for (const Datum& item : items) {
    if (item.is_number()) total.add(item);
  }
  return total.result(evaluation.arena());
}

}  // namespace holdfast::profile
