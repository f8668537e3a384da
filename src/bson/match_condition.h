#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bson/document.h"

namespace holdfast::bson {

/// Deeper queries are refused; servers stop at about this, too.
inline constexpr int max_query_depth = 100;

/// One node of a query: see match.h. A condition asks something of one value at `path`, or joins
/// others.
struct Condition {
  enum class Kind {
    all_of,   ///< $and, and several conditions side by side
    any_of,   ///< $or
    none_of,  ///< $nor, $not, and what $ne and $nin deny
    equal,
    greater,
    greater_or_equal,
    less,
    less_or_equal,
    in,
    regex,
    exists,
    type,
    size,
    element_value,     ///< $elemMatch with operators on the element itself
    element_document,  ///< $elemMatch with a query of the element
    never,             ///< $all: []
  };
  Kind kind = Kind::all_of;
  std::vector<std::string> path;  ///< Empty: the value itself, inside $elemMatch.
  std::vector<Condition> parts;
  std::optional<Value> value;
  std::vector<Value> values;                         ///< in
  std::vector<std::shared_ptr<const RE2>> patterns;  ///< regex, in
  std::set<Type> types;
  std::int64_t size = 0;
};

/// Whether a condition holds for a document, or (paths being empty) for one value.
[[nodiscard]] bool holds(const Condition& condition, DocumentView document);
[[nodiscard]] bool holds_for_value(const Condition& condition, ValueView value);

/// Reads a query. Errors: those of Matcher::parse.
[[nodiscard]] Result<Condition> parse_query(DocumentView query, int depth);

}  // namespace holdfast::bson
