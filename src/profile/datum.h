#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "bson/document.h"
#include "profile/arena.h"

namespace holdfast::bson {
class Builder;
}

namespace holdfast::profile {

/// A value while an expression is evaluated: any BSON value, or none ("missing", which is not
/// null). Sixteen bytes; refers to a document, to an expression's constants or to the arena, and
/// owns nothing. Arrays that were computed are lists of data, not encoded.
class Datum {
 public:
  /// Missing.
  Datum() = default;
  /// Any validated value; it must stay in place.
  explicit Datum(bson::ValueView value);

  [[nodiscard]] static Datum null() { return Datum(bson::Type::null); }
  [[nodiscard]] static Datum of_bool(bool value);
  [[nodiscard]] static Datum of_int32(std::int32_t value);
  [[nodiscard]] static Datum of_int64(std::int64_t value);
  /// int32 where it fits, as the server does for results of integer arithmetic.
  [[nodiscard]] static Datum of_integer(std::int64_t value);
  [[nodiscard]] static Datum of_double(double value);
  [[nodiscard]] static Datum of_date(std::int64_t milliseconds);
  /// Copies the text into the arena.
  [[nodiscard]] static Datum of_string(Arena& arena, std::string_view text);
  /// Copies the value's bytes into the arena.
  [[nodiscard]] static Datum of_bytes(Arena& arena, bson::Type type, ByteView bytes);
  [[nodiscard]] static Datum of_list(std::span<const Datum> items);

  [[nodiscard]] bool missing() const { return type_ == 0; }
  /// missing, null or undefined.
  [[nodiscard]] bool nullish() const;
  /// Requires !missing().
  [[nodiscard]] bson::Type type() const { return static_cast<bson::Type>(type_); }
  [[nodiscard]] bool is(bson::Type type) const { return type_ == static_cast<std::uint8_t>(type); }
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] bool is_array() const { return is(bson::Type::array); }
  /// An array that was computed: `items()` holds its elements.
  [[nodiscard]] bool is_list() const { return list_; }
  /// The server's coercion to a boolean: false for missing, null, undefined, false and zeros.
  [[nodiscard]] bool truthy() const;

  // Each requires the matching type.
  [[nodiscard]] bool as_bool() const { return integer_ != 0; }
  /// int32, int64, date (milliseconds), timestamp.
  [[nodiscard]] std::int64_t as_integer() const { return integer_; }
  [[nodiscard]] double as_double() const { return number_; }
  /// string, symbol or code.
  [[nodiscard]] std::string_view as_string() const;
  [[nodiscard]] bson::DocumentView as_document() const { return bson::DocumentView(bytes()); }
  [[nodiscard]] std::span<const Datum> items() const { return {items_, size_}; }
  /// The encoded bytes of what is not kept in place (and not a list).
  [[nodiscard]] ByteView bytes() const { return {bytes_, size_}; }

  /// The value as BSON; scalars are written to `scratch`. Requires !missing() and !is_list().
  [[nodiscard]] bson::ValueView view(std::array<std::uint8_t, 8>& scratch) const;
  /// A copy that owns its bytes; missing becomes undefined.
  [[nodiscard]] bson::Value to_value() const;

  /// Whether values of this type are kept in place.
  [[nodiscard]] static bool in_place(bson::Type type);

 private:
  explicit Datum(bson::Type type) : type_(static_cast<std::uint8_t>(type)) {}

  std::uint8_t type_ = 0;  ///< 0: missing; no BSON type has that number.
  bool list_ = false;
  std::uint32_t size_ = 0;
  union {
    std::int64_t integer_ = 0;
    double number_;
    const std::uint8_t* bytes_;
    const Datum* items_;
  };
};

static_assert(sizeof(Datum) == 16);

/// Appends the value as a field; an array's missing elements become null, as the server has it.
/// Requires !missing() (but for elements).
void append_to(bson::Builder& out, std::string_view name, const Datum& datum);

/// The order of the server's aggregation comparisons: as bson::compare, with missing equal to
/// undefined. Negative, 0 or positive.
[[nodiscard]] int compare(const Datum& a, const Datum& b);

/// Calls `visit(const Datum&)` for each element of an array until it returns false.
template <typename Visit>
void for_each_element(const Datum& array, Visit visit) {
  if (array.is_list()) {
    for (const Datum& item : array.items()) {
      if (!visit(item)) return;
    }
    return;
  }
  for (const bson::Element& element : array.as_document()) {
    if (!visit(Datum(element.value))) return;
  }
}

/// An array's elements as a span: those of a list itself, else decoded into the arena.
[[nodiscard]] std::span<const Datum> elements_of(Arena& arena, const Datum& array);

/// The server's name of a type ("int", "objectId", "missing", …).
[[nodiscard]] std::string_view type_name(const Datum& datum);
[[nodiscard]] std::string_view type_name(bson::Type type);

}  // namespace holdfast::profile
