#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/file.h"
#include "profile/expression.h"
#include "profile/profile.h"
#include "profile/schema.h"
#include "profile/yaml_map_internal.h"
#include "profile/yaml_value_internal.h"

namespace holdfast::profile {
namespace {

/// A profile is written by hand.
constexpr std::uint64_t largest_profile_bytes = 4ULL * 1024 * 1024;

class ProfileParser {
 public:
  explicit ProfileParser(std::string name) : name_(std::move(name)) {}

  Result<Profile> parse(const YAML::Node& root) {
    HOLDFAST_TRY(YamlMap map,
                 YamlMap::of(name_, root, {"profile", "collections", "views", "rules"}));
    HOLDFAST_TRY(profile_.name, map.text("profile"));
    HOLDFAST_CHECK(
        map.for_each_named("collections", [this](const std::string& name, const YAML::Node& node) {
          return collection(name, node);
        }));
    HOLDFAST_CHECK(map.for_each_named(
        "views",
        [this](const std::string& name, const YAML::Node& node) { return view(name, node); }));
    HOLDFAST_CHECK(map.for_each("rules", [this](const YAML::Node& node) { return rule(node); }));
    HOLDFAST_CHECK(check_references(map));
    return std::move(profile_);
  }

 private:
  Status collection(const std::string& name, const YAML::Node& node) {
    CollectionProfile parsed;
    parsed.name = name;
    parsed.line = line_of(node);
    if (node.IsNull()) {
      profile_.collections.push_back(std::move(parsed));
      return {};
    }
    HOLDFAST_TRY(YamlMap map, YamlMap::of(name_, node,
                                          {"required", "schema", "schema_severity", "unique",
                                           "indexes", "references", "soft_delete", "personal"}));
    HOLDFAST_TRY(parsed.required, map.truth("required"));
    HOLDFAST_TRY(parsed.schema_severity, map.severity("schema_severity"));
    if (const YAML::Node schema = map.node("schema"); schema.IsDefined()) {
      HOLDFAST_TRY(parsed.schema, read_schema(schema));
    }
    HOLDFAST_CHECK(
        map.for_each("indexes", [&](const YAML::Node& one) { return index(parsed, one); }));
    HOLDFAST_CHECK(
        map.for_each("references", [&](const YAML::Node& one) { return reference(parsed, one); }));
    if (const YAML::Node soft = map.node("soft_delete"); soft.IsDefined()) {
      HOLDFAST_TRY(YamlMap fields, YamlMap::of(name_, soft, {"at", "by"}));
      SoftDelete deletion;
      HOLDFAST_TRY(deletion.at, fields.text("at"));
      HOLDFAST_TRY(deletion.by, fields.text("by"));
      parsed.soft_delete = deletion;
    }
    if (map.node("personal").IsDefined()) {
      HOLDFAST_TRY(parsed.personal, map.texts("personal"));
    }
    profile_.collections.push_back(std::move(parsed));
    return map.for_each("unique", [&](const YAML::Node& one) { return unique_key(name, one); });
  }

  Result<bson::Document> read_schema(const YAML::Node& node) {
    HOLDFAST_TRY(const bson::Value value, to_value(name_, node));
    if (value.view().type() != bson::Type::document) {
      return yaml_error(name_, node, "a schema must be a map");
    }
    std::vector<std::string> path;
    const auto checked = Schema::parse(value.view().as_document(), &path);
    if (!checked.ok()) return yaml_error(name_, follow(node, path), checked.error().message());
    return bson::Document(value.view().as_document());
  }

  Status index(CollectionProfile& collection, const YAML::Node& node) {
    HOLDFAST_CHECK(YamlMap::of(
        name_, node,
        {"key", "unique", "sparse", "partialFilterExpression", "expireAfterSeconds", "collation"}));
    HOLDFAST_TRY(const bson::Value value, to_value(name_, node));
    const auto key = value.view().as_document().find_document("key");
    if (!key || key->empty()) return yaml_error(name_, node, "an index needs a key");
    collection.indexes.emplace_back(value.view().as_document());
    return {};
  }

