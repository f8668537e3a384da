#include <algorithm>

#include "bson/order.h"
#include "checks/check.h"
#include "checks/program_internal.h"

namespace holdfast::checks {
namespace {

/// A cursor that knows its current document, or an empty collection where there is none.
class Side {
 public:
  static Result<Side> open(DatasetReader& reader, const Namespace& ns) {
    Side side;
    HOLDFAST_TRY(const auto catalog, reader.catalog());
    const bool there =
        std::ranges::any_of(catalog, [&](const CollectionInfo& info) { return info.ns == ns; });
    if (there) {
      HOLDFAST_TRY(side.cursor_, reader.open(ns));
    }
    HOLDFAST_CHECK(side.advance());
    return side;
  }

  Status advance() {
    document_.reset();
    if (cursor_ == nullptr) return {};
    HOLDFAST_TRY(document_, cursor_->next());
    return {};
  }
  [[nodiscard]] bool done() const { return !document_; }
  [[nodiscard]] bson::DocumentView document() const { return *document_; }
  [[nodiscard]] bson::ValueView key() const { return *document_->find("_id"); }

 private:
  std::unique_ptr<DocumentCursor> cursor_;
  std::optional<bson::DocumentView> document_;
};

Datum datum_of(bson::DocumentView document) {
  return Datum(bson::ValueView(bson::Type::document, document.bytes()));
}

struct BetweenRule {
  CompiledRule compiled;
  Finding finding;
  Tally tally;
};

Result<BetweenRule> compile_between(const profile::Rule& rule, profile::FieldNames& fields) {
  const std::vector<std::string> variables = {std::string(profile::before_variable),
                                              std::string(profile::after_variable)};
  BetweenRule between;
  between.compiled.rule = &rule;
  for (const auto& [value, target] : {std::pair(&rule.where, &between.compiled.where),
                                      std::pair(&rule.expect, &between.compiled.expect),
                                      std::pair(&rule.actual, &between.compiled.actual),
                                      std::pair(&rule.equals, &between.compiled.equals)}) {
    if (!*value) continue;
    HOLDFAST_TRY(auto parsed, Expression::parse((*value)->view(), fields, variables));
    target->emplace(std::move(parsed));
  }
  between.finding.rule = rule.id;
  between.finding.severity = rule.severity;
  between.finding.collection = rule.on;
  between.finding.sentence = rule.sentence;
  between.finding.repair = rule.repair;
  return between;
}

/// Walks both in the order of `_id`; what both have meets.
Status walk(Side& before, Side& after, std::vector<BetweenRule>& rules,
            const profile::FieldNames& fields, std::int64_t now_ms, std::stop_token stop) {
  Evaluation evaluation(fields, now_ms);
  while (!before.done() || !after.done()) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    const auto order = before.done()  ? std::weak_ordering::greater
                       : after.done() ? std::weak_ordering::less
                                      : bson::compare(before.key(), after.key());
    evaluation.set_root(order <= 0 ? before.document() : after.document());
    evaluation.set_variable(0, order <= 0 ? datum_of(before.document()) : Datum());
    evaluation.set_variable(1, order >= 0 ? datum_of(after.document()) : Datum());
    const Datum id(order >= 0 ? after.key() : before.key());
    for (BetweenRule& rule : rules) apply_rule(rule.compiled, evaluation, id, rule.tally);
    if (order <= 0) HOLDFAST_CHECK(before.advance());
    if (order >= 0) HOLDFAST_CHECK(after.advance());
  }
  return {};
}

}  // namespace

Status run_between(DatasetReader& before, DatasetReader& after, const profile::Profile& profile,
                   const CheckOptions& options, CheckReport& report, std::stop_token stop) {
  for (const auto& collection : profile.collections) {
    profile::FieldNames fields;
    std::vector<BetweenRule> rules;
    for (const auto& rule : profile.rules) {
      const bool wanted =
          options.rules.empty() || std::ranges::find(options.rules, rule.id) != options.rules.end();
      if (rule.kind != profile::RuleKind::between || rule.on != collection.name || !wanted) {
        continue;
      }
      HOLDFAST_TRY(auto compiled, compile_between(rule, fields));
      rules.push_back(std::move(compiled));
    }
    if (rules.empty()) continue;
    const Namespace ns{options.database, collection.name};
    HOLDFAST_TRY(auto earlier, Side::open(before, ns));
    HOLDFAST_TRY(auto later, Side::open(after, ns));
    HOLDFAST_CHECK(walk(earlier, later, rules, fields, options.now_ms, stop));
    for (BetweenRule& rule : rules) {
      report.checked.push_back(rule.finding.rule);
      std::move(rule.tally).move_to(rule.finding);
      if (rule.finding.violations > 0) report.findings.push_back(std::move(rule.finding));
    }
  }
  std::ranges::stable_sort(report.findings, std::ranges::greater{}, &Finding::severity);
  return {};
}

}  // namespace holdfast::checks
