#include "profile/node_internal.h"

namespace holdfast::profile {
namespace {

template <typename Holds>
Datum comparison(Evaluation& evaluation, Arguments arguments, Holds holds) {
  const Datum a = arguments[0]->evaluate(evaluation);
  const Datum b = arguments[1]->evaluate(evaluation);
  return Datum::of_bool(holds(compare(a, b)));
}

Datum equal(Evaluation& evaluation, Arguments arguments) {
  return comparison(evaluation, arguments, [](int order) { return order == 0; });
}
Datum not_equal(Evaluation& evaluation, Arguments arguments) {
  return comparison(evaluation, arguments, [](int order) { return order != 0; });
}
Datum less(Evaluation& evaluation, Arguments arguments) {
  return comparison(evaluation, arguments, [](int order) { return order < 0; });
}
Datum less_or_equal(Evaluation& evaluation, Arguments arguments) {
  return comparison(evaluation, arguments, [](int order) { return order <= 0; });
}
Datum greater(Evaluation& evaluation, Arguments arguments) {
  return comparison(evaluation, arguments, [](int order) { return order > 0; });
}
Datum greater_or_equal(Evaluation& evaluation, Arguments arguments) {
  return comparison(evaluation, arguments, [](int order) { return order >= 0; });
}

Datum three_way(Evaluation& evaluation, Arguments arguments) {
  const Datum a = arguments[0]->evaluate(evaluation);
  const Datum b = arguments[1]->evaluate(evaluation);
  const int order = compare(a, b);
  return Datum::of_int32(order < 0 ? -1 : order > 0 ? 1 : 0);
}

Datum all_of(Evaluation& evaluation, Arguments arguments) {
  for (const NodePointer& argument : arguments) {
    if (!argument->evaluate(evaluation).truthy()) return Datum::of_bool(false);
  }
  return Datum::of_bool(true);
}

Datum any_of(Evaluation& evaluation, Arguments arguments) {
  for (const NodePointer& argument : arguments) {
    if (argument->evaluate(evaluation).truthy()) return Datum::of_bool(true);
  }
  return Datum::of_bool(false);
}

Datum negate(Evaluation& evaluation, Arguments arguments) {
  return Datum::of_bool(!arguments[0]->evaluate(evaluation).truthy());
}

Datum conditional(Evaluation& evaluation, Arguments arguments) {
  return arguments[arguments[0]->evaluate(evaluation).truthy() ? 1 : 2]->evaluate(evaluation);
}

Datum if_null(Evaluation& evaluation, Arguments arguments) {
  for (const NodePointer& argument : arguments.first(arguments.size() - 1)) {
    const Datum value = argument->evaluate(evaluation);
    if (!value.nullish()) return value;
  }
  return arguments.back()->evaluate(evaluation);
}

const Operator operators[] = {
    {"$and", all_of, 0, any_number},
    {"$cmp", three_way, 2, 2},
    {"$cond", conditional, 3, 3, {"if", "then", "else"}},
    {"$eq", equal, 2, 2},
    {"$gt", greater, 2, 2},
    {"$gte", greater_or_equal, 2, 2},
    {"$ifNull", if_null, 2, any_number},
    {"$lt", less, 2, 2},
    {"$lte", less_or_equal, 2, 2},
    {"$ne", not_equal, 2, 2},
    {"$not", negate},
    {"$or", any_of, 0, any_number},
};

}  // namespace

std::span<const Operator> logic_operators() { return operators; }

}  // namespace holdfast::profile
