#include <fmt/format.h>

#include <algorithm>

#include "profile/node_internal.h"

namespace holdfast::profile {
namespace {

using bson::Type;

/// What $range may give: the server's limit is 100 MB; far more than any rule needs.
constexpr std::int64_t longest_range = 1'000'000;

std::optional<std::int32_t> whole(const Datum& datum) {
  if (!datum.is_number()) return std::nullopt;
  std::array<std::uint8_t, 8> scratch;
  const auto value = datum.view(scratch).integral();
  if (!value || *value < INT32_MIN || *value > INT32_MAX) return std::nullopt;
  return static_cast<std::int32_t>(*value);
}

std::size_t size_of(const Datum& array) {
  if (array.is_list()) return array.items().size();
  std::size_t count = 0;
  for_each_element(array, [&count](const Datum&) { return ++count, true; });
  return count;
}

Datum size(Evaluation& evaluation, Arguments arguments) {
  const Datum array = arguments[0]->evaluate(evaluation);
  if (!array.is_array()) {
    return wrong_type(evaluation,
                      "The argument to $size must be an array, but was of type:", array);
  }
  return Datum::of_integer(static_cast<std::int64_t>(size_of(array)));
}

Datum contained(Evaluation& evaluation, Arguments arguments) {
  const Datum value = arguments[0]->evaluate(evaluation);
  const Datum array = arguments[1]->evaluate(evaluation);
  if (!array.is_array()) {
    return wrong_type(evaluation, "$in requires an array as a second argument, found:", array);
  }
  bool found = false;
  for_each_element(array, [&](const Datum& item) { return !(found = compare(item, value) == 0); });
  return Datum::of_bool(found);
}

Datum is_array(Evaluation& evaluation, Arguments arguments) {
  return Datum::of_bool(arguments[0]->evaluate(evaluation).is_array());
}

Datum element_at(Evaluation& evaluation, const Datum& array, std::int64_t index) {
  if (!array.is_list() && index >= 0) {
    Datum found;
    for_each_element(array, [&](const Datum& item) {
      if (index-- > 0) return true;
      found = item;
      return false;
    });
    return found;
  }
  const auto items = elements_of(evaluation.arena(), array);
  const auto count = static_cast<std::int64_t>(items.size());
  if (index < 0) index += count;
  return index < 0 || index >= count ? Datum() : items[static_cast<std::size_t>(index)];
}

Datum element(Evaluation& evaluation, Arguments arguments) {
  const Datum array = arguments[0]->evaluate(evaluation);
  const Datum index = arguments[1]->evaluate(evaluation);
  if (array.nullish() || index.nullish()) return Datum::null();
  if (!array.is_array()) {
    return wrong_type(evaluation, "$arrayElemAt's first argument must be an array, but is", array);
  }
  const auto position = whole(index);
  if (!position) {
    return evaluation.fail("$arrayElemAt's second argument must be a 32-bit integer");
  }
  return element_at(evaluation, array, *position);
}

Datum end_of(Evaluation& evaluation, Arguments arguments, std::string_view name, int index) {
  const Datum array = arguments[0]->evaluate(evaluation);
  if (array.nullish()) return Datum::null();
  if (!array.is_array()) {
    return wrong_type(evaluation, std::string(name) + "'s argument must be an array, but is",
                      array);
  }
  return element_at(evaluation, array, index);
}

Datum first(Evaluation& evaluation, Arguments arguments) {
  return end_of(evaluation, arguments, "$first", 0);
}

Datum last(Evaluation& evaluation, Arguments arguments) {
  return end_of(evaluation, arguments, "$last", -1);
}

Datum concatenate(Evaluation& evaluation, Arguments arguments) {
  ArenaVector<Datum> all(evaluation.arena());
  for (const NodePointer& argument : arguments) {
    const Datum array = argument->evaluate(evaluation);
    if (array.nullish()) return Datum::null();
    if (!array.is_array()) {
      return wrong_type(evaluation, "$concatArrays only supports arrays, not", array);
    }
    for_each_element(array, [&all](const Datum& item) { return all.push_back(item), true; });
  }
  return Datum::of_list(all.span());
}

Datum reverse(Evaluation& evaluation, Arguments arguments) {
  const Datum array = arguments[0]->evaluate(evaluation);
  if (array.nullish()) return Datum::null();
  if (!array.is_array()) {
    return wrong_type(evaluation,
                      "The argument to $reverseArray must be an array, but was of type:", array);
  }
  const auto items = elements_of(evaluation.arena(), array);
  Datum* reversed = evaluation.arena().allocate_array<Datum>(items.size());
  std::reverse_copy(items.begin(), items.end(), reversed);
  return Datum::of_list({reversed, items.size()});
}

Datum slice(Evaluation& evaluation, Arguments arguments) {
  const Datum array = arguments[0]->evaluate(evaluation);
  const Datum second = arguments[1]->evaluate(evaluation);
  const Datum third = arguments.size() > 2 ? arguments[2]->evaluate(evaluation) : second;
  if (array.nullish() || second.nullish() || third.nullish()) return Datum::null();
  const auto position = whole(second);
  const auto count = whole(third);
  if (!array.is_array() || !position || !count || (arguments.size() > 2 && *count <= 0)) {
    return evaluation.fail("$slice takes an array, and positions and a count as 32-bit integers");
  }
  const auto items = elements_of(evaluation.arena(), array);
  const auto total = static_cast<std::int64_t>(items.size());
  std::int64_t from = *position;
  std::int64_t wanted = *count;
  if (arguments.size() > 2) {
    from = from < 0 ? std::max<std::int64_t>(from + total, 0) : std::min(from, total);
  } else {
    wanted = std::min<std::int64_t>(std::abs(wanted), total);
    from = *count < 0 ? total - wanted : 0;
  }
  wanted = std::min(wanted, total - from);
  return Datum::of_list(
      items.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(wanted)));
}

Datum index_of(Evaluation& evaluation, Arguments arguments) {
  const Datum array = arguments[0]->evaluate(evaluation);
  if (array.nullish()) return Datum::null();
  if (!array.is_array()) {
    return wrong_type(evaluation,
                      "$indexOfArray requires an array as a first argument, found:", array);
  }
  const Datum value = arguments[1]->evaluate(evaluation);
  std::int64_t bounds[] = {0, INT32_MAX};
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const auto bound = whole(arguments[i]->evaluate(evaluation));
    if (!bound || *bound < 0) return evaluation.fail("$indexOfArray takes positions from 0 on");
    bounds[i - 2] = *bound;
  }
  std::int64_t index = 0;
  std::int64_t found = -1;
  for_each_element(array, [&](const Datum& item) {
    if (index >= bounds[0] && index < bounds[1] && compare(item, value) == 0) found = index;
    return found < 0 && ++index < bounds[1];
  });
  return Datum::of_integer(found);
}

