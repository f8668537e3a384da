#pragma once

#include <span>
#include <string>
#include <string_view>

#include "smokava/dice.h"

/// Words and sentences in Persian, as guests and restaurants write them.
namespace holdfast::smokava::texts {

struct Name {
  std::string_view fa;
  std::string_view latin;  ///< lower case, letters only
};

struct City {
  std::string_view fa;
  std::string_view en;
  /// Degrees times 10,000.
  std::int32_t longitude;
  std::int32_t latitude;
  std::string_view phone_prefix;
};

[[nodiscard]] std::span<const Name> first_names();
[[nodiscard]] std::span<const Name> last_names();
[[nodiscard]] std::span<const City> cities();
[[nodiscard]] std::span<const Name> streets();
[[nodiscard]] std::span<const Name> restaurant_names();
[[nodiscard]] std::span<const std::string_view> flavors();
[[nodiscard]] std::span<const std::string_view> biographies();
[[nodiscard]] std::span<const std::string_view> restaurant_descriptions();
[[nodiscard]] std::span<const std::string_view> comments();
[[nodiscard]] std::span<const std::string_view> moderation_reasons();

/// A sentence or three about an evening; {flavor} and {restaurant} are filled in.
[[nodiscard]] std::string caption(Dice& dice, std::string_view flavor, std::string_view restaurant);

/// A whole number with Persian digits: 4500 gives "۴۵۰۰"; grouped: "۴٬۵۰۰".
[[nodiscard]] std::string persian_number(std::uint64_t number, bool grouped = false);

}  // namespace holdfast::smokava::texts
