#include "profile/schema.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <functional>
#include <map>

#include "profile/datum.h"
#include "profile/schema_node_internal.h"
#include "profile/text_internal.h"

namespace holdfast::profile {
namespace {

using bson::Type;
using bson::ValueView;

/// The server's limit for documents is 100 levels; a schema is one and a half times as deep.
constexpr std::size_t deepest = 150;

constexpr Type all_types[] = {
    Type::float64,   Type::string,     Type::document, Type::array,      Type::binary,
    Type::undefined, Type::object_id,  Type::boolean,  Type::date,       Type::null,
    Type::regex,     Type::db_pointer, Type::code,     Type::symbol,     Type::code_with_scope,
    Type::int32,     Type::timestamp,  Type::int64,    Type::decimal128, Type::min_key,
    Type::max_key};

std::optional<TypeSet> types_named(std::string_view name, bool json) {
  TypeSet types;
  if (name == "number") {
    for (const Type type : {Type::int32, Type::int64, Type::float64, Type::decimal128}) {
      types.add(type);
    }
    return types;
  }
  // "type" knows the words of JSON only.
  if (json && name == "boolean")
    name = "bool";
  else if (json && name != "object" && name != "array" && name != "string" && name != "null") {
    return std::nullopt;
  }
  for (const Type type : all_types) {
    if (type_name(type) != name) continue;
    types.add(type);
    return types;
  }
  return std::nullopt;
}

class SchemaParser {
 public:
  Result<SchemaNode::Pointer> parse(ValueView value) {
    if (value.type() != Type::document) return error("a schema must be an object");
    if (path_.size() > deepest) return error("the schema is nested too deeply");
    auto node = std::make_unique<SchemaNode>();
    for (const bson::Element& element : value.as_document()) {
      path_.emplace_back(element.name);
      HOLDFAST_CHECK(keyword(*node, element.name, element.value));
      path_.pop_back();
    }
    HOLDFAST_CHECK(check_exclusive(*node, value.as_document()));
    return node;
  }

  [[nodiscard]] const std::vector<std::string>& path() const { return path_; }

 private:
  using Handler = Status (SchemaParser::*)(SchemaNode&, ValueView);

  Error error(std::string message) { return {ErrorCode::usage, std::move(message)}; }

  Status keyword(SchemaNode& node, std::string_view name, ValueView value) {
    static const std::map<std::string_view, Handler> handlers = {
        {"bsonType", &SchemaParser::bson_type},
        {"type", &SchemaParser::json_type},
        {"enum", &SchemaParser::allowed},
        {"required", &SchemaParser::required},
        {"properties", &SchemaParser::properties},
        {"additionalProperties", &SchemaParser::additional_properties},
        {"pattern", &SchemaParser::pattern},
        {"items", &SchemaParser::items},
        {"additionalItems", &SchemaParser::additional_items},
        {"uniqueItems", &SchemaParser::unique_items},
        {"minimum", &SchemaParser::minimum},
        {"maximum", &SchemaParser::maximum},
        {"multipleOf", &SchemaParser::multiple_of},
        {"not", &SchemaParser::negated}};
    const auto found = handlers.find(name);
    if (found != handlers.end()) return (this->*found->second)(node, value);
    if (name == "title" || name == "description") {
      if (value.type() == Type::string) return {};
      return error(fmt::format("{} must be a string", name));
    }
    if (name == "exclusiveMinimum" || name == "exclusiveMaximum") {
      if (value.type() == Type::boolean) return {};
      return error(fmt::format("{} must be true or false", name));
    }
    if (auto* schemas = combination(node, name)) return combine(*schemas, value);
    if (auto* limit = count_limit(node, name)) {
      *limit = value.integral();
      if (*limit && **limit >= 0) return {};
      return error(fmt::format("{} must be a whole number, not negative", name));
    }
    return error(fmt::format("unknown $jsonSchema keyword: {}", name));
  }

  static std::optional<std::int64_t>* count_limit(SchemaNode& node, std::string_view name) {
    if (name == "minLength") return &node.least_length;
    if (name == "maxLength") return &node.most_length;
    if (name == "minItems") return &node.least_items;
    if (name == "maxItems") return &node.most_items;
    if (name == "minProperties") return &node.least_properties;
    if (name == "maxProperties") return &node.most_properties;
    return nullptr;
  }

  static std::vector<SchemaNode::Pointer>* combination(SchemaNode& node, std::string_view name) {
    if (name == "allOf") return &node.all_of;
    if (name == "anyOf") {
      node.has_any_of = true;
      return &node.any_of;
    }
    if (name != "oneOf") return nullptr;
    node.has_one_of = true;
    return &node.one_of;
  }

  Status combine(std::vector<SchemaNode::Pointer>& schemas, ValueView value) {
    if (value.type() != Type::array || value.as_document().empty()) {
      return error("takes an array of schemas that is not empty");
    }
    for (const bson::Element& element : value.as_document()) {
      path_.emplace_back(element.name);
      HOLDFAST_TRY(auto schema, parse(element.value));
      path_.pop_back();
      schemas.push_back(std::move(schema));
    }
    return {};
  }

