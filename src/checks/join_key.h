#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "profile/datum.h"

namespace holdfast::checks {

/// Appends bytes that are equal for two values if and only if MongoDB holds the values to be equal
/// (1 = 1.0 = Decimal128 1.00; a symbol is a string): values are joined by these bytes. Their order
/// means nothing.
void append_join_key(Bytes& out, const profile::Datum& value);

/// Sixteen bytes that stand for a join key in memory: an ObjectId as it is, any other key by its
/// XXH3-128 hash.
struct ShortKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const ShortKey&, const ShortKey&) = default;
};
[[nodiscard]] ShortKey shorten(ByteView join_key);

/// Whether a value counts as a key at all: missing, null and undefined are none.
[[nodiscard]] inline bool is_key(const profile::Datum& value) { return !value.nullish(); }

}  // namespace holdfast::checks
