#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "cli/setting.h"
#include "repository/settings.h"

namespace holdfast::cli {

/// How a repository is to be opened, as configured: at most one way.
struct KeyChoice {
  enum class Kind { password, password_file, key_file, recovery_key_file };
  Kind kind = Kind::password;
  std::string value;  ///< The password, or the path.
  Origin origin = Origin::standard;
};

/// Everything that is configured, parsed once. Commands read from it and from their own options.
struct Settings {
  std::string uri;         ///< Empty: not set.
  std::string repository;  ///< Empty: not set.
  std::optional<KeyChoice> key;
  /// As configured, whatever `key` is: where `init` writes the recovery key.
  std::string recovery_key_file;
  std::vector<std::string> databases;
  bool all_databases = false;
  std::vector<std::string> collections;
  std::vector<std::string> exclude;
  repository::Compression compression = repository::Compression::standard;
  std::uint32_t backup_workers = 3;
  std::uint32_t backup_memory_mib = 64;
  std::uint32_t capture_segment_seconds = 5;
  std::uint32_t capture_idle_seconds = 60;
  std::uint32_t capture_spool_mib = 1024;
  std::uint32_t capture_least_headroom_hours = 12;
  std::uint32_t restore_workers = 4;
  std::filesystem::path spool_folder = "/tmp";
  LogSettings log;

  std::string config_file;  ///< The file read, or empty.
  SettingValues values;     ///< With their origins, for `config show`.
};

/// The file that is read when none is named, if it exists.
inline constexpr const char* default_config_file = "/etc/holdfast/holdfast.yaml";

struct SettingsInput {
  SettingValues flags = {};
  std::optional<std::string> config_flag = {};
  /// Paths that stand in for `default_config_file` in tests.
  std::string default_file = default_config_file;
  /// Whether a recovery key file opens the repository (for `init` it is an output).
  bool recovery_key_opens = true;
};

/// Flags over environment over file over defaults. Errors: usage (names what and where), and
/// those of reading files.
[[nodiscard]] Result<Settings> resolve_settings(const SettingsInput& input,
                                                const Environment& environment);

/// A value as it may be shown: secrets masked.
[[nodiscard]] std::string shown_value(const SettingInfo& info, const SettingValue& value);

}  // namespace holdfast::cli
