#include "bson/match.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "bson/builder.h"
#include "bson/match_condition.h"
#include "bson/order.h"

namespace holdfast::bson {

namespace {

/// What a path leads to; nothing where it leads to no field.
using Candidate = std::optional<ValueView>;
using Test = std::function<bool(const Candidate&)>;
using Path = std::vector<std::string>;

/// The value at the path's end: with `expand` an array's elements are asked, too.
bool test_leaf(ValueView value, bool expand, const Test& test) {
  if (expand && value.type() == Type::array) {
    for (const Element& element : value.as_document()) {
      if (test(element.value)) return true;
    }
  }
  return test(value);
}

bool test_path(DocumentView document, const Path& path, std::size_t at, bool expand,
               const Test& test);

/// Goes on from a value that the first `at` parts of the path led to.
bool test_below(ValueView value, const Path& path, std::size_t at, bool expand, const Test& test) {
  if (at == path.size()) return test_leaf(value, expand, test);
  if (value.type() == Type::document) {
    return test_path(value.as_document(), path, at, expand, test);
  }
  if (value.type() != Type::array) return test(std::nullopt);
  // Through an array: the part may be an index, or a field of every document in it.
  for (const Element& element : value.as_document()) {
    if (element.name == path[at] && test_below(element.value, path, at + 1, expand, test)) {
      return true;
    }
    if (element.value.type() != Type::document) continue;
    if (test_path(element.value.as_document(), path, at, expand, test)) return true;
  }
  return false;
}

bool test_path(DocumentView document, const Path& path, std::size_t at, bool expand,
               const Test& test) {
  const auto found = document.find(path[at]);
  if (!found) return test(std::nullopt);
  return test_below(*found, path, at + 1, expand, test);
}

bool is_nan(ValueView value) {
  if (!value.is_number()) return false;
  static const double nan = std::numeric_limits<double>::quiet_NaN();
  static const Value reference(
      Type::float64, to_bytes({reinterpret_cast<const std::uint8_t*>(&nan), sizeof(nan)}));
  return compare(value, reference.view()) == 0;
}

bool is_nothing(ValueView value) {
  return value.type() == Type::null || value.type() == Type::undefined;
}

bool equals(const Candidate& candidate, ValueView wanted) {
  if (!candidate) return is_nothing(wanted);
  if (is_nothing(wanted)) return is_nothing(*candidate);
  return compare(*candidate, wanted) == 0;
}

bool compares(Condition::Kind kind, const Candidate& candidate, ValueView wanted) {
  const bool or_equal =
      kind == Condition::Kind::greater_or_equal || kind == Condition::Kind::less_or_equal;
  // Only equality is meant among nothings; missing counts as null.
  if (is_nothing(wanted)) return or_equal && equals(candidate, wanted);
  if (!candidate) return false;
  const bool boundless = wanted.type() == Type::min_key || wanted.type() == Type::max_key;
  if (!boundless && bracket_of(candidate->type()) != bracket_of(wanted.type())) return false;
  if (is_nan(wanted) || is_nan(*candidate)) {
    return or_equal && is_nan(wanted) && is_nan(*candidate);
  }
  const auto order = compare(*candidate, wanted);
  switch (kind) {
    case Condition::Kind::greater: return order > 0;
    case Condition::Kind::greater_or_equal: return order >= 0;
    case Condition::Kind::less: return order < 0;
    default: return order <= 0;
  }
}

/// A regex value matches itself, and strings match the pattern.
bool matches_pattern(const Condition& condition, const Candidate& candidate) {
  if (!candidate) return false;
  if (candidate->type() == Type::regex) {
    return condition.value && candidate->identical(condition.value->view());
  }
  if (candidate->type() != Type::string && candidate->type() != Type::symbol) return false;
  const std::string_view text = candidate->as_string();
  return std::any_of(condition.patterns.begin(), condition.patterns.end(),
                     [&](const auto& pattern) {
                       return RE2::PartialMatch({text.data(), text.size()}, *pattern);
                     });
}

bool any_element(ValueView array, const std::function<bool(ValueView)>& test) {
  if (array.type() != Type::array) return false;
  for (const Element& element : array.as_document()) {
    if (test(element.value)) return true;
  }
  return false;
}

std::int64_t element_count(ValueView array) {
  std::int64_t count = 0;
  for ([[maybe_unused]] const Element& element : array.as_document()) ++count;
  return count;
}

/// The question of one condition to one candidate.
bool holds_for(const Condition& condition, const Candidate& candidate) {
  using Kind = Condition::Kind;
  switch (condition.kind) {
    case Kind::equal: return equals(candidate, condition.value->view());
    case Kind::greater:
    case Kind::greater_or_equal:
    case Kind::less:
    case Kind::less_or_equal: return compares(condition.kind, candidate, condition.value->view());
    case Kind::in:
      return std::any_of(condition.values.begin(), condition.values.end(),
                         [&](const Value& value) { return equals(candidate, value.view()); }) ||
             matches_pattern(condition, candidate);
    case Kind::regex: return matches_pattern(condition, candidate);
    case Kind::exists: return candidate.has_value();
    case Kind::type: return candidate && condition.types.contains(candidate->type());
    case Kind::size:
      return candidate && candidate->type() == Type::array &&
             element_count(*candidate) == condition.size;
    case Kind::element_value:
      return candidate && any_element(*candidate, [&](ValueView element) {
               return holds_for_value(condition.parts.front(), element);
             });
    case Kind::element_document:
      return candidate && any_element(*candidate, [&](ValueView element) {
               const bool container =
                   element.type() == Type::document || element.type() == Type::array;
               return container && holds(condition.parts.front(), element.as_document());
             });
    default: return false;
  }
}

/// These look at an array as a whole.
bool expands_arrays(Condition::Kind kind) {
  using Kind = Condition::Kind;
  return kind != Kind::exists && kind != Kind::size && kind != Kind::element_value &&
         kind != Kind::element_document;
}

template <typename Ask>
bool holds_joined(const Condition& condition, const Ask& ask) {
  const auto& parts = condition.parts;
  switch (condition.kind) {
    case Condition::Kind::all_of: return std::all_of(parts.begin(), parts.end(), ask);
    case Condition::Kind::any_of: return std::any_of(parts.begin(), parts.end(), ask);
    default: return std::none_of(parts.begin(), parts.end(), ask);
  }
}

bool joins(Condition::Kind kind) {
  return kind == Condition::Kind::all_of || kind == Condition::Kind::any_of ||
         kind == Condition::Kind::none_of;
}

}  // namespace

bool holds(const Condition& condition, DocumentView document) {
  if (joins(condition.kind)) {
    return holds_joined(condition, [&](const Condition& part) { return holds(part, document); });
  }
  if (condition.kind == Condition::Kind::never) return false;
  return test_path(document, condition.path, 0, expands_arrays(condition.kind),
                   [&](const Candidate& candidate) { return holds_for(condition, candidate); });
}

bool holds_for_value(const Condition& condition, ValueView value) {
  if (joins(condition.kind)) {
    return holds_joined(condition,
                        [&](const Condition& part) { return holds_for_value(part, value); });
  }
  // An element that is an array itself is not looked into.
  return holds_for(condition, value);
}

struct Matcher::Impl {
  Condition root;
};

Matcher::Matcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&& other) noexcept = default;
Matcher& Matcher::operator=(Matcher&& other) noexcept = default;

Result<Matcher> Matcher::parse(DocumentView query) {
  HOLDFAST_TRY(Condition root, parse_query(query, 0));
  return Matcher(std::make_unique<Impl>(Impl{std::move(root)}));
}

bool Matcher::matches(DocumentView document) const { return holds(impl_->root, document); }

}  // namespace holdfast::bson
