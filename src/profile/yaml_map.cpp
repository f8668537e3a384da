#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "profile/yaml_map_internal.h"
#include "profile/yaml_value_internal.h"

namespace holdfast::profile {

Result<YamlMap> YamlMap::of(const std::string& file, const YAML::Node& node,
                            std::initializer_list<std::string_view> names) {
  if (!node.IsMap()) return yaml_error(file, node, "expected names with values here");
  std::set<std::string> seen;
  for (const auto& pair : node) {
    const std::string name = pair.first.IsScalar() ? pair.first.Scalar() : "";
    if (std::ranges::find(names, name) == names.end()) {
      return yaml_error(
          file, pair.first,
          fmt::format("\"{}\" is not known here; known are {}", name, fmt::join(names, ", ")));
    }
    if (!seen.insert(name).second) {
      return yaml_error(file, pair.first, fmt::format("\"{}\" stands here twice", name));
    }
  }
  return YamlMap(file, node);
}

YAML::Node YamlMap::node(std::string_view name) const { return node_[std::string(name)]; }

Result<std::string> YamlMap::text(std::string_view name) const {
  const YAML::Node found = node(name);
  if (!found.IsDefined()) return yaml_error(*file_, node_, fmt::format("lacks \"{}\"", name));
  if (!found.IsScalar() || found.Scalar().empty()) {
    return yaml_error(*file_, found, fmt::format("\"{}\" must be a text", name));
  }
  return found.Scalar();
}

Result<std::vector<std::string>> YamlMap::texts(std::string_view name) const {
  const YAML::Node found = node(name);
  if (!found.IsDefined()) return yaml_error(*file_, node_, fmt::format("lacks \"{}\"", name));
  std::vector<std::string> all;
  if (found.IsScalar()) return std::vector<std::string>{found.Scalar()};
  if (!found.IsSequence()) {
    return yaml_error(*file_, found, fmt::format("\"{}\" must be a list", name));
  }
  for (const YAML::Node& one : found) {
    if (!one.IsScalar()) return yaml_error(*file_, one, "expected a text");
    all.push_back(one.Scalar());
  }
  return all;
}

Result<bool> YamlMap::truth(std::string_view name) const {
  const YAML::Node found = node(name);
  if (!found.IsDefined()) return false;
  if (found.IsScalar() && (found.Scalar() == "true" || found.Scalar() == "false")) {
    return found.Scalar() == "true";
  }
  return yaml_error(*file_, found, fmt::format("\"{}\" must be true or false", name));
}

Result<std::optional<std::uint64_t>> YamlMap::number(std::string_view name) const {
  const YAML::Node found = node(name);
  if (!found.IsDefined()) return std::optional<std::uint64_t>();
  std::uint64_t value = 0;
  const std::string text = found.IsScalar() ? found.Scalar() : "";
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && stop == text.data() + text.size()) {
    return std::optional<std::uint64_t>(value);
  }
  return yaml_error(*file_, found, fmt::format("\"{}\" must be a whole number", name));
}

Result<Severity> YamlMap::severity(std::string_view name) const {
  const YAML::Node found = node(name);
  if (!found.IsDefined()) return Severity::error;
  const auto parsed = found.IsScalar() ? parse_severity(found.Scalar()) : std::nullopt;
  if (parsed) return *parsed;
  return yaml_error(*file_, found, fmt::format("\"{}\" is info, warning or error", name));
}

Status YamlMap::for_each(std::string_view name,
                         const std::function<Status(const YAML::Node&)>& visit) const {
  const YAML::Node list = node(name);
  if (!list.IsDefined()) return {};
  if (!list.IsSequence()) {
    return yaml_error(*file_, list, fmt::format("\"{}\" must be a list", name));
  }
  for (const YAML::Node& one : list) HOLDFAST_CHECK(visit(one));
  return {};
}

Status YamlMap::for_each_named(
    std::string_view name,
    const std::function<Status(const std::string&, const YAML::Node&)>& visit) const {
  const YAML::Node map = node(name);
  if (!map.IsDefined()) return {};
  if (!map.IsMap()) {
    return yaml_error(*file_, map, fmt::format("\"{}\" must be names with values", name));
  }
  std::set<std::string> seen;
  for (const auto& pair : map) {
    if (!pair.first.IsScalar() || pair.first.Scalar().empty()) {
      return yaml_error(*file_, pair.first, "expected a name");
    }
    if (!seen.insert(pair.first.Scalar()).second) {
      return yaml_error(*file_, pair.first,
                        fmt::format("\"{}\" stands here twice", pair.first.Scalar()));
    }
    HOLDFAST_CHECK(visit(pair.first.Scalar(), pair.second));
  }
  return {};
}

}  // namespace holdfast::profile