  Status reference(CollectionProfile& collection, const YAML::Node& node) {
    HOLDFAST_TRY(YamlMap map, YamlMap::of(name_, node, {"path", "to", "on_delete", "severity"}));
    Reference parsed;
    parsed.line = line_of(node);
    HOLDFAST_TRY(parsed.path, map.text("path"));
    HOLDFAST_TRY(parsed.to, map.text("to"));
    HOLDFAST_TRY(parsed.severity, map.severity("severity"));
    if (map.node("on_delete").IsDefined()) {
      HOLDFAST_TRY(const std::string action, map.text("on_delete"));
      const OnDelete all[] = {OnDelete::restrict, OnDelete::cascade, OnDelete::nullify,
                              OnDelete::soft};
      const auto* const found =
          std::ranges::find(all, action, [](OnDelete one) { return name_of(one); });
      if (found == std::end(all)) {
        return yaml_error(name_, map.node("on_delete"),
                          "on_delete is restrict, cascade, nullify or soft");
      }
      parsed.on_delete = *found;
    }
    collection.references.push_back(std::move(parsed));
    return {};
  }

  /// A unique key of a collection is a rule of its own.
  Status unique_key(const std::string& collection, const YAML::Node& node) {
    HOLDFAST_TRY(
        YamlMap map,
        YamlMap::of(name_, node, {"id", "fields", "where", "severity", "sentence", "repair"}));
    HOLDFAST_TRY(const auto fields, map.texts("fields"));
    if (fields.empty()) return yaml_error(name_, node, "a unique key needs fields");
    Rule rule;
    rule.kind = RuleKind::unique;
    rule.on = collection;
    std::string key;
    for (const std::string& field : fields) key += (key.empty() ? "$" : ", $") + field;
    const YAML::Node expression = YAML::Load(fields.size() == 1 ? key : "[" + key + "]");
    HOLDFAST_TRY(const bson::Value value, to_value(name_, expression));
    rule.key = value;
    if (fields.size() > 1) rule.key = keyed_object(fields);
    rule.id = fmt::format("unique.{}.{}", collection, fmt::join(fields, "+"));
    HOLDFAST_CHECK(common(map, node, rule));
    if (rule.sentence.empty()) {
      rule.sentence =
          fmt::format("No two documents of {} share {}.", collection, fmt::join(fields, ", "));
    }
    return add(std::move(rule), node);
  }

  /// {f0: "$a", f1: "$b"}: several fields as one key (an array would be several keys).
  static bson::Value keyed_object(const std::vector<std::string>& fields) {
    YAML::Node object(YAML::NodeType::Map);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      object[fmt::format("f{}", i)] = fmt::format("${}", fields[i]);
    }
    return *to_value("", object);
  }

  Status view(const std::string& name, const YAML::Node& node) {
    HOLDFAST_TRY(YamlMap map, YamlMap::of(name_, node, {"of", "with"}));
    View parsed;
    parsed.name = name;
    parsed.line = line_of(node);
    HOLDFAST_TRY(parsed.of, map.text("of"));
    HOLDFAST_CHECK(map.for_each_named("with", [&](const std::string& field, const YAML::Node& one) {
      return lookup(parsed, field, one);
    }));
    if (parsed.lookups.empty()) return yaml_error(name_, node, "a view needs something in `with`");
    if (profile_.collection(name) != nullptr) {
      return yaml_error(name_, node, fmt::format("{} is a collection already", name));
    }
    profile_.views.push_back(std::move(parsed));
    return {};
  }

  Status lookup(View& view, const std::string& name, const YAML::Node& node) {
    HOLDFAST_TRY(YamlMap map,
                 YamlMap::of(name_, node, {"from", "local", "foreign", "one", "keep"}));
    HOLDFAST_TRY(const std::string from, map.text("from"));
    HOLDFAST_TRY(auto local, expression(map, "local", {}));
    HOLDFAST_TRY(auto foreign, expression(map, "foreign", {}));
    if (!local || !foreign) return yaml_error(name_, node, "needs local and foreign");
    Lookup parsed{name, from, *local, *foreign, false, {}, line_of(node)};
    HOLDFAST_TRY(parsed.one, map.truth("one"));
    if (map.node("keep").IsDefined()) {
      HOLDFAST_TRY(parsed.keep, map.texts("keep"));
    }
    view.lookups.push_back(std::move(parsed));
    return {};
  }

  Status rule(const YAML::Node& node) {
    HOLDFAST_TRY(YamlMap map, YamlMap::of(name_, node,
                                          {"id", "on", "severity", "sentence", "repair", "where",
                                           "each", "each_of", "expect", "actual", "equals",
                                           "tolerance", "unique", "determines", "ordered",
                                           "symmetric", "count", "no_future", "between"}));
    Rule parsed;
    HOLDFAST_TRY(parsed.on, map.text("on"));
    HOLDFAST_CHECK(common(map, node, parsed));
    if (parsed.id.empty()) return yaml_error(name_, node, "a rule needs an id");
    if (parsed.sentence.empty()) return yaml_error(name_, node, "a rule needs a sentence");
    std::vector<std::string> variables;
    HOLDFAST_TRY(parsed.each, expression(map, "each", {}));
    if (parsed.each) variables.emplace_back(each_variable);
    if (map.node("between").IsDefined()) {
      if (parsed.each) return yaml_error(name_, node, "`between` has no `each`");
      variables = {std::string(before_variable), std::string(after_variable)};
    }
    if (map.node("each_of").IsDefined()) {
      HOLDFAST_TRY(parsed.each_collection, map.text("each_of"));
    }
    HOLDFAST_TRY(parsed.where, expression(map, "where", variables));
    HOLDFAST_CHECK(kind(map, node, parsed, variables));
    return add(std::move(parsed), node);
  }

