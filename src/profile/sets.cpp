#include <algorithm>

#include "profile/node_internal.h"

namespace holdfast::profile {
namespace {

bool before(const Datum& a, const Datum& b) { return compare(a, b) < 0; }
bool same(const Datum& a, const Datum& b) { return compare(a, b) == 0; }

/// The array's elements sorted, each once: a set in the arena. Requires an array.
std::span<Datum> set_of(Evaluation& evaluation, const Datum& array) {
  ArenaVector<Datum> items(evaluation.arena());
  for_each_element(array, [&items](const Datum& item) { return items.push_back(item), true; });
  std::sort(items.begin(), items.end(), before);
  const auto end = std::unique(items.begin(), items.end(), same);
  return {items.begin(), end};
}

Datum not_arrays(Evaluation& evaluation, std::string_view name, const Datum& found) {
  return wrong_type(evaluation, std::string(name) + " takes arrays, not", found);
}

Datum set_union(Evaluation& evaluation, Arguments arguments) {
  ArenaVector<Datum> all(evaluation.arena());
  for (const NodePointer& argument : arguments) {
    const Datum array = argument->evaluate(evaluation);
    if (array.nullish()) return Datum::null();
    if (!array.is_array()) return not_arrays(evaluation, "$setUnion", array);
    for_each_element(array, [&all](const Datum& item) { return all.push_back(item), true; });
  }
  return Datum::of_list(set_of(evaluation, Datum::of_list(all.span())));
}

Datum set_intersection(Evaluation& evaluation, Arguments arguments) {
  std::span<Datum> common;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Datum array = arguments[i]->evaluate(evaluation);
    if (array.nullish()) return Datum::null();
    if (!array.is_array()) return not_arrays(evaluation, "$setIntersection", array);
    const auto other = set_of(evaluation, array);
    if (i == 0) {
      common = other;
      continue;
    }
    const auto end = std::remove_if(common.begin(), common.end(), [&](const Datum& item) {
      return !std::binary_search(other.begin(), other.end(), item, before);
    });
    common = common.first(static_cast<std::size_t>(end - common.begin()));
  }
  return Datum::of_list(common);
}

Datum set_difference(Evaluation& evaluation, Arguments arguments) {
  const Datum a = arguments[0]->evaluate(evaluation);
  const Datum b = arguments[1]->evaluate(evaluation);
  if (a.nullish() || b.nullish()) return Datum::null();
  if (!a.is_array() || !b.is_array()) {
    return not_arrays(evaluation, "$setDifference", a.is_array() ? b : a);
  }
  const auto items = set_of(evaluation, a);
  const auto other = set_of(evaluation, b);
  const auto end = std::remove_if(items.begin(), items.end(), [&](const Datum& item) {
    return std::binary_search(other.begin(), other.end(), item, before);
  });
  return Datum::of_list(items.first(static_cast<std::size_t>(end - items.begin())));
}

Datum set_equals(Evaluation& evaluation, Arguments arguments) {
  std::span<Datum> wanted;
  bool equal = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Datum array = arguments[i]->evaluate(evaluation);
    if (!array.is_array()) return not_arrays(evaluation, "$setEquals", array);
    const auto items = set_of(evaluation, array);
    if (i == 0) wanted = items;
    equal = equal && std::ranges::equal(items, wanted, same);
  }
  return Datum::of_bool(equal);
}

Datum set_is_subset(Evaluation& evaluation, Arguments arguments) {
  const Datum a = arguments[0]->evaluate(evaluation);
  const Datum b = arguments[1]->evaluate(evaluation);
  if (!a.is_array() || !b.is_array()) {
    return not_arrays(evaluation, "$setIsSubset", a.is_array() ? b : a);
  }
  const auto all = set_of(evaluation, b);
  bool inside = true;
  for_each_element(a, [&](const Datum& item) {
    return inside = std::binary_search(all.begin(), all.end(), item, before);
  });
  return Datum::of_bool(inside);
}

const Operator operators[] = {
    {"$setDifference", set_difference, 2, 2},
    {"$setEquals", set_equals, 2, any_number},
    {"$setIntersection", set_intersection, 0, any_number},
    {"$setIsSubset", set_is_subset, 2, 2},
    {"$setUnion", set_union, 0, any_number},
};

}  // namespace

std::span<const Operator> set_operators() { return operators; }

}  // namespace holdfast::profile
