#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <map>

#include "profile/expression_parser_internal.h"
#include "profile/nodes_internal.h"
#include "profile/text_internal.h"

namespace holdfast::profile {
namespace {

using bson::Type;

/// Expressions nested deeper are refused: evaluation recurses.
constexpr std::size_t deepest = 100;

constexpr std::array<std::string_view, 9> special_names = {
    "$filter",       "$getField", "$let",        "$literal", "$map",
    "$mergeObjects", "$reduce",   "$regexMatch", "$switch"};

const std::map<std::string_view, const Operator*>& plain_operators() {
  static const auto table = [] {
    std::map<std::string_view, const Operator*> all;
    for (const auto group :
         {arithmetic_operators(), rounding_operators(), logic_operators(), array_operators(),
          set_operators(), string_operators(), date_operators(), type_operators()}) {
      for (const Operator& one : group) all.emplace(one.name, &one);
    }
    return all;
  }();
  return table;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> names;
  for (;;) {
    const auto dot = path.find('.');
    names.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return names;
    path.remove_prefix(dot + 1);
  }
}

bool is_named(const Operator& known, bson::ValueView value) {
  if (known.names.empty() || value.type() != Type::document) return false;
  const auto document = value.as_document();
  return document.empty() || !document.begin()->name.starts_with('$');
}

}  // namespace

std::vector<std::string_view> expression_operators() {
  std::vector<std::string_view> names(special_names.begin(), special_names.end());
  for (const auto& [name, known] : plain_operators()) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

ExpressionParser::ExpressionParser(FieldNames& fields, const std::vector<std::string>& variables)
    : fields_(fields), next_slot_(variables.size()) {
  for (std::size_t slot = 0; slot < variables.size(); ++slot) {
    scope_.push_back({variables[slot], slot});
  }
}

Result<NodePointer> ExpressionParser::parse(bson::ValueView value) { return expression(value); }

Error ExpressionParser::error(std::string message, std::string hint) {
  if (error_path_.empty()) error_path_ = path_;
  return {ErrorCode::usage, std::move(message), std::move(hint)};
}

Result<NodePointer> ExpressionParser::child(std::string_view name, bson::ValueView value) {
  if (path_.size() >= deepest) return error("the expression is nested too deeply");
  path_.emplace_back(name);
  auto node = expression(value);
  path_.pop_back();
  return node;
}

Result<NodePointer> ExpressionParser::expression(bson::ValueView value) {
  switch (value.type()) {
    case Type::string: return text(value.as_string(), value);
    case Type::document: return object(value.as_document());
    case Type::array: return array(value.as_document());
    default: return NodePointer(std::make_unique<LiteralNode>(value));
  }
}

Result<NodePointer> ExpressionParser::text(std::string_view text, bson::ValueView value) {
  if (!text.starts_with('$')) return NodePointer(std::make_unique<LiteralNode>(value));
  if (text.starts_with("$$")) return variable_path(text.substr(2));
  auto names = split_path(text.substr(1));
  if (std::ranges::any_of(names, [](const auto& name) { return name.empty(); })) {
    return error(fmt::format("\"{}\" is no field path: a name in it is empty", text));
  }
  const std::size_t slot = fields_.slot_of(names.front());
  names.erase(names.begin());
  return NodePointer(std::make_unique<FieldNode>(slot, std::move(names)));
}

Result<NodePointer> ExpressionParser::variable_path(std::string_view path) {
  auto names = split_path(path);
  const std::string name = names.front();
  names.erase(names.begin());
  if (std::ranges::any_of(names, [](const auto& one) { return one.empty(); })) {
    return error(fmt::format("\"$${}\" is no path: a name in it is empty", path));
  }
  for (auto at = scope_.rbegin(); at != scope_.rend(); ++at) {
    if (at->name == name) {
      return NodePointer(std::make_unique<VariableNode>(at->slot, std::move(names)));
    }
  }
  if (name == "ROOT" || name == "CURRENT") {
    if (!names.empty())
      return text("$" + std::string(path.substr(name.size() + 1)), {Type::null, {}});
    fields_.use_whole();
    return NodePointer(std::make_unique<BuiltinNode>(Builtin::root));
  }
  if (names.empty() && name == "NOW") {
    return NodePointer(std::make_unique<BuiltinNode>(Builtin::now));
  }
  if (names.empty() && name == "REMOVE") {
    return NodePointer(std::make_unique<BuiltinNode>(Builtin::remove));
  }
  return error(fmt::format("the variable $${} is not defined here", name));
}

Result<NodePointer> ExpressionParser::object(bson::DocumentView document) {
  std::vector<std::pair<std::string, NodePointer>> fields;
  for (const bson::Element& element : document) {
    if (element.name.starts_with('$')) {
      if (!fields.empty() || ++document.begin() != document.end()) {
        return error(fmt::format("{} must be the only field of its object", element.name));
      }
      if (path_.size() >= deepest) return error("the expression is nested too deeply");
      path_.emplace_back(element.name);
      auto node = call(element.name, element.value);
      path_.pop_back();
      return node;
    }
    if (element.name.find('.') != std::string_view::npos || element.name.empty()) {
      return error(fmt::format("\"{}\" cannot be the name of a field here", element.name));
    }
    HOLDFAST_TRY(auto node, child(element.name, element.value));
    fields.emplace_back(std::string(element.name), std::move(node));
  }
  return NodePointer(std::make_unique<ObjectNode>(std::move(fields)));
}

Result<NodePointer> ExpressionParser::array(bson::DocumentView elements) {
  std::vector<NodePointer> items;
  for (const bson::Element& element : elements) {
    HOLDFAST_TRY(auto node, child(element.name, element.value));
    items.push_back(std::move(node));
  }
  return NodePointer(std::make_unique<ArrayNode>(std::move(items)));
}

Result<NodePointer> ExpressionParser::call(std::string_view name, bson::ValueView value) {
  if (std::ranges::find(special_names, name) != special_names.end()) return special(name, value);
  const auto found = plain_operators().find(name);
  if (found != plain_operators().end()) return call(*found->second, value);
  return error(fmt::format("{} is no operator that rules know", name),
               "docs/profile.md lists them");
}

Result<NodePointer> ExpressionParser::call(const Operator& known, bson::ValueView value) {
  HOLDFAST_TRY(auto arguments, is_named(known, value) ? named_arguments(known, value.as_document())
                                                      : positional(known, value));
  return NodePointer(std::make_unique<CallNode>(known.function, std::move(arguments)));
}

Result<std::vector<NodePointer>> ExpressionParser::named_arguments(const Operator& known,
                                                                   bson::DocumentView document) {
  HOLDFAST_TRY(const Named named,
               take_apart({Type::document, document.bytes()}, known.names, known.least));
  std::vector<NodePointer> arguments(known.names.size());
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (!named[i]) continue;
    HOLDFAST_TRY(arguments[i], child(known.names[i], *named[i]));
  }
  return arguments;
}

Result<std::vector<NodePointer>> ExpressionParser::positional(const Operator& known,
                                                              bson::ValueView value) {
  std::vector<NodePointer> arguments;
  if (value.type() == Type::array) {
    for (const bson::Element& element : value.as_document()) {
      HOLDFAST_TRY(auto node, child(element.name, element.value));
      arguments.push_back(std::move(node));
    }
  } else {
    HOLDFAST_TRY(auto node, expression(value));
    arguments.push_back(std::move(node));
  }
  // Operators with names take one positional argument at most, but $cond takes all three.
  const bool one_only = !known.names.empty() && known.least == 1;
  const std::size_t most = one_only ? 1 : known.most;
  if (arguments.size() < known.least || arguments.size() > most) {
    const std::string wanted = known.least == most  ? fmt::format("{}", most)
                               : most == any_number ? fmt::format("at least {}", known.least)
                                                    : fmt::format("{} to {}", known.least, most);
    return error(
        fmt::format("{} takes {} arguments, {} are given", known.name, wanted, arguments.size()));
  }
  if (!known.names.empty()) arguments.resize(known.names.size());
  return arguments;
}

Result<ExpressionParser::Named> ExpressionParser::take_apart(
    bson::ValueView value, const std::vector<std::string_view>& names, std::size_t required) {
  if (value.type() != Type::document) {
    return error(fmt::format("{} takes an object", path_.empty() ? "this" : path_.back()));
  }
  Named values(names.size());
  for (const bson::Element& element : value.as_document()) {
    const auto found = std::ranges::find(names, element.name);
    if (found == names.end()) {
      return error(fmt::format("{} knows no argument \"{}\"", path_.back(), element.name));
    }
    values[static_cast<std::size_t>(found - names.begin())] = element.value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (!values[i]) return error(fmt::format("{} lacks \"{}\"", path_.back(), names[i]));
  }
  return values;
}

Result<NodePointer> ExpressionParser::special(std::string_view name, bson::ValueView value) {
  if (name == "$literal") return NodePointer(std::make_unique<LiteralNode>(value));
  if (name == "$let") return let(value);
  if (name == "$map") return map(value);
  if (name == "$filter") return filter(value);
  if (name == "$reduce") return reduce(value);
  if (name == "$switch") return switch_case(value);
  if (name == "$regexMatch") return regex_match(value);
  if (name == "$getField") return get_field(value);
  return merge_objects(value);
}

std::size_t ExpressionParser::declare(std::string name) {
  scope_.push_back({std::move(name), next_slot_});
  return next_slot_++;
}

Result<std::string> ExpressionParser::variable_name(const std::optional<bson::ValueView>& value,
                                                    std::string_view otherwise) {
  if (!value) return std::string(otherwise);
  const bool named = value->type() == Type::string && !value->as_string().empty() &&
                     value->as_string().front() >= 'a' && value->as_string().front() <= 'z';
  if (!named) return error("the name of a variable is a string that begins with a small letter");
  return std::string(value->as_string());
}

Result<NodePointer> ExpressionParser::let(bson::ValueView value) {
  HOLDFAST_TRY(const Named named, take_apart(value, {"vars", "in"}, 2));
  if (named[0]->type() != Type::document) return error("$let takes its vars as an object");
  std::vector<std::pair<std::string, NodePointer>> parsed;
  for (const bson::Element& element : named[0]->as_document()) {
    const std::string quoted(element.name);
    if (quoted.empty() || quoted.front() < 'a' || quoted.front() > 'z') {
      return error("the name of a variable begins with a small letter");
    }
    HOLDFAST_TRY(auto node, child(element.name, element.value));
    parsed.emplace_back(quoted, std::move(node));
  }
  // The variables don't see each other.
  const std::size_t outer = scope_.size();
  std::vector<std::pair<std::size_t, NodePointer>> variables;
  for (auto& [name, node] : parsed) variables.emplace_back(declare(name), std::move(node));
  auto in = child("in", *named[1]);
  scope_.resize(outer, {"", 0});
  if (!in.ok()) return in.error();
  return NodePointer(std::make_unique<LetNode>(std::move(variables), std::move(*in)));
}

Result<NodePointer> ExpressionParser::map(bson::ValueView value) {
  HOLDFAST_TRY(const Named named, take_apart(value, {"input", "in", "as"}, 2));
  Loop loop;
  HOLDFAST_TRY(loop.input, child("input", *named[0]));
  HOLDFAST_TRY(std::string name, variable_name(named[2], "this"));
  const std::size_t outer = scope_.size();
  loop.variable = declare(std::move(name));
  auto body = child("in", *named[1]);
  scope_.resize(outer, {"", 0});
  if (!body.ok()) return body.error();
  loop.body = std::move(*body);
  return NodePointer(std::make_unique<MapNode>(std::move(loop)));
}

Result<NodePointer> ExpressionParser::filter(bson::ValueView value) {
  HOLDFAST_TRY(const Named named, take_apart(value, {"input", "cond", "as", "limit"}, 2));
  Loop loop;
  HOLDFAST_TRY(loop.input, child("input", *named[0]));
  if (named[3]) {
    HOLDFAST_TRY(loop.other, child("limit", *named[3]));
  }
  HOLDFAST_TRY(std::string name, variable_name(named[2], "this"));
  const std::size_t outer = scope_.size();
  loop.variable = declare(std::move(name));
  auto body = child("cond", *named[1]);
  scope_.resize(outer, {"", 0});
  if (!body.ok()) return body.error();
  loop.body = std::move(*body);
  return NodePointer(std::make_unique<FilterNode>(std::move(loop)));
}

Result<NodePointer> ExpressionParser::reduce(bson::ValueView value) {
  HOLDFAST_TRY(const Named named, take_apart(value, {"input", "initialValue", "in"}, 3));
  Loop loop;
  HOLDFAST_TRY(loop.input, child("input", *named[0]));
  HOLDFAST_TRY(loop.other, child("initialValue", *named[1]));
  const std::size_t outer = scope_.size();
  loop.variable = declare("this");
  loop.value_variable = declare("value");
  auto body = child("in", *named[2]);
  scope_.resize(outer, {"", 0});
  if (!body.ok()) return body.error();
  loop.body = std::move(*body);
  return NodePointer(std::make_unique<ReduceNode>(std::move(loop)));
}

Result<NodePointer> ExpressionParser::switch_case(bson::ValueView value) {
  HOLDFAST_TRY(const Named named, take_apart(value, {"branches", "default"}, 1));
  if (named[0]->type() != Type::array || named[0]->as_document().empty()) {
    return error("$switch takes its branches as an array that is not empty");
  }
  std::vector<std::pair<NodePointer, NodePointer>> branches;
  for (const bson::Element& element : named[0]->as_document()) {
    HOLDFAST_TRY(const Named branch, take_apart(element.value, {"case", "then"}, 2));
    HOLDFAST_TRY(auto condition, child("case", *branch[0]));
    HOLDFAST_TRY(auto result, child("then", *branch[1]));
    branches.emplace_back(std::move(condition), std::move(result));
  }
  NodePointer otherwise;
  if (named[1]) {
    HOLDFAST_TRY(otherwise, child("default", *named[1]));
  }
  return NodePointer(std::make_unique<SwitchNode>(std::move(branches), std::move(otherwise)));
}

Result<NodePointer> ExpressionParser::regex_match(bson::ValueView value) {
  HOLDFAST_TRY(const Named named, take_apart(value, {"input", "regex", "options"}, 2));
  HOLDFAST_TRY(auto input, child("input", *named[0]));
  std::string pattern;
  std::string options;
  if (named[1]->type() == Type::string) {
    pattern = named[1]->as_string();
    if (pattern.starts_with('$')) {
      return error("$regexMatch takes its regex as a constant; $literal is not needed");
    }
  } else if (named[1]->type() == Type::regex) {
    pattern = reinterpret_cast<const char*>(named[1]->bytes().data());
    options = reinterpret_cast<const char*>(named[1]->bytes().data() + pattern.size() + 1);
  } else {
    return error("$regexMatch takes its regex as a string or a regular expression");
  }
  if (named[2]) {
    if (named[2]->type() != Type::string) return error("$regexMatch takes options as a string");
    options += named[2]->as_string();
  }
  auto compiled = compile_pattern(pattern, options);
  if (!compiled.ok()) return error(compiled.error().message(), compiled.error().hint());
  return NodePointer(std::make_unique<RegexMatchNode>(std::move(input), std::move(*compiled)));
}

Result<NodePointer> ExpressionParser::get_field(bson::ValueView value) {
  if (value.type() == Type::string) {
    std::string name(value.as_string());
    if (name.starts_with('$')) return error("$getField takes its field as a constant");
    fields_.use_whole();
    return NodePointer(std::make_unique<GetFieldNode>(
        std::move(name), std::make_unique<BuiltinNode>(Builtin::root)));
  }
  HOLDFAST_TRY(const Named named, take_apart(value, {"field", "input"}, 2));
  bson::ValueView field = *named[0];
  if (field.type() == Type::document) {
    // {$literal: "$price"}: the way to name a field that begins with a dollar sign.
    const auto literal = field.as_document().find("$literal");
    if (literal) field = *literal;
  } else if (field.type() == Type::string && field.as_string().starts_with('$')) {
    return error("$getField takes its field as a constant");
  }
  if (field.type() != Type::string) return error("$getField takes its field as a constant string");
  HOLDFAST_TRY(auto input, child("input", *named[1]));
  return NodePointer(
      std::make_unique<GetFieldNode>(std::string(field.as_string()), std::move(input)));
}

Result<NodePointer> ExpressionParser::merge_objects(bson::ValueView value) {
  std::vector<NodePointer> items;
  if (value.type() == Type::array) {
    for (const bson::Element& element : value.as_document()) {
      HOLDFAST_TRY(auto node, child(element.name, element.value));
      items.push_back(std::move(node));
    }
  } else {
    HOLDFAST_TRY(auto node, expression(value));
    items.push_back(std::move(node));
  }
  return NodePointer(std::make_unique<MergeObjectsNode>(std::move(items)));
}

}  // namespace holdfast::profile
