#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/file.h"
#include "cli/near_word.h"
#include "cli/setting.h"

namespace holdfast::cli {
namespace {

/// A configuration is some dozens of lines; more is a mistake (or an attack on the parser).
constexpr std::uint64_t max_file_bytes = 1024U * 1024;

/// Walks the document and collects values; the first error ends it.
class FileWalk {
 public:
  explicit FileWalk(const std::string& path) : path_(path) {
    for (const SettingInfo& info : setting_table()) {
      if (!info.in_file) continue;
      names_.emplace_back(info.name);
      const auto dot = info.name.find('.');
      if (dot != std::string_view::npos) sections_.emplace_back(info.name.substr(0, dot));
    }
  }

  Status walk(const YAML::Node& node, const std::string& prefix) {
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return fail(entry.first, "a key must be a plain word");
      const std::string name = prefix + entry.first.Scalar();
      const int line = entry.first.Mark().line + 1;
      if (!seen_.insert({name, line}).second) {
        return fail(entry.first, "'" + name + "' stands there twice (first on line " +
                                     std::to_string(seen_.at(name)) + ")");
      }
      HOLDFAST_CHECK(take(name, entry.first, entry.second));
    }
    return {};
  }

  SettingValues values() && { return std::move(values_); }

 private:
  Status take(const std::string& name, const YAML::Node& key, const YAML::Node& value) {
    if (std::find(sections_.begin(), sections_.end(), name) != sections_.end()) {
      if (value.IsNull()) return {};
      if (!value.IsMap()) return fail(key, "'" + name + "' holds settings, one a line below it");
      return walk(value, name + ".");
    }
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) return unknown(name, key);
    const SettingInfo& info = setting_named(name);
    SettingValue result{{}, Origin::file, path_ + " line " + std::to_string(key.Mark().line + 1)};
    if (info.kind == SettingKind::list && value.IsSequence()) {
      for (const auto& item : value) {
        if (!item.IsScalar()) return fail(item, "'" + name + "' takes plain values");
        result.values.push_back(item.Scalar());
      }
    } else if (value.IsScalar()) {
      result.values.push_back(value.Scalar());
    } else {
      return fail(key, info.kind == SettingKind::list
                           ? "'" + name + "' takes a value or a list of values"
                           : "'" + name + "' takes one value");
    }
    values_.emplace(name, std::move(result));
    return {};
  }

  Status unknown(const std::string& name, const YAML::Node& key) {
    if (name == "password") {
      return Error(ErrorCode::usage, at(key) + "a password does not belong into this file",
                   "put it into a file of its own (mode 0600) and name that as password_file");
    }
    const auto near = nearest_word(name, names_);
    return Error(ErrorCode::usage, at(key) + "unknown key '" + name + "'",
                 near.empty() ? "docs/reference/settings.md lists all keys"
                              : "did you mean '" + near + "'?");
  }

  Status fail(const YAML::Node& node, const std::string& what) {
    return Error(ErrorCode::usage, at(node) + what);
  }
  std::string at(const YAML::Node& node) {
    return path_ + " line " + std::to_string(node.Mark().line + 1) + ": ";
  }

  const std::string& path_;
  std::vector<std::string> names_;
  std::vector<std::string> sections_;
  std::map<std::string, int> seen_;
  SettingValues values_;
};

}  // namespace

Result<SettingValues> parse_settings_file(std::string_view text, const std::string& path) {
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (root.IsNull() || !root.IsDefined()) return SettingValues{};
    if (!root.IsMap()) {
      return Error(ErrorCode::usage, path + ": expected lines of the form 'key: value'");
    }
    FileWalk walk(path);
    HOLDFAST_CHECK(walk.walk(root, ""));
    return std::move(walk).values();
  } catch (const YAML::Exception& error) {
    return Error(ErrorCode::usage,
                 path + " line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

Result<SettingValues> read_settings_file(const std::string& path) {
  auto content = read_file(path, max_file_bytes);
  if (!content.ok()) return content.error().with_context("the configuration");
  HOLDFAST_TRY(SettingValues values, parse_settings_file(as_text(*content), path));
  return values;
}

}  // namespace holdfast::cli
