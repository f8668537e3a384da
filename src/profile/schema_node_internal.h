#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profile/schema.h"

namespace re2 {
class RE2;
}

namespace holdfast::profile {

/// A set of BSON types.
class TypeSet {
 public:
  void add(bson::Type type) { bits_ |= bit(type); }
  void add(const TypeSet& other) { bits_ |= other.bits_; }
  [[nodiscard]] bool contains(bson::Type type) const { return (bits_ & bit(type)) != 0; }

 private:
  static std::uint32_t bit(bson::Type type) {
    const auto number = static_cast<std::uint8_t>(type);
    return 1U << (number == 0xff ? 30U : number == 0x7f ? 31U : number);
  }
  std::uint32_t bits_ = 0;
};

/// One (sub-)schema.
class SchemaNode {
 public:
  using Pointer = std::unique_ptr<SchemaNode>;
  struct Property {
    std::string name;
    Pointer schema;  ///< Null: the name is known, no more.
    bool required = false;
  };
  struct Bound {
    bson::ValueView limit;
    bool exclusive = false;
  };

  SchemaNode();
  ~SchemaNode();

  /// Whether the value fits; if not and `violation` is given, fills it (the path from here on).
  [[nodiscard]] bool accepts(bson::ValueView value, SchemaViolation* violation) const;

  std::optional<TypeSet> types;
  std::string types_text;
  std::optional<bson::DocumentView> allowed;  ///< enum
  std::vector<Property> properties;           ///< Of `properties` and `required`.
  bool other_properties = true;
  Pointer other_schema;
  std::optional<std::int64_t> least_properties, most_properties;
  std::optional<Bound> minimum, maximum;
  std::optional<bson::ValueView> multiple_of;
  std::optional<std::int64_t> least_length, most_length;
  std::unique_ptr<re2::RE2> pattern;
  std::string pattern_text;
  Pointer item;                ///< Each item.
  std::vector<Pointer> tuple;  ///< By position.
  bool is_tuple = false;
  bool other_items = true;
  Pointer other_item;
  std::optional<std::int64_t> least_items, most_items;
  bool unique_items = false;
  std::vector<Pointer> all_of, any_of, one_of;
  bool has_any_of = false, has_one_of = false;
  Pointer negated;

 private:
  [[nodiscard]] bool number_fits(bson::ValueView value, SchemaViolation* violation) const;
  [[nodiscard]] bool string_fits(bson::ValueView value, SchemaViolation* violation) const;
  [[nodiscard]] bool array_fits(bson::ValueView value, SchemaViolation* violation) const;
  [[nodiscard]] bool object_fits(bson::ValueView value, SchemaViolation* violation) const;
  [[nodiscard]] bool combinations_fit(bson::ValueView value, SchemaViolation* violation) const;
};

/// Equality as `enum` and `uniqueItems` have it: the order of an object's fields doesn't count.
[[nodiscard]] bool same_value(bson::ValueView a, bson::ValueView b);

}  // namespace holdfast::profile
