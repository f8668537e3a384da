#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "bson/builder.h"
#include "checks/program_internal.h"
#include "checks/query_internal.h"

namespace holdfast::checks {
namespace {

using profile::FieldNames;
using profile::Profile;
using profile::Rule;
using profile::RuleKind;

/// Shares of the memory: sets of ids get half, sorters a third, tables the rest.
constexpr std::uint64_t least_sorter_bytes = 1024 * 1024;

const std::vector<std::string> each_only = {std::string(profile::each_variable)};
const std::vector<std::string> no_variables;

class Compiler {
 public:
  Compiler(const Profile& profile, const std::vector<std::string>& only, RandomSource& random)
      : profile_(profile), only_(only.begin(), only.end()), random_(random) {}

  Result<Program> compile(std::uint64_t memory_bytes, const std::filesystem::path& folder) {
    const std::uint64_t sorters = 4 + profile_.rules.size() / 8 + profile_.views.size() * 3;
    program_.sorter_settings.memory_bytes =
        std::max(least_sorter_bytes, memory_bytes / 3 / sorters);
    program_.sorter_settings.folder = folder;
    program_.target_bytes = memory_bytes / 2;
    program_.table_bytes = memory_bytes / 6 / std::max<std::size_t>(1, profile_.views.size());
    for (const std::string& name : scan_order()) add_collection(name);
    for (const auto& view : profile_.views) HOLDFAST_CHECK(add_view(view));
    for (const auto& rule : profile_.rules) HOLDFAST_CHECK(add_rule(rule));
    for (auto& collection : program_.collections) HOLDFAST_CHECK(add_built_in(*collection));
    drop_idle_views();
    for (auto& view : program_.views) HOLDFAST_CHECK(link(*view));
    return std::move(program_);
  }

 private:
  [[nodiscard]] bool wanted(const std::string& id) const {
    return only_.empty() || only_.contains(id);
  }

  /// What others refer to, or look up, comes before them, as far as there is no circle.
  std::vector<std::string> scan_order() {
    std::map<std::string, std::set<std::string>> before;
    for (const auto& collection : profile_.collections) {
      before[collection.name];
      for (const auto& reference : collection.references) {
        if (reference.to != collection.name) before[collection.name].insert(reference.to);
      }
    }
    for (const auto& view : profile_.views) {
      for (const auto& lookup : view.lookups) {
        if (!is_direct(lookup) && lookup.from != view.of) before[view.of].insert(lookup.from);
      }
    }
    std::vector<std::string> order;
    while (!before.empty()) {
      // Of several that wait in a circle, the one that waits for the fewest goes first.
      const auto next = std::ranges::min_element(
          before, {}, [](const auto& entry) { return entry.second.size(); });
      order.push_back(next->first);
      before.erase(next);
      for (auto& [name, waiting] : before) waiting.erase(order.back());
    }
    return order;
  }

  static bool is_direct(const profile::Lookup& lookup) {
    const auto local = lookup.local.view();
    return local.type() == bson::Type::string && local.as_string() == "$_id";
  }

  CollectionProgram& program_of(const std::string& name) {
    return **std::ranges::find_if(program_.collections,
                                  [&](const auto& one) { return one->name == name; });
  }

  [[nodiscard]] std::size_t position_of(const std::string& name) const {
    const auto found = std::ranges::find_if(program_.collections,
                                            [&](const auto& one) { return one->name == name; });
    return static_cast<std::size_t>(found - program_.collections.begin());
  }

  void add_collection(const std::string& name) {
    auto collection = std::make_unique<CollectionProgram>();
    collection->name = name;
    collection->profile = profile_.collection(name);
    collection->id_slot = collection->fields.slot_of("_id");
    program_.collections.push_back(std::move(collection));
  }

  std::size_t add_finding(std::string id, profile::Severity severity, std::string collection,
                          std::string sentence, std::string repair, std::string query,
                          const Rule* rule = nullptr) {
    Finding finding;
    finding.rule = std::move(id);
    finding.severity = severity;
    finding.collection = std::move(collection);
    finding.sentence = std::move(sentence);
    finding.repair = std::move(repair);
    finding.query = std::move(query);
    program_.findings.push_back(std::move(finding));
    program_.rules.push_back(rule);
    return program_.findings.size() - 1;
  }

  Result<std::optional<Expression>> parse(const std::optional<bson::Value>& value,
                                          FieldNames& fields,
                                          const std::vector<std::string>& variables) {
    if (!value) return std::optional<Expression>();
    auto parsed = Expression::parse(value->view(), fields, variables);
    if (!parsed.ok()) return parsed.error();
    return std::optional<Expression>(std::move(*parsed));
  }

