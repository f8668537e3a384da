#include "cli/setting.h"

#include <algorithm>
#include <cassert>

#include "cli/secret_input.h"

namespace holdfast::cli {
namespace {

std::vector<SettingInfo> make_table() {
  return {
      {.name = "uri",
       .flag = "--uri",
       .value_name = "URI",
       .variables = {"HOLDFAST_URI", "MONGODB_URI"},
       .file_variables = {"HOLDFAST_URI_FILE", "MONGODB_URI_FILE"},
       .secrecy = SettingSecrecy::uri,
       .help = "The server, mongodb://… ; better in MONGODB_URI or a file if it holds a password"},
      {.name = "uri_file", .value_name = "FILE", .help = "A file that holds the URI"},
      {.name = "repository",
       .flag = "-r,--repository",
       .value_name = "FOLDER",
       .variables = {"HOLDFAST_REPOSITORY", "BACKUP_PATH"},
       .help = "The backup repository"},
      {.name = "password",
       .variables = {"HOLDFAST_PASSWORD"},
       .in_file = false,
       .secrecy = SettingSecrecy::whole,
       .help = "The repository's password"},
      {.name = "password_file",
       .flag = "--password-file",
       .value_name = "FILE",
       .variables = {"HOLDFAST_PASSWORD_FILE"},
       .help = "A file that holds the repository's password (its first line)"},
      {.name = "key_file",
       .flag = "--key-file",
       .value_name = "FILE",
       .variables = {"HOLDFAST_KEY_FILE"},
       .help = "A key file that opens the repository"},
      {.name = "recovery_key_file",
       .flag = "--recovery-key-file",
       .value_name = "FILE",
       .variables = {"HOLDFAST_RECOVERY_KEY_FILE"},
       .in_file = false,
       .help = "A file that holds the recovery key"},
      {.name = "databases",
       .kind = SettingKind::list,
       .flag = "--database",
       .value_name = "NAME",
       .variables = {"HOLDFAST_DATABASES"},
       .help = "A database to back up, repeatable; without it the one that the URI names"},
      {.name = "all_databases",
       .kind = SettingKind::truth,
       .flag = "--all-databases",
       .variables = {"HOLDFAST_ALL_DATABASES"},
       .default_value = "false",
       .help = "Back up every database but admin, config and local"},
      {.name = "backup.collections",
       .kind = SettingKind::list,
       .flag = "--collection",
       .value_name = "GLOB",
       .variables = {"HOLDFAST_BACKUP_COLLECTIONS"},
       .help = "Only these collections (name or database.name, * and ?), repeatable"},
      {.name = "backup.exclude",
       .kind = SettingKind::list,
       .flag = "--exclude",
       .value_name = "GLOB",
       .variables = {"HOLDFAST_BACKUP_EXCLUDE"},
       .help = "Not these collections, repeatable"},
      {.name = "backup.compression",
       .flag = "--compression",
       .value_name = "LEVEL",
       .variables = {"HOLDFAST_BACKUP_COMPRESSION"},
       .default_value = "standard",
       .help = "fast, standard or max",
       .choices = {"fast", "standard", "max"}},
      {.name = "backup.workers",
       .kind = SettingKind::number,
       .flag = "--workers",
       .value_name = "N",
       .variables = {"HOLDFAST_BACKUP_WORKERS"},
       .default_value = "3",
       .help = "Scanning threads, each with one cursor"},
      {.name = "backup.memory_mib",
       .kind = SettingKind::number,
       .flag = "--memory",
       .value_name = "MIB",
       .variables = {"HOLDFAST_BACKUP_MEMORY_MIB"},
       .default_value = "64",
       .help = "MiB for changes and sorting; what is more goes to the spool folder"},
      {.name = "backup.spool_folder",
       .flag = "--spool-folder",
       .value_name = "FOLDER",
       .variables = {"HOLDFAST_BACKUP_SPOOL_FOLDER"},
       .default_value = "/tmp",
       .help = "Where encrypted temporary files go"},
      {.name = "capture.segment_seconds",
       .kind = SettingKind::number,
       .flag = "--segment-seconds",
       .value_name = "N",
       .variables = {"HOLDFAST_CAPTURE_SEGMENT_SECONDS"},
       .default_value = "5",
       .help = "How often changes are stored; sooner when there are many"},
      {.name = "capture.idle_seconds",
       .kind = SettingKind::number,
       .flag = "--idle-seconds",
       .value_name = "N",
       .variables = {"HOLDFAST_CAPTURE_IDLE_SECONDS"},
       .default_value = "60",
       .help = "How often the log's end moves on while nothing changes"},
      {.name = "capture.spool_mib",
       .kind = SettingKind::number,
       .flag = "--spool-mib",
       .value_name = "MIB",
       .variables = {"HOLDFAST_CAPTURE_SPOOL_MIB"},
       .default_value = "1024",
       .help = "MiB of changes that may wait while the repository is away"},
      {.name = "capture.least_headroom_hours",
       .kind = SettingKind::number,
       .flag = "--least-headroom-hours",
       .value_name = "N",
       .variables = {"HOLDFAST_CAPTURE_LEAST_HEADROOM_HOURS"},
       .default_value = "12",
       .help = "Warn if the server's log would outlast an absence of less"},
      {.name = "restore.workers",
       .kind = SettingKind::number,
       .flag = "--workers",
       .value_name = "N",
       .variables = {"HOLDFAST_RESTORE_WORKERS"},
       .default_value = "4",
       .help = "Inserting connections"},
      {.name = "log.level",
       .flag = "--log-level",
       .value_name = "LEVEL",
       .variables = {"HOLDFAST_LOG_LEVEL"},
       .default_value = "warning",
       .help = "debug, info, warning or error",
       .choices = {"debug", "info", "warning", "error"}},
      {.name = "log.format",
       .flag = "--log-format",
       .value_name = "FORMAT",
       .variables = {"HOLDFAST_LOG_FORMAT"},
       .default_value = "text",
       .help = "text or json",
       .choices = {"text", "json"}},
  };
}

/// "a, b,c" → a, b, c; empty parts are dropped.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return parts;
}

/// A variable's or its _FILE's value, in order of preference.
Result<std::optional<SettingValue>> value_from_environment(const SettingInfo& info,
                                                           const Environment& environment) {
  std::optional<SettingValue> found;
  for (std::size_t i = 0; i < info.variables.size(); ++i) {
    const auto variable = std::string(info.variables[i]);
    const auto direct = environment(variable);
    std::optional<std::string> path;
    if (i < info.file_variables.size()) path = environment(info.file_variables[i]);
    const bool has_path = path && !path->empty();
    if (direct && !direct->empty()) {
      if (has_path) {
        return Error(ErrorCode::usage, variable + " and " + variable + "_FILE are both set",
                     "keep one of them");
      }
      found = SettingValue{{*direct}, Origin::environment, variable};
    } else if (has_path) {
      auto text = read_text_secret(*path);
      if (!text.ok()) return text.error().with_context(variable + "_FILE");
      found = SettingValue{{*text}, Origin::environment, variable + "_FILE"};
    }
    if (found) break;
  }
  if (found && info.kind == SettingKind::list) found->values = split_list(found->text());
  return found;
}

}  // namespace

