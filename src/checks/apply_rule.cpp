#include <algorithm>
#include <cmath>
#include <cstring>

#include "checks/program_internal.h"
#include "profile/decimal.h"

namespace holdfast::checks {
namespace {

using bson::Type;

/// |actual - expected| <= tolerance, for numbers and for dates; else equality.
bool equal_within(const Datum& actual, const Datum& expected, double tolerance) {
  if (profile::compare(actual, expected) == 0) return true;
  if (tolerance == 0) return false;
  if (actual.is(Type::date) && expected.is(Type::date)) {
    const auto difference = static_cast<long double>(actual.as_integer()) -
                            static_cast<long double>(expected.as_integer());
    return std::abs(difference) <= static_cast<long double>(tolerance);
  }
  if (!actual.is_number() || !expected.is_number()) return false;
  const auto difference =
      profile::subtract(profile::decimal_of(actual), profile::decimal_of(expected));
  return std::abs(profile::to_double(difference)) <= tolerance;
}

void check_one(const CompiledRule& compiled, Evaluation& evaluation, const Datum& id,
               Tally& tally) {
  if (compiled.where) {
    const bool wanted = compiled.where->evaluate(evaluation).truthy();
    if (!wanted && !evaluation.failed()) return;
  }
  tally.check();
  bool holds = false;
  Datum actual;
  Datum expected;
  if (!evaluation.failed() && compiled.expect) {
    holds = compiled.expect->evaluate(evaluation).truthy() && !evaluation.failed();
  } else if (!evaluation.failed()) {
    actual = compiled.actual->evaluate(evaluation);
    expected = compiled.equals->evaluate(evaluation);
    holds = !evaluation.failed() && equal_within(actual, expected, compiled.rule->tolerance);
  }
  if (holds) return;
  std::string note;
  if (evaluation.failed()) {
    note = "cannot be evaluated: " + evaluation.failure();
    evaluation.clear_failure();
  } else if (compiled.expect) {
    if (compiled.actual) actual = compiled.actual->evaluate(evaluation);
    if (compiled.equals) expected = compiled.equals->evaluate(evaluation);
    evaluation.clear_failure();
  }
  tally.violation(id, &expected, &actual, note);
}

}  // namespace

void apply_rule(const CompiledRule& compiled, Evaluation& evaluation, const Datum& id,
                Tally& tally) {
  if (!compiled.each) return check_one(compiled, evaluation, id, tally);
  const Datum elements = compiled.each->evaluate(evaluation);
  if (evaluation.failed()) {
    tally.violation(id, nullptr, nullptr, "cannot be evaluated: " + evaluation.failure());
    evaluation.clear_failure();
    return;
  }
  if (!elements.is_array()) return;
  profile::for_each_element(elements, [&](const Datum& element) {
    evaluation.set_variable(0, element);
    Datum subject = id;
    if (!compiled.rule->each_collection.empty() && element.is(Type::document)) {
      if (const auto own = element.as_document().find("_id")) subject = Datum(*own);
    }
    check_one(compiled, evaluation, subject, tally);
    return true;
  });
}

void project(Bytes& out, bson::DocumentView document, const std::vector<std::string>& wanted) {
  const std::size_t begin = out.size();
  append_little_endian(out, std::int32_t{0});
  for (const bson::Element& element : document) {
    const bool kept =
        element.name == "_id" || std::ranges::find(wanted, element.name) != wanted.end();
    if (!kept) continue;
    out.push_back(static_cast<std::uint8_t>(element.value.type()));
    append_bytes(out, as_bytes(element.name));
    out.push_back(0);
    append_bytes(out, element.value.bytes());
  }
  out.push_back(0);
  const auto size = static_cast<std::int32_t>(out.size() - begin);
  std::memcpy(out.data() + begin, &size, sizeof size);
}

}  // namespace holdfast::checks
