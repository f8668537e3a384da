#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "profile/profile.h"

namespace holdfast::profile {

/// A map of which the names are known. Every error names the file and the line.
class YamlMap {
 public:
  /// Errors: usage (no map, an unknown or repeated name).
  [[nodiscard]] static Result<YamlMap> of(const std::string& file, const YAML::Node& node,
                                          std::initializer_list<std::string_view> names);

  /// Undefined if it is not there.
  [[nodiscard]] YAML::Node node(std::string_view name) const;
  /// A text that must be there and is not empty.
  [[nodiscard]] Result<std::string> text(std::string_view name) const;
  /// A list of texts, or one; must be there.
  [[nodiscard]] Result<std::vector<std::string>> texts(std::string_view name) const;
  /// false where it is not there.
  [[nodiscard]] Result<bool> truth(std::string_view name) const;
  [[nodiscard]] Result<std::optional<std::uint64_t>> number(std::string_view name) const;
  /// error where it is not there.
  [[nodiscard]] Result<Severity> severity(std::string_view name) const;
  /// Each item of a list, each entry of a map; nothing where it is not there.
  [[nodiscard]] Status for_each(std::string_view name,
                                const std::function<Status(const YAML::Node&)>& visit) const;
  [[nodiscard]] Status for_each_named(
      std::string_view name,
      const std::function<Status(const std::string&, const YAML::Node&)>& visit) const;

 private:
  YamlMap(const std::string& file, const YAML::Node& node) : file_(&file), node_(node) {}
  const std::string* file_;
  YAML::Node node_;
};

}  // namespace holdfast::profile