const std::vector<SettingInfo>& setting_table() {
  static const std::vector<SettingInfo> table = make_table();
  return table;
}

const SettingInfo& setting_named(std::string_view name) {
  const auto& table = setting_table();
  const auto at = std::find_if(table.begin(), table.end(),
                               [&](const SettingInfo& info) { return info.name == name; });
  assert(at != table.end());
  return *at;
}

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::standard: return "default";
    case Origin::file: return "file";
    case Origin::environment: return "environment";
    case Origin::flag: return "flag";
  }
  return "default";
}

Result<SettingValues> read_settings_environment(const Environment& environment) {
  SettingValues values;
  for (const SettingInfo& info : setting_table()) {
    HOLDFAST_TRY(auto value, value_from_environment(info, environment));
    if (value) values.emplace(info.name, std::move(*value));
  }
  return values;
}

SettingValues merge_settings(SettingValues stronger, const SettingValues& weaker) {
  // insert keeps what is there.
  stronger.insert(weaker.begin(), weaker.end());
  return stronger;
}

SettingValues default_settings() {
  SettingValues values;
  for (const SettingInfo& info : setting_table()) {
    if (info.default_value.empty()) continue;
    values.emplace(info.name,
                   SettingValue{{std::string(info.default_value)}, Origin::standard, {}});
  }
  return values;
}

}  // namespace holdfast::cli
