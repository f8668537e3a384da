#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::cli {

/// What kind of value a setting takes.
enum class SettingKind {
  text,
  list,    ///< Several values; in the environment separated by commas.
  truth,   ///< A flag without value; elsewhere true or false.
  number,  ///< A positive integer.
};

/// How a value may be shown.
enum class SettingSecrecy {
  open,
  uri,    ///< Its password is masked.
  whole,  ///< Never shown.
};

/// One setting: its name in the file, its flag, its variables. The table of all of them is the
/// only place that knows these.
struct SettingInfo {
  std::string_view name;  ///< As in the file; "backup.workers" is `workers` under `backup`.
  SettingKind kind = SettingKind::text;
  /// As CLI11 declares it, "--repository,-r"; empty: no flag (a secret).
  std::string_view flag = {};
  std::string_view value_name = {};  ///< "URI", for help
  /// In order of preference.
  std::vector<std::string_view> variables = {};
  /// Variables that name a file which holds the value.
  std::vector<std::string_view> file_variables = {};
  bool in_file = true;
  SettingSecrecy secrecy = SettingSecrecy::open;
  std::string_view default_value = {};
  std::string_view help = {};
  /// Allowed values, if only some are.
  std::vector<std::string_view> choices = {};
};

/// All settings, in the order in which `config show` lists them.
[[nodiscard]] const std::vector<SettingInfo>& setting_table();
/// The entry of that name; asserts that there is one.
[[nodiscard]] const SettingInfo& setting_named(std::string_view name);

/// Where a value came from. A larger number wins.
enum class Origin { standard = 0, file = 1, environment = 2, flag = 3 };
[[nodiscard]] std::string_view name_of(Origin origin);

struct SettingValue {
  std::vector<std::string> values;
  Origin origin = Origin::standard;
  /// "--uri", "MONGODB_URI", "/etc/holdfast/holdfast.yaml line 3"; empty for a default.
  std::string where;

  [[nodiscard]] std::string text() const { return values.empty() ? std::string{} : values.front(); }
};

/// Values by setting name. A setting without an entry is not set and has no default.
using SettingValues = std::map<std::string, SettingValue, std::less<>>;

/// The environment, as a lookup; an empty variable counts as not set.
using Environment = std::function<std::optional<std::string>(std::string_view)>;

/// Reads a configuration file (YAML). Errors: those of reading, usage (unknown or repeated key,
/// wrong kind of value; names the line).
[[nodiscard]] Result<SettingValues> read_settings_file(const std::string& path);
/// The same of text; `path` is for messages.
[[nodiscard]] Result<SettingValues> parse_settings_file(std::string_view text,
                                                        const std::string& path);

/// Reads the variables. Errors: usage (a variable and its _FILE at once), those of reading.
[[nodiscard]] Result<SettingValues> read_settings_environment(const Environment& environment);

/// `stronger` over `weaker` over the defaults.
[[nodiscard]] SettingValues merge_settings(SettingValues stronger, const SettingValues& weaker);
[[nodiscard]] SettingValues default_settings();

}  // namespace holdfast::cli
