#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

#include "bson/document.h"

namespace holdfast::bson {

/// What random documents may hold. The defaults allow everything that `validate_document` does.
struct GenerateOptions {
  int max_depth = 4;
  std::size_t max_fields = 10;
  bool repeat_names = true;
  /// Only what canonical Extended JSON brings back byte for byte: UTF-8, no names that begin with
  /// "$", sorted regex options, canonical NaN and Decimal128, and the like.
  bool json_safe = false;
};

/// Values of every type, deprecated ones included, odd ones more often than in life. The same seed
/// gives the same document with every compiler and library.
[[nodiscard]] Document generate_document(std::mt19937_64& random,
                                         const GenerateOptions& options = {});
/// `_id` comes first, then random fields.
[[nodiscard]] Document generate_document_with_id(std::mt19937_64& random, ValueView id,
                                                 const GenerateOptions& options = {});
[[nodiscard]] Value generate_value(std::mt19937_64& random, const GenerateOptions& options = {});
/// Any number type; values that lie close together or are equal across types are frequent.
[[nodiscard]] Value generate_number(std::mt19937_64& random);
/// Any type that a server accepts as `_id` (no array, regex or undefined), mostly ObjectIds.
[[nodiscard]] Value generate_id(std::mt19937_64& random);

/// 0 … bound - 1; unlike the standard's distributions the same everywhere.
[[nodiscard]] std::size_t pick_below(std::mt19937_64& random, std::size_t bound);

/// A value from its Extended JSON, e.g. R"({"$numberDecimal":"1E-3"})". Throws if it is malformed.
[[nodiscard]] Value value_from_json(std::string_view json);
/// Throws if it is malformed.
[[nodiscard]] Document document_from_json(std::string_view json);

}  // namespace holdfast::bson
