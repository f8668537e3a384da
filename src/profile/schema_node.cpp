#include <fmt/format.h>
#include <re2/re2.h>

#include <cmath>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/order.h"
#include "profile/decimal.h"
#include "profile/schema_node_internal.h"
#include "profile/text_internal.h"

namespace holdfast::profile {
namespace {

using bson::Type;
using bson::ValueView;

/// Fills the violation if somebody wants it; always false.
bool refuse(SchemaViolation* violation, std::string_view keyword, const auto& expected,
            std::optional<ValueView> actual) {
  if (violation == nullptr) return false;
  violation->keyword = keyword;
  violation->expected = expected();
  violation->actual.reset();
  if (actual) violation->actual.emplace(*actual);
  return false;
}

/// Puts a name before the path of a violation further inside; always false.
bool inside(SchemaViolation* violation, std::string_view name) {
  if (violation == nullptr) return false;
  violation->path =
      violation->path.empty() ? std::string(name) : fmt::format("{}.{}", name, violation->path);
  return false;
}

bool is_nan(ValueView value) {
  if (value.type() == Type::float64) return std::isnan(value.as_double());
  return value.type() == Type::decimal128 &&
         bson::decode_decimal128(value.bytes()).kind == bson::Decimal128::Kind::nan;
}

std::string text_of(ValueView value) { return bson::to_json(value, bson::JsonMode::relaxed); }

std::int64_t count(bson::DocumentView document) {
  std::int64_t number = 0;
  for (auto at = document.begin(); at != document.end(); ++at) ++number;
  return number;
}

bool same_documents(bson::DocumentView a, bson::DocumentView b) {
  if (count(a) != count(b)) return false;
  for (const bson::Element& element : a) {
    const auto other = b.find(element.name);
    if (!other || !same_value(element.value, *other)) return false;
  }
  return true;
}

}  // namespace

bool same_value(ValueView a, ValueView b) {
  if (a.type() != b.type()) return bson::compare(a, b) == 0;
  if (a.type() == Type::document) return same_documents(a.as_document(), b.as_document());
  if (a.type() != Type::array) return bson::compare(a, b) == 0;
  auto left = a.as_document().begin();
  auto right = b.as_document().begin();
  const auto left_end = a.as_document().end();
  const auto right_end = b.as_document().end();
  for (; left != left_end && right != right_end; ++left, ++right) {
    if (!same_value(left->value, right->value)) return false;
  }
  return left == left_end && right == right_end;
}

SchemaNode::SchemaNode() = default;
SchemaNode::~SchemaNode() = default;

bool SchemaNode::accepts(ValueView value, SchemaViolation* violation) const {
  if (types && !types->contains(value.type())) {
    return refuse(
        violation, "bsonType", [&] { return types_text; }, value);
  }
  if (allowed) {
    bool found = false;
    for (const bson::Element& one : *allowed) found = found || same_value(one.value, value);
    if (!found) {
      return refuse(
          violation, "enum",
          [&] {
            return "one of " + text_of({Type::array, allowed->bytes()});
          },
          value);
    }
  }
  if (value.is_number() && !number_fits(value, violation)) return false;
  if (value.type() == Type::string && !string_fits(value, violation)) return false;
  if (value.type() == Type::array && !array_fits(value, violation)) return false;
  if (value.type() == Type::document && !object_fits(value, violation)) return false;
  return combinations_fit(value, violation);
}

bool SchemaNode::number_fits(ValueView value, SchemaViolation* violation) const {
  if (minimum) {
    const auto order = bson::compare(value, minimum->limit);
    if (is_nan(value) || order < 0 || (minimum->exclusive && order == 0)) {
      return refuse(
          violation, "minimum",
          [&] {
            return (minimum->exclusive ? "more than " : "at least ") + text_of(minimum->limit);
          },
          value);
    }
  }
  if (maximum) {
    const auto order = bson::compare(value, maximum->limit);
    if (is_nan(value) || order > 0 || (maximum->exclusive && order == 0)) {
      return refuse(
          violation, "maximum",
          [&] {
            return (maximum->exclusive ? "less than " : "at most ") + text_of(maximum->limit);
          },
          value);
    }
  }
  if (!multiple_of) return true;
  const Decimal128 rest = remainder(decimal_of(Datum(value)), decimal_of(Datum(*multiple_of)));
  return rest.is_zero() || refuse(
                               violation, "multipleOf",
                               [&] { return "a multiple of " + text_of(*multiple_of); }, value);
}

bool SchemaNode::string_fits(ValueView value, SchemaViolation* violation) const {
  const std::string_view text = value.as_string();
  if (least_length || most_length) {
    const auto length = static_cast<std::int64_t>(count_code_points(text));
    if (least_length && length < *least_length) {
      return refuse(
          violation, "minLength", [&] { return fmt::format("at least {} letters", *least_length); },
          value);
    }
    if (most_length && length > *most_length) {
      return refuse(
          violation, "maxLength", [&] { return fmt::format("at most {} letters", *most_length); },
          value);
    }
  }
  if (pattern && !re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern)) {
    return refuse(
        violation, "pattern", [&] { return fmt::format("a match of /{}/", pattern_text); }, value);
  }
  return true;
}

