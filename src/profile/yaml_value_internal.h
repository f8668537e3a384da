#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::profile {

/// "profile.yaml, line 12: message"
[[nodiscard]] Error yaml_error(const std::string& name, const YAML::Node& node,
                               std::string_view message);
[[nodiscard]] int line_of(const YAML::Node& node);

/// A YAML value as BSON: plain scalars become null, booleans, int32, int64, double or strings as
/// YAML 1.2's core schema has it; quoted ones are strings; maps that are Extended JSON ($date,
/// $oid, $numberDecimal, …) become that type. Errors: usage (names the line).
[[nodiscard]] Result<bson::Value> to_value(const std::string& name, const YAML::Node& node);

/// The node that the names and positions lead to, as far as they do.
[[nodiscard]] YAML::Node follow(const YAML::Node& node, const std::vector<std::string>& path);

}  // namespace holdfast::profile