  Status common(YamlMap& map, const YAML::Node& node, Rule& rule) {
    rule.line = line_of(node);
    for (const auto& [name, target] :
         {std::pair("id", &rule.id), std::pair("sentence", &rule.sentence),
          std::pair("repair", &rule.repair)}) {
      if (!map.node(name).IsDefined()) continue;
      HOLDFAST_TRY(*target, map.text(name));
    }
    HOLDFAST_TRY(rule.severity, map.severity("severity"));
    if (!rule.key) return {};
    HOLDFAST_TRY(rule.where, expression(map, "where", {}));
    return {};
  }

  Status kind(YamlMap& map, const YAML::Node& node, Rule& rule,
              const std::vector<std::string>& variables) {
    constexpr std::pair<const char*, RuleKind> kinds[] = {
        {"expect", RuleKind::expect},   {"equals", RuleKind::equals},
        {"unique", RuleKind::unique},   {"determines", RuleKind::determines},
        {"ordered", RuleKind::ordered}, {"symmetric", RuleKind::symmetric},
        {"count", RuleKind::count},     {"no_future", RuleKind::no_future},
        {"between", RuleKind::between}};
    // `expect` may say beside what was expected (`equals`) and found (`actual`).
    std::string found;
    for (const auto& [name, kind] : kinds) {
      const bool shown_only = std::string_view(name) == "equals" &&
                              (found == "expect" || map.node("between").IsDefined());
      if (!map.node(name).IsDefined() || shown_only) continue;
      if (!found.empty()) {
        return yaml_error(name_, node, fmt::format("a rule is {} or {}, not both", found, name));
      }
      found = name;
      rule.kind = kind;
    }
    if (found.empty()) return yaml_error(name_, node, "the rule says nothing: add `expect`");
    HOLDFAST_TRY(rule.expect, expression(map, "expect", variables));
    HOLDFAST_TRY(rule.actual, expression(map, "actual", variables));
    HOLDFAST_TRY(rule.equals, expression(map, "equals", variables));
    const YAML::Node body = map.node(found);
    switch (rule.kind) {
      case RuleKind::expect: break;
      case RuleKind::between: {
        HOLDFAST_TRY(rule.expect, expression(map, "between", variables));
        break;
      }
      case RuleKind::equals:
        if (!rule.actual) return yaml_error(name_, node, "`equals` needs `actual` beside it");
        break;
      case RuleKind::unique: {
        HOLDFAST_TRY(rule.key, expression(map, "unique", variables));
        break;
      }
      case RuleKind::determines: {
        HOLDFAST_TRY(YamlMap inner, YamlMap::of(name_, body, {"key", "value"}));
        HOLDFAST_TRY(rule.key, expression(inner, "key", variables));
        HOLDFAST_TRY(rule.value, expression(inner, "value", variables));
        if (!rule.key || !rule.value) return yaml_error(name_, body, "needs key and value");
        break;
      }
      case RuleKind::ordered: {
        HOLDFAST_TRY(YamlMap inner, YamlMap::of(name_, body, {"by", "value"}));
        HOLDFAST_TRY(rule.by, expression(inner, "by", variables));
        HOLDFAST_TRY(rule.value, expression(inner, "value", variables));
        if (!rule.by || !rule.value) return yaml_error(name_, body, "needs by and value");
        break;
      }
      case RuleKind::symmetric: {
        HOLDFAST_TRY(YamlMap inner, YamlMap::of(name_, body, {"field", "other"}));
        HOLDFAST_TRY(rule.field, inner.text("field"));
        HOLDFAST_TRY(rule.other, inner.text("other"));
        break;
      }
      case RuleKind::count: {
        HOLDFAST_TRY(YamlMap inner, YamlMap::of(name_, body, {"least", "most"}));
        HOLDFAST_TRY(rule.least, inner.number("least"));
        HOLDFAST_TRY(rule.most, inner.number("most"));
        if (!rule.least && !rule.most) return yaml_error(name_, body, "needs least or most");
        break;
      }
      case RuleKind::no_future: {
        if (body.IsScalar() && body.Scalar() == "true") break;
        HOLDFAST_TRY(YamlMap inner, YamlMap::of(name_, body, {"except"}));
        HOLDFAST_TRY(rule.except, inner.texts("except"));
        break;
      }
    }
    return tolerance(map, rule);
  }

