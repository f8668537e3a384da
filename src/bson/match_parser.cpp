#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bson/match_condition.h"

namespace holdfast::bson {

namespace {

using Kind = Condition::Kind;

Error usage(const std::string& what) { return {ErrorCode::usage, "query: " + what}; }

Result<Condition> parse_operators(const std::vector<std::string>& path, DocumentView operators,
                                  int depth);

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (true) {
    const auto dot = path.find('.');
    parts.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

Condition deny(Condition condition) {
  Condition denied;
  denied.kind = Kind::none_of;
  denied.parts.push_back(std::move(condition));
  return denied;
}

Condition make(Kind kind, const std::vector<std::string>& path) {
  Condition condition;
  condition.kind = kind;
  condition.path = path;
  return condition;
}

Condition make_value(Kind kind, const std::vector<std::string>& path, ValueView value) {
  Condition condition = make(kind, path);
  condition.value.emplace(value);
  return condition;
}

struct NamedType {
  std::string_view name;
  Type type;
};
constexpr std::array type_names = {
    NamedType{"double", Type::float64},
    NamedType{"string", Type::string},
    NamedType{"object", Type::document},
    NamedType{"array", Type::array},
    NamedType{"binData", Type::binary},
    NamedType{"undefined", Type::undefined},
    NamedType{"objectId", Type::object_id},
    NamedType{"bool", Type::boolean},
    NamedType{"date", Type::date},
    NamedType{"null", Type::null},
    NamedType{"regex", Type::regex},
    NamedType{"dbPointer", Type::db_pointer},
    NamedType{"javascript", Type::code},
    NamedType{"symbol", Type::symbol},
    NamedType{"javascriptWithScope", Type::code_with_scope},
    NamedType{"int", Type::int32},
    NamedType{"timestamp", Type::timestamp},
    NamedType{"long", Type::int64},
    NamedType{"decimal", Type::decimal128},
    NamedType{"minKey", Type::min_key},
    NamedType{"maxKey", Type::max_key},
};

Status add_type(Condition& condition, ValueView value) {
  if (value.type() == Type::string) {
    const std::string_view name = value.as_string();
    if (name == "number") {
      condition.types.insert({Type::float64, Type::int32, Type::int64, Type::decimal128});
      return {};
    }
    const auto known = std::find_if(type_names.begin(), type_names.end(),
                                    [&](const NamedType& one) { return one.name == name; });
    if (known == type_names.end()) return usage(fmt::format("there is no type '{}'", name));
    condition.types.insert(known->type);
    return {};
  }
  const auto number = value.integral();
  const auto known = std::find_if(type_names.begin(), type_names.end(), [&](const NamedType& one) {
    const std::int64_t code = one.type == Type::min_key ? -1 : static_cast<std::int64_t>(one.type);
    return number == code;
  });
  if (known == type_names.end()) return usage("$type needs the name or number of a type");
  condition.types.insert(known->type);
  return {};
}

Result<Condition> parse_type(const std::vector<std::string>& path, ValueView value) {
  Condition condition = make(Kind::type, path);
  if (value.type() != Type::array) {
    HOLDFAST_CHECK(add_type(condition, value));
    return condition;
  }
  for (const Element& element : value.as_document()) {
    HOLDFAST_CHECK(add_type(condition, element.value));
  }
  return condition;
}

Result<std::shared_ptr<const RE2>> compile(std::string_view pattern, std::string_view options) {
  RE2::Options settings(RE2::Quiet);
  std::string flags;
  for (const char letter : options) {
    if (letter == 'i' || letter == 'm' || letter == 's') {
      flags += letter;
    } else {
      return Error(ErrorCode::unsupported,
                   fmt::format("query: the regular expression's option '{}'", letter));
    }
  }
  const std::string text =
      flags.empty() ? std::string(pattern) : fmt::format("(?{}){}", flags, pattern);
  auto compiled = std::make_shared<const RE2>(text, settings);
  if (!compiled->ok()) {
    return Error(ErrorCode::unsupported,
                 fmt::format("query: the regular expression '{}': {}", pattern, compiled->error()));
  }
  return std::shared_ptr<const RE2>(std::move(compiled));
}

/// Pattern and options of a BSON regex: two strings that end with NUL.
std::pair<std::string_view, std::string_view> parts_of(ValueView regex) {
  const std::string_view both = as_text(regex.bytes());
  const auto end = both.find('\0');
  return {both.substr(0, end), both.substr(end + 1, both.size() - end - 2)};
}

Result<Condition> parse_regex(const std::vector<std::string>& path, ValueView value,
                              std::optional<std::string_view> options) {
  Condition condition = make(Kind::regex, path);
  std::string_view pattern;
  std::string_view own_options;
  if (value.type() == Type::regex) {
    std::tie(pattern, own_options) = parts_of(value);
    condition.value.emplace(value);
  } else if (value.type() == Type::string) {
    pattern = value.as_string();
  } else {
    return usage("$regex needs a string or a regular expression");
  }
  HOLDFAST_TRY(auto compiled, compile(pattern, options.value_or(own_options)));
  condition.patterns.push_back(std::move(compiled));
  return condition;
}

Result<Condition> parse_in(const std::vector<std::string>& path, ValueView value) {
  if (value.type() != Type::array) return usage("$in and $nin need an array");
  Condition condition = make(Kind::in, path);
  for (const Element& element : value.as_document()) {
    if (element.value.type() == Type::regex) {
      const auto [pattern, options] = parts_of(element.value);
      HOLDFAST_TRY(auto compiled, compile(pattern, options));
      condition.patterns.push_back(std::move(compiled));
    }
    condition.values.emplace_back(element.value);
  }
  return condition;
}

bool begins_with_operator(DocumentView document) {
  if (document.empty()) return false;
  const std::string_view name = document.begin()->name;
  // {$ref: …, $id: …} is a value: a reference.
  return name.starts_with('$') && name != "$ref" && name != "$id" && name != "$db";
}

Result<Condition> parse_element_match(const std::vector<std::string>& path, ValueView value,
                                      int depth) {
  if (value.type() != Type::document) return usage("$elemMatch needs a document");
  const DocumentView inner = value.as_document();
  bool of_value = begins_with_operator(inner);
  if (of_value) {
    const std::string_view first = inner.begin()->name;
    of_value = first != "$and" && first != "$or" && first != "$nor";
  }
  Condition condition = make(of_value ? Kind::element_value : Kind::element_document, path);
  HOLDFAST_TRY(Condition part,
               of_value ? parse_operators({}, inner, depth + 1) : parse_query(inner, depth + 1));
  condition.parts.push_back(std::move(part));
  return condition;
}

Result<Condition> parse_all(const std::vector<std::string>& path, ValueView value, int depth) {
  if (value.type() != Type::array) return usage("$all needs an array");
  Condition condition = make(Kind::all_of, path);
  for (const Element& element : value.as_document()) {
    const bool element_match =
        element.value.type() == Type::document && begins_with_operator(element.value.as_document());
    if (element_match) {
      const Element inner = *element.value.as_document().begin();
      if (inner.name != "$elemMatch") return usage("$all takes values or $elemMatch");
      HOLDFAST_TRY(Condition part, parse_element_match(path, inner.value, depth));
      condition.parts.push_back(std::move(part));
    } else if (element.value.type() == Type::regex) {
      HOLDFAST_TRY(Condition part, parse_regex(path, element.value, std::nullopt));
      condition.parts.push_back(std::move(part));
    } else {
      condition.parts.push_back(make_value(Kind::equal, path, element.value));
    }
  }
  if (condition.parts.empty()) condition.kind = Kind::never;
  return condition;
}

Result<Condition> parse_size(const std::vector<std::string>& path, ValueView value) {
  Condition condition = make(Kind::size, path);
  const auto size = value.integral();
  if (!size || *size < 0) return usage("$size needs a whole number");
  condition.size = *size;
  return condition;
}

Result<Condition> parse_not(const std::vector<std::string>& path, ValueView value, int depth) {
  if (value.type() == Type::regex) {
    HOLDFAST_TRY(Condition part, parse_regex(path, value, std::nullopt));
    return deny(std::move(part));
  }
  if (value.type() != Type::document || !begins_with_operator(value.as_document())) {
    return usage("$not needs operators or a regular expression");
  }
  HOLDFAST_TRY(Condition part, parse_operators(path, value.as_document(), depth + 1));
  return deny(std::move(part));
}

bool is_truthy(ValueView value) {
  if (value.type() == Type::boolean) return value.as_bool();
  if (value.is_number()) return value.integral() != 0;
  return value.type() != Type::null && value.type() != Type::undefined;
}

Result<Condition> parse_operator(const std::vector<std::string>& path, const Element& element,
                                 DocumentView siblings, int depth) {
  const std::string_view name = element.name;
  const ValueView value = element.value;
  if (name == "$eq") return make_value(Kind::equal, path, value);
  if (name == "$ne") return deny(make_value(Kind::equal, path, value));
  if (name == "$gt") return make_value(Kind::greater, path, value);
  if (name == "$gte") return make_value(Kind::greater_or_equal, path, value);
  if (name == "$lt") return make_value(Kind::less, path, value);
  if (name == "$lte") return make_value(Kind::less_or_equal, path, value);
  if (name == "$in") return parse_in(path, value);
  if (name == "$nin") {
    HOLDFAST_TRY(Condition part, parse_in(path, value));
    return deny(std::move(part));
  }
  if (name == "$exists") {
    Condition exists = make(Kind::exists, path);
    return is_truthy(value) ? std::move(exists) : deny(std::move(exists));
  }
  if (name == "$type") return parse_type(path, value);
  if (name == "$size") return parse_size(path, value);
  if (name == "$all") return parse_all(path, value, depth);
  if (name == "$elemMatch") return parse_element_match(path, value, depth);
  if (name == "$not") return parse_not(path, value, depth);
  if (name == "$regex") return parse_regex(path, value, siblings.find_string("$options"));
  return Error(ErrorCode::unsupported, fmt::format("query: the operator {}", name));
}

Result<Condition> parse_operators(const std::vector<std::string>& path, DocumentView operators,
                                  int depth) {
  if (depth > max_query_depth) return usage("it is nested too deeply");
  Condition condition = make(Kind::all_of, path);
  for (const Element& element : operators) {
    if (!element.name.starts_with('$')) {
      return usage(fmt::format("'{}' stands among operators", element.name));
    }
    if (element.name == "$options") {
      if (!operators.find("$regex")) return usage("$options without $regex");
      continue;
    }
    HOLDFAST_TRY(Condition part, parse_operator(path, element, operators, depth));
    condition.parts.push_back(std::move(part));
  }
  return condition;
}

Result<Condition> parse_join(Kind kind, const Element& element, int depth) {
  Condition condition;
  condition.kind = kind;
  if (element.value.type() != Type::array || element.value.as_document().empty()) {
    return usage(fmt::format("{} needs an array of queries", element.name));
  }
  for (const Element& part : element.value.as_document()) {
    if (part.value.type() != Type::document) {
      return usage(fmt::format("{} needs an array of queries", element.name));
    }
    HOLDFAST_TRY(Condition parsed, parse_query(part.value.as_document(), depth + 1));
    condition.parts.push_back(std::move(parsed));
  }
  return condition;
}

Result<Condition> parse_field(const Element& element, int depth) {
  const auto path = split_path(element.name);
  if (element.value.type() == Type::regex) return parse_regex(path, element.value, std::nullopt);
  const bool operators =
      element.value.type() == Type::document && begins_with_operator(element.value.as_document());
  if (operators) return parse_operators(path, element.value.as_document(), depth + 1);
  return make_value(Kind::equal, path, element.value);
}

}  // namespace

Result<Condition> parse_query(DocumentView query, int depth) {
  if (depth > max_query_depth) return usage("it is nested too deeply");
  Condition condition;
  for (const Element& element : query) {
    if (element.name == "$comment") continue;
    if (element.name == "$and" || element.name == "$or" || element.name == "$nor") {
      const Kind kind = element.name == "$and"  ? Kind::all_of
                        : element.name == "$or" ? Kind::any_of
                                                : Kind::none_of;
      HOLDFAST_TRY(Condition part, parse_join(kind, element, depth));
      condition.parts.push_back(std::move(part));
      continue;
    }
    if (element.name.starts_with('$')) {
      return Error(ErrorCode::unsupported, fmt::format("query: the operator {}", element.name));
    }
    HOLDFAST_TRY(Condition part, parse_field(element, depth));
    condition.parts.push_back(std::move(part));
  }
  return condition;
}

}  // namespace holdfast::bson