Datum range(Evaluation& evaluation, Arguments arguments) {
  std::int32_t bounds[] = {0, 0, 1};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto bound = whole(arguments[i]->evaluate(evaluation));
    if (!bound) return evaluation.fail("$range takes 32-bit integers");
    bounds[i] = *bound;
  }
  const std::int64_t step = bounds[2];
  if (step == 0) return evaluation.fail("$range requires a non-zero step value");
  if ((std::int64_t{bounds[1]} - bounds[0]) / step > longest_range) {
    return evaluation.fail(fmt::format("$range would give more than {} numbers", longest_range));
  }
  ArenaVector<Datum> numbers(evaluation.arena());
  for (std::int64_t at = bounds[0]; step > 0 ? at < bounds[1] : at > bounds[1]; at += step) {
    numbers.push_back(Datum::of_int32(static_cast<std::int32_t>(at)));
  }
  return Datum::of_list(numbers.span());
}

Datum any_element_true(Evaluation& evaluation, Arguments arguments) {
  const Datum array = arguments[0]->evaluate(evaluation);
  if (!array.is_array()) {
    return wrong_type(evaluation, "$anyElementTrue's argument must be an array, but is", array);
  }
  bool found = false;
  for_each_element(array, [&found](const Datum& item) { return !(found = item.truthy()); });
  return Datum::of_bool(found);
}

Datum all_elements_true(Evaluation& evaluation, Arguments arguments) {
  const Datum array = arguments[0]->evaluate(evaluation);
  if (!array.is_array()) {
    return wrong_type(evaluation, "$allElementsTrue's argument must be an array, but is", array);
  }
  bool all = true;
  for_each_element(array, [&all](const Datum& item) { return all = item.truthy(); });
  return Datum::of_bool(all);
}

const Operator operators[] = {
    {"$allElementsTrue", all_elements_true},
    {"$anyElementTrue", any_element_true},
    {"$arrayElemAt", element, 2, 2},
    {"$concatArrays", concatenate, 0, any_number},
    {"$first", first},
    {"$in", contained, 2, 2},
    {"$indexOfArray", index_of, 2, 4},
    {"$isArray", is_array},
    {"$last", last},
    {"$range", range, 2, 3},
    {"$reverseArray", reverse},
    {"$size", size},
    {"$slice", slice, 2, 3},
};

}  // namespace

std::span<const Operator> array_operators() { return operators; }

}  // namespace holdfast::profile