  Status tolerance(YamlMap& map, Rule& rule) {
    const YAML::Node node = map.node("tolerance");
    if (!node.IsDefined()) return {};
    if (rule.kind != RuleKind::equals) {
      return yaml_error(name_, node, "only a rule with `equals` has a tolerance");
    }
    HOLDFAST_TRY(const std::string text, map.text("tolerance"));
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    constexpr std::pair<std::string_view, double> units[] = {
        {"", 1}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}};
    const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
    const auto* const found =
        std::ranges::find(units, unit, &std::pair<std::string_view, double>::first);
    if (error != std::errc{} || number < 0 || found == std::end(units)) {
      return yaml_error(name_, node, "a tolerance is a number, or a time like 5h, 30s, 2d");
    }
    rule.tolerance = number * found->second;
    return {};
  }

  /// The expression of that name, checked; nothing if it is not there.
  Result<std::optional<bson::Value>> expression(YamlMap& map, const char* name,
                                                const std::vector<std::string>& variables) {
    const YAML::Node node = map.node(name);
    if (!node.IsDefined()) return std::optional<bson::Value>();
    HOLDFAST_TRY(const bson::Value value, to_value(name_, node));
    FieldNames fields;
    ExpressionError where;
    const auto parsed = Expression::parse(value.view(), fields, variables, &where);
    if (!parsed.ok()) {
      return yaml_error(name_, follow(node, where.path), where.message)
          .with_hint(parsed.error().hint());
    }
    return std::optional<bson::Value>(value);
  }

  Status add(Rule rule, const YAML::Node& node) {
    for (const Rule& other : profile_.rules) {
      if (other.id == rule.id) {
        return yaml_error(name_, node,
                          fmt::format("the id {} is taken by line {}", rule.id, other.line));
      }
    }
    profile_.rules.push_back(std::move(rule));
    return {};
  }

  /// Everything that is named must be declared: a slip of the pen would check nothing.
  Status check_references(YamlMap& map) {
    (void)map;
    const auto declared = [this](const std::string& name, int line) -> Status {
      if (profile_.collection(name) != nullptr) return {};
      return Error(ErrorCode::usage, fmt::format("{}, line {}: there is no collection {} in this "
                                                 "profile",
                                                 name_, line, name));
    };
    for (const auto& collection : profile_.collections) {
      for (const auto& reference : collection.references) {
        HOLDFAST_CHECK(declared(reference.to, reference.line));
      }
    }
    for (const auto& view : profile_.views) {
      HOLDFAST_CHECK(declared(view.of, view.line));
      for (const auto& lookup : view.lookups) HOLDFAST_CHECK(declared(lookup.from, lookup.line));
    }
    for (const auto& rule : profile_.rules) {
      const bool on_view = profile_.view(rule.on) != nullptr;
      if (!on_view) HOLDFAST_CHECK(declared(rule.on, rule.line));
      if (!rule.each_collection.empty()) {
        HOLDFAST_CHECK(declared(rule.each_collection, rule.line));
      }
      const bool whole_collection =
          rule.kind == RuleKind::symmetric || rule.kind == RuleKind::no_future ||
          rule.kind == RuleKind::count || rule.kind == RuleKind::unique ||
          rule.kind == RuleKind::determines || rule.kind == RuleKind::ordered ||
          rule.kind == RuleKind::between;
      if (on_view && whole_collection) {
        return Error(ErrorCode::usage,
                     fmt::format("{}, line {}: a rule of this kind is on a collection, not on a "
                                 "view",
                                 name_, rule.line));
      }
    }
    return {};
  }

  const std::string name_;
  Profile profile_;
};

}  // namespace

Result<Profile> parse_profile(std::string_view text, const std::string& name) {
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsMap()) return Error(ErrorCode::usage, name + ": a profile is a map");
    return ProfileParser(name).parse(root);
  } catch (const YAML::Exception& error) {
    return Error(ErrorCode::usage,
                 fmt::format("{}, line {}: {}", name, error.mark.line + 1, error.msg));
  }
}

Result<Profile> read_profile(const std::string& path) {
  const auto content = read_file(path, largest_profile_bytes);
  if (!content.ok()) return content.error().with_context("the profile");
  return parse_profile(as_text(*content), path);
}

}  // namespace holdfast::profile