  Status add_view(const profile::View& view) {
    auto compiled = std::make_unique<CompiledView>();
    compiled->view = &view;
    compiled->id_slot = compiled->fields.slot_of("_id");
    std::uint8_t tag = 1;
    for (const auto& lookup : view.lookups) {
      CompiledLookup one;
      one.lookup = &lookup;
      one.tag = tag++;
      one.direct = is_direct(lookup);
      one.table_possible = position_of(lookup.from) < position_of(view.of);
      one.slot = compiled->fields.slot_of(lookup.name);
      HOLDFAST_TRY(one.local, parse(lookup.local, compiled->fields, no_variables));
      compiled->lookups.push_back(std::move(one));
    }
    program_.views.push_back(std::move(compiled));
    return {};
  }

  Status add_rule(const Rule& rule) {
    // Rules between two datasets are worked out by themselves: between.cpp.
    if (!wanted(rule.id) || rule.kind == RuleKind::between) return {};
    const std::string& collection = profile_.collection_of(rule);
    const std::string& shown = rule.each_collection.empty() ? collection : rule.each_collection;
    const std::size_t finding = add_finding(rule.id, rule.severity, shown, rule.sentence,
                                            rule.repair, query_for(profile_, rule), &rule);
    const auto view = std::ranges::find_if(
        program_.views, [&](const auto& one) { return one->view->name == rule.on; });
    CollectionProgram& program = program_of(collection);
    switch (rule.kind) {
      case RuleKind::expect:
      case RuleKind::equals: {
        const bool on_view = view != program_.views.end();
        auto& fields = on_view ? (*view)->fields : program.fields;
        HOLDFAST_TRY(auto compiled, compile_rule(rule, finding, fields));
        (on_view ? (*view)->rules : program.rules).push_back(std::move(compiled));
        return {};
      }
      case RuleKind::no_future: {
        CompiledRule compiled;
        compiled.rule = &rule;
        compiled.finding = finding;
        program.no_future.push_back(std::move(compiled));
        return {};
      }
      case RuleKind::count: program.counts.push_back(finding); return {};
      default: break;
    }
    KeyRule key;
    key.rule = &rule;
    key.finding = finding;
    key.sorter = program_.add_sorter(random_);
    const auto& variables = rule.each ? each_only : no_variables;
    HOLDFAST_TRY(key.each, parse(rule.each, program.fields, no_variables));
    HOLDFAST_TRY(key.where, parse(rule.where, program.fields, variables));
    if (rule.kind == RuleKind::symmetric) {
      // Both directions as one: (u, v) from the field, (v, u) from the other.
      HOLDFAST_TRY(key.key, field(rule.field, program.fields));
      HOLDFAST_TRY(key.value, field(rule.other, program.fields));
    } else {
      HOLDFAST_TRY(key.key, parse(rule.kind == RuleKind::ordered ? rule.by : rule.key,
                                  program.fields, variables));
      HOLDFAST_TRY(key.value, parse(rule.value, program.fields, variables));
    }
    program.keys.push_back(std::move(key));
    return {};
  }

  Result<std::optional<Expression>> field(const std::string& path, FieldNames& fields) {
    bson::Builder builder;
    builder.append_string("", "$" + path);
    const bson::Document document = std::move(builder).finish();
    auto parsed = Expression::parse(*document.view().find(""), fields);
    if (!parsed.ok()) return parsed.error();
    return std::optional<Expression>(std::move(*parsed));
  }

  Result<CompiledRule> compile_rule(const Rule& rule, std::size_t finding, FieldNames& fields) {
    CompiledRule compiled;
    compiled.rule = &rule;
    compiled.finding = finding;
    const auto& variables = rule.each ? each_only : no_variables;
    HOLDFAST_TRY(compiled.each, parse(rule.each, fields, no_variables));
    HOLDFAST_TRY(compiled.where, parse(rule.where, fields, variables));
    HOLDFAST_TRY(compiled.expect, parse(rule.expect, fields, variables));
    HOLDFAST_TRY(compiled.actual, parse(rule.actual, fields, variables));
    HOLDFAST_TRY(compiled.equals, parse(rule.equals, fields, variables));
    if (compiled.expect && !compiled.actual) HOLDFAST_CHECK(show_sides(rule, compiled, fields));
    return compiled;
  }

  /// A comparison has something found and something expected by itself.
  Status show_sides(const Rule& rule, CompiledRule& compiled, FieldNames& fields) {
    constexpr std::string_view comparisons[] = {"$eq", "$gte", "$lte", "$gt", "$lt"};
    if (rule.expect->view().type() != bson::Type::document) return {};
    const auto top = *rule.expect->view().as_document().begin();
    if (std::ranges::find(comparisons, top.name) == std::end(comparisons)) return {};
    const auto& variables = rule.each ? each_only : no_variables;
    HOLDFAST_TRY(compiled.actual,
                 parse(bson::Value(*top.value.as_document().find("0")), fields, variables));
    if (top.name == "$eq") {
      HOLDFAST_TRY(compiled.equals,
                   parse(bson::Value(*top.value.as_document().find("1")), fields, variables));
    }
    return {};
  }

