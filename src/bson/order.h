#pragma once

#include <compare>

#include "bson/document.h"

namespace holdfast::bson {

/// Compares two values as MongoDB orders an ascending simple-collation index
/// (https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/): first by
/// bracket (MinKey, undefined, null, numbers, string and symbol, object, array, binary, ObjectId,
/// boolean, date, timestamp, regex, DBPointer, code, code with scope, MaxKey), then by value.
/// Numbers of all four types compare exactly by value (1 = 1.0 = Decimal128 1; NaN = NaN, before
/// every other number; -0 = 0); binary by length, subtype, bytes; documents field by field:
/// bracket, name, value; strings by bytes. Total over all valid values; `equal` is MongoDB's
/// equality of `_id`s.
[[nodiscard]] std::weak_ordering compare(ValueView a, ValueView b);

/// The bracket number of a type, as above: values of one bracket compare by value.
[[nodiscard]] int bracket_of(Type type);

[[nodiscard]] inline bool less(ValueView a, ValueView b) { return compare(a, b) < 0; }

}  // namespace holdfast::bson
