#include <algorithm>
#include <set>

#include "bson/builder.h"
#include "checks/check.h"
#include "profile/expression.h"

namespace holdfast::checks {
namespace {

using bson::Type;
using bson::ValueView;

void append_masked(bson::Builder& out, std::string_view name, ValueView value) {
  switch (value.type()) {
    case Type::string:
    case Type::symbol:
    case Type::code:
    case Type::regex:
    case Type::binary:
    case Type::code_with_scope: out.append_string(name, "…"); break;
    case Type::document:
    case Type::array:
      value.type() == Type::array ? out.begin_array(name) : out.begin_document(name);
      for (const bson::Element& element : value.as_document()) {
        append_masked(out, element.name, element.value);
      }
      out.end();
      break;
    default: out.append(name, value);
  }
}

bson::Value masked(const bson::Value& value) {
  bson::Builder out;
  append_masked(out, "", value.view());
  const bson::Document document = std::move(out).finish();
  return bson::Value(*document.view().find(""));
}

/// The top-level fields that a rule reads.
std::set<std::string> fields_of(const profile::Rule& rule) {
  profile::FieldNames fields;
  const std::vector<std::string> each = {std::string(profile::each_variable)};
  for (const auto* part : {&rule.where, &rule.each, &rule.expect, &rule.actual, &rule.equals,
                           &rule.key, &rule.value, &rule.by}) {
    if (*part) (void)profile::Expression::parse((*part)->view(), fields, each);
  }
  std::set<std::string> names(fields.names().begin(), fields.names().end());
  names.insert(rule.field);
  names.insert(rule.other);
  return names;
}

bool touches_personal(const Finding& finding, const profile::Profile& profile) {
  const auto rule = std::ranges::find(profile.rules, finding.rule, &profile::Rule::id);
  if (rule == profile.rules.end()) return true;
  // Only what stands on one collection can be judged by that collection's list.
  const auto* collection = profile.collection(rule->on);
  if (collection == nullptr || !collection->personal) return true;
  const auto names = fields_of(*rule);
  return rule->kind == profile::RuleKind::no_future ||
         std::ranges::any_of(*collection->personal,
                             [&](const std::string& name) { return names.contains(name); });
}

}  // namespace

void mask_personal(Finding& finding, const profile::Profile& profile) {
  if (finding.rule.starts_with("index.") || finding.rule.starts_with("required.")) return;
  const bool values = touches_personal(finding, profile);
  for (Example& example : finding.examples) {
    example.id = masked(example.id);
    if (!values) continue;
    if (example.actual) example.actual = masked(*example.actual);
    // What a schema expects comes from the profile and is nobody's secret.
    if (example.expected && !finding.rule.starts_with("schema.")) {
      example.expected = masked(*example.expected);
    }
  }
}

}  // namespace holdfast::checks