  Status add_built_in(CollectionProgram& program) {
    const profile::CollectionProfile& declared = *program.profile;
    if (declared.schema && wanted("schema." + program.name)) {
      auto schema = profile::Schema::parse(declared.schema->view());
      if (!schema.ok()) return schema.error();
      program.schema.emplace(std::move(*schema));
      program.schema_finding = add_finding(
          "schema." + program.name, declared.schema_severity, program.name,
          fmt::format("Every document of {} fits the schema.", program.name),
          "correct the documents, then let the server enforce the schema as a validator",
          schema_query(declared));
    }
    if (declared.soft_delete && wanted("soft_delete." + program.name)) {
      program.soft_delete_finding = add_finding(
          "soft_delete." + program.name, profile::Severity::error, program.name,
          fmt::format("In {}, {} and {} are set together or not at all.", program.name,
                      declared.soft_delete->at, declared.soft_delete->by),
          "set the missing field from the moderation log, or clear both", soft_query(declared));
      program.deleted_at_slot = program.fields.slot_of(declared.soft_delete->at);
      program.deleted_by_slot = program.fields.slot_of(declared.soft_delete->by);
    }
    for (const auto& reference : declared.references) {
      HOLDFAST_CHECK(add_reference(program, reference));
    }
    return {};
  }

  Status add_reference(CollectionProgram& program, const profile::Reference& reference) {
    const std::string id = fmt::format("reference.{}.{}", program.name, reference.path);
    if (!wanted(id)) return {};
    CompiledReference compiled;
    compiled.reference = &reference;
    compiled.finding = add_finding(id, reference.severity, program.name,
                                   fmt::format("Every {} of {} is a document of {}.",
                                               reference.path, program.name, reference.to),
                                   repair_for(reference), reference_query(program.name, reference));
    HOLDFAST_TRY(compiled.path, field(reference.path, program.fields));
    const auto known = std::ranges::find_if(
        program_.targets, [&](const auto& one) { return one->collection == reference.to; });
    compiled.target = static_cast<std::size_t>(known - program_.targets.begin());
    if (known == program_.targets.end()) {
      auto target = std::make_unique<Target>();
      target->collection = reference.to;
      target->sorter = program_.add_sorter(random_);
      program_of(reference.to).target = program_.targets.size();
      program_.targets.push_back(std::move(target));
    }
    program.references.push_back(std::move(compiled));
    return {};
  }

  static std::string repair_for(const profile::Reference& reference) {
    switch (reference.on_delete) {
      case profile::OnDelete::restrict:
        return fmt::format("bring the missing document of {} back from a snapshot", reference.to);
      case profile::OnDelete::cascade: return "delete the document that refers to nothing";
      case profile::OnDelete::nullify:
        return fmt::format("set {} to null, or take it out of its array", reference.path);
      case profile::OnDelete::soft: break;
    }
    return "mark the document as deleted";
  }

  /// A view without a rule that is wanted costs nothing.
  void drop_idle_views() {
    std::erase_if(program_.views, [](const auto& view) { return view->rules.empty(); });
  }

  Status link(CompiledView& view) {
    view.sorter = program_.add_sorter(random_);
    // A field may have the name of a lookup: its `local` still reads the document's own.
    view.kept = view.fields.names();
    program_of(view.view->of).views.push_back(&view);
    for (CompiledLookup& lookup : view.lookups) {
      CollectionProgram& from = program_of(lookup.lookup->from);
      lookup.in_table = lookup.table_possible;
      if (!lookup.direct) lookup.sorter = program_.add_sorter(random_);
      LookupSource source;
      source.view = &view;
      source.lookup = &lookup;
      HOLDFAST_TRY(source.foreign, parse(lookup.lookup->foreign, from.fields, no_variables));
      from.sources.push_back(std::move(source));
    }
    return {};
  }

  const Profile& profile_;
  const std::set<std::string> only_;
  RandomSource& random_;
  Program program_;
};

}  // namespace

std::size_t Program::add_sorter(RandomSource& random) {
  sorters.push_back(std::make_unique<RecordSorter>(sorter_settings, random));
  return sorters.size() - 1;
}

std::uint64_t Program::held_target_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& target : targets) bytes += target->ids.bytes();
  return bytes;
}

Result<Program> compile(const Profile& profile, const std::vector<std::string>& only,
                        std::uint64_t memory_bytes, const std::filesystem::path& folder,
                        RandomSource& random) {
  return Compiler(profile, only, random).compile(memory_bytes, folder);
}

}  // namespace holdfast::checks
