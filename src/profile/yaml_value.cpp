#include <fmt/format.h>

#include <charconv>
#include <set>

#include "bson/extended_json.h"
#include "bson/json_text.h"
#include "profile/yaml_value_internal.h"

namespace holdfast::profile {
namespace {

/// Aliases can blow a small file up; no profile needs so many values in one place.
constexpr std::size_t most_nodes = 100'000;
constexpr int deepest = 120;

/// A plain scalar as JSON.
std::string plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null") return "null";
  if (text == "true" || text == "false") return text;
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, integer);
  if (error == std::errc{} && stop == end) return std::to_string(integer);
  const bool numeric = text.find_first_not_of("+-.0123456789eE") == std::string::npos &&
                       text.find_first_of("0123456789") != std::string::npos;
  if (const auto number = numeric ? bson::parse_double(text) : std::nullopt) {
    return bson::format_double(*number);
  }
  std::string quoted;
  bson::append_json_string(quoted, text);
  return quoted;
}

class Writer {
 public:
  explicit Writer(const std::string& name) : name_(name) {}

  Status write(const YAML::Node& node, int depth) {
    if (depth > deepest || ++nodes_ > most_nodes) {
      return yaml_error(name_, node, "nested too deeply, or too long");
    }
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: text_ += "null"; return {};
      case YAML::NodeType::Scalar: return scalar(node);
      case YAML::NodeType::Sequence: return sequence(node, depth);
      case YAML::NodeType::Map: return map(node, depth);
    }
    return {};
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Status scalar(const YAML::Node& node) {
    const std::string& value = node.Scalar();
    if (value.find('\0') != std::string::npos) return yaml_error(name_, node, "a NUL in a text");
    if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") {
      bson::append_json_string(text_, value);
    } else {
      text_ += plain_scalar(value);
    }
    return {};
  }

  Status sequence(const YAML::Node& node, int depth) {
    text_ += '[';
    bool first = true;
    for (const YAML::Node& item : node) {
      if (!first) text_ += ',';
      first = false;
      HOLDFAST_CHECK(write(item, depth + 1));
    }
    text_ += ']';
    return {};
  }

  Status map(const YAML::Node& node, int depth) {
    text_ += '{';
    std::set<std::string> seen;
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) return yaml_error(name_, pair.first, "a name must be a text");
      const std::string& name = pair.first.Scalar();
      if (name.find('\0') != std::string::npos) {
        return yaml_error(name_, pair.first, "a NUL in a name");
      }
      if (!seen.insert(name).second) {
        return yaml_error(name_, pair.first, fmt::format("\"{}\" stands here twice", name));
      }
      if (seen.size() > 1) text_ += ',';
      bson::append_json_string(text_, name);
      text_ += ':';
      HOLDFAST_CHECK(write(pair.second, depth + 1));
    }
    text_ += '}';
    return {};
  }

  const std::string& name_;
  std::string text_;
  std::size_t nodes_ = 0;
};

}  // namespace

int line_of(const YAML::Node& node) { return node.IsDefined() ? node.Mark().line + 1 : 0; }

Error yaml_error(const std::string& name, const YAML::Node& node, std::string_view message) {
  const int line = line_of(node);
  if (line <= 0) return {ErrorCode::usage, fmt::format("{}: {}", name, message)};
  return {ErrorCode::usage, fmt::format("{}, line {}: {}", name, line, message)};
}

Result<bson::Value> to_value(const std::string& name, const YAML::Node& node) {
  Writer writer(name);
  HOLDFAST_CHECK(writer.write(node, 0));
  const auto wrapped = bson::from_json("{\"\":" + writer.text() + "}");
  if (!wrapped.ok()) return yaml_error(name, node, wrapped.error().message());
  return bson::Value(*wrapped->view().find(""));
}

YAML::Node follow(const YAML::Node& node, const std::vector<std::string>& path) {
  YAML::Node at = node;
  for (const std::string& name : path) {
    YAML::Node next;
    if (at.IsMap()) {
      for (const auto& pair : at) {
        if (pair.first.IsScalar() && pair.first.Scalar() == name) next.reset(pair.second);
      }
    } else if (at.IsSequence()) {
      std::size_t index = 0;
      const auto parsed = std::from_chars(name.data(), name.data() + name.size(), index);
      if (parsed.ec == std::errc{} && index < at.size()) next.reset(at[index]);
    }
    if (!next.IsDefined() || next.IsNull()) break;
    at.reset(next);
  }
  return at;
}

}  // namespace holdfast::profile