  Status read_types(SchemaNode& node, ValueView value, bool json) {
    TypeSet types;
    const auto add = [&](ValueView name) -> Status {
      if (name.type() != Type::string) return error("types are named by strings");
      const auto found = types_named(name.as_string(), json);
      if (!found) return error(fmt::format("there is no type \"{}\"", name.as_string()));
      types.add(*found);
      node.types_text += (node.types_text.empty() ? "" : " or ") + std::string(name.as_string());
      return {};
    };
    if (value.type() == Type::array && !value.as_document().empty()) {
      for (const bson::Element& element : value.as_document()) HOLDFAST_CHECK(add(element.value));
    } else {
      HOLDFAST_CHECK(add(value));
    }
    node.types = types;
    return {};
  }

  Status bson_type(SchemaNode& node, ValueView value) { return read_types(node, value, false); }
  Status json_type(SchemaNode& node, ValueView value) { return read_types(node, value, true); }

  Status allowed(SchemaNode& node, ValueView value) {
    if (value.type() != Type::array || value.as_document().empty()) {
      return error("enum must be an array that is not empty");
    }
    node.allowed = value.as_document();
    return {};
  }

  static SchemaNode::Property& property(SchemaNode& node, std::string_view name) {
    for (auto& one : node.properties) {
      if (one.name == name) return one;
    }
    node.properties.push_back({std::string(name), nullptr, false});
    return node.properties.back();
  }

  Status required(SchemaNode& node, ValueView value) {
    if (value.type() != Type::array || value.as_document().empty()) {
      return error("required must be an array of names that is not empty");
    }
    for (const bson::Element& element : value.as_document()) {
      if (element.value.type() != Type::string) return error("required takes names");
      property(node, element.value.as_string()).required = true;
    }
    return {};
  }

  Status properties(SchemaNode& node, ValueView value) {
    if (value.type() != Type::document) return error("properties must be an object");
    for (const bson::Element& element : value.as_document()) {
      path_.emplace_back(element.name);
      HOLDFAST_TRY(auto schema, parse(element.value));
      path_.pop_back();
      property(node, element.name).schema = std::move(schema);
    }
    return {};
  }

  Status additional_properties(SchemaNode& node, ValueView value) {
    if (value.type() == Type::boolean) {
      node.other_properties = value.as_bool();
      return {};
    }
    HOLDFAST_TRY(node.other_schema, parse(value));
    return {};
  }

  Status pattern(SchemaNode& node, ValueView value) {
    if (value.type() != Type::string) return error("pattern must be a string");
    auto compiled = compile_pattern(value.as_string(), "");
    if (!compiled.ok()) return compiled.error();
    node.pattern = std::move(*compiled);
    node.pattern_text = value.as_string();
    return {};
  }

  Status items(SchemaNode& node, ValueView value) {
    if (value.type() != Type::array) {
      HOLDFAST_TRY(node.item, parse(value));
      return {};
    }
    node.is_tuple = true;
    for (const bson::Element& element : value.as_document()) {
      path_.emplace_back(element.name);
      HOLDFAST_TRY(auto schema, parse(element.value));
      path_.pop_back();
      node.tuple.push_back(std::move(schema));
    }
    return {};
  }

  Status additional_items(SchemaNode& node, ValueView value) {
    if (value.type() == Type::boolean) {
      node.other_items = value.as_bool();
      return {};
    }
    HOLDFAST_TRY(node.other_item, parse(value));
    return {};
  }

  Status unique_items(SchemaNode& node, ValueView value) {
    if (value.type() != Type::boolean) return error("uniqueItems must be true or false");
    node.unique_items = value.as_bool();
    return {};
  }

  Status minimum(SchemaNode& node, ValueView value) {
    if (!value.is_number()) return error("minimum must be a number");
    node.minimum = {value, false};
    return {};
  }

  Status maximum(SchemaNode& node, ValueView value) {
    if (!value.is_number()) return error("maximum must be a number");
    node.maximum = {value, false};
    return {};
  }

  Status multiple_of(SchemaNode& node, ValueView value) {
    if (!value.is_number() || !(Datum(value).truthy())) {
      return error("multipleOf must be a number above 0");
    }
    node.multiple_of = value;
    return {};
  }

  Status negated(SchemaNode& node, ValueView value) {
    HOLDFAST_TRY(node.negated, parse(value));
    return {};
  }

  Status check_exclusive(SchemaNode& node, bson::DocumentView schema) {
    const auto low = schema.find("exclusiveMinimum");
    const auto high = schema.find("exclusiveMaximum");
    if ((low && !node.minimum) || (high && !node.maximum)) {
      return error("exclusiveMinimum and exclusiveMaximum need minimum and maximum");
    }
    if (low) node.minimum->exclusive = low->as_bool();
    if (high) node.maximum->exclusive = high->as_bool();
    return {};
  }

  std::vector<std::string> path_;
};

}  // namespace

Schema::Schema(bson::Document source, std::unique_ptr<SchemaNode> root)
    : source_(std::move(source)), root_(std::move(root)) {}
Schema::~Schema() = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;

Result<Schema> Schema::parse(bson::DocumentView schema, std::vector<std::string>* where) {
  // The nodes keep views into this copy; a vector that is moved leaves its bytes in place.
  bson::Document source(schema);
  SchemaParser parser;
  auto root = parser.parse({Type::document, source.bytes()});
  if (!root.ok()) {
    if (where != nullptr) *where = parser.path();
    return root.error();
  }
  return Schema(std::move(source), std::move(*root));
}

std::optional<SchemaViolation> Schema::violation(bson::DocumentView document) const {
  const ValueView value(Type::document, document.bytes());
  if (root_->accepts(value, nullptr)) return std::nullopt;
  SchemaViolation found;
  (void)root_->accepts(value, &found);
  return found;
}

}  // namespace holdfast::profile