bool SchemaNode::array_fits(ValueView value, SchemaViolation* violation) const {
  const bson::DocumentView items = value.as_document();
  std::int64_t index = 0;
  for (const bson::Element& element : items) {
    const auto position = static_cast<std::size_t>(index++);
    const SchemaNode* schema = item.get();
    if (is_tuple) {
      if (position < tuple.size()) {
        schema = tuple[position].get();
      } else if (!other_items) {
        return refuse(
            violation, "additionalItems",
            [&] { return fmt::format("at most {} items", tuple.size()); }, value);
      } else {
        schema = other_item.get();
      }
    }
    if (schema != nullptr && !schema->accepts(element.value, violation)) {
      return inside(violation, element.name);
    }
  }
  if (least_items && index < *least_items) {
    return refuse(
        violation, "minItems", [&] { return fmt::format("at least {} items", *least_items); },
        value);
  }
  if (most_items && index > *most_items) {
    return refuse(
        violation, "maxItems", [&] { return fmt::format("at most {} items", *most_items); }, value);
  }
  if (!unique_items) return true;
  for (auto one = items.begin(); one != items.end(); ++one) {
    auto other = one;
    for (++other; other != items.end(); ++other) {
      if (same_value(one->value, other->value)) {
        return refuse(
            violation, "uniqueItems", [] { return std::string("no item twice"); }, other->value);
      }
    }
  }
  return true;
}

bool SchemaNode::object_fits(ValueView value, SchemaViolation* violation) const {
  const bson::DocumentView document = value.as_document();
  for (const Property& property : properties) {
    if (!property.required) continue;
    if (!document.find(property.name)) {
      refuse(violation, "required", [&] { return std::string("a value"); }, {});
      return inside(violation, property.name);
    }
  }
  std::int64_t fields = 0;
  for (const bson::Element& element : document) {
    ++fields;
    const Property* known = nullptr;
    for (const Property& property : properties) {
      if (property.schema != nullptr && property.name == element.name) known = &property;
    }
    if (known == nullptr && !other_properties) {
      refuse(
          violation, "additionalProperties", [] { return std::string("no such field"); },
          element.value);
      return inside(violation, element.name);
    }
    const SchemaNode* schema = known != nullptr ? known->schema.get() : other_schema.get();
    if (schema != nullptr && !schema->accepts(element.value, violation)) {
      return inside(violation, element.name);
    }
  }
  if (least_properties && fields < *least_properties) {
    return refuse(
        violation, "minProperties",
        [&] { return fmt::format("at least {} fields", *least_properties); }, value);
  }
  if (most_properties && fields > *most_properties) {
    return refuse(
        violation, "maxProperties",
        [&] { return fmt::format("at most {} fields", *most_properties); }, value);
  }
  return true;
}

bool SchemaNode::combinations_fit(ValueView value, SchemaViolation* violation) const {
  for (const Pointer& schema : all_of) {
    if (!schema->accepts(value, violation)) return false;
  }
  const auto matching = [value](const std::vector<Pointer>& schemas) {
    std::size_t number = 0;
    for (const Pointer& schema : schemas) number += schema->accepts(value, nullptr) ? 1 : 0;
    return number;
  };
  if (has_any_of && matching(any_of) == 0) {
    return refuse(
        violation, "anyOf", [] { return std::string("to fit one of the schemas"); }, value);
  }
  if (has_one_of && matching(one_of) != 1) {
    return refuse(
        violation, "oneOf", [] { return std::string("to fit exactly one of the schemas"); }, value);
  }
  if (negated && negated->accepts(value, nullptr)) {
    return refuse(
        violation, "not", [] { return std::string("not to fit the schema"); }, value);
  }
  return true;
}

}  // namespace holdfast::profile
