#include "cli/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "cli/secret_input.h"

namespace holdfast::cli {
namespace {

/// More threads than this only get in each other's way.
constexpr std::uint32_t max_workers = 64;
/// Below it sorting degenerates into merging; above it nobody means it.
constexpr std::uint32_t min_memory_mib = 16;
constexpr std::uint32_t max_memory_mib = 1024 * 1024;
/// An hour: what is not stored by then is lost with the server.
constexpr std::uint32_t max_capture_seconds = 3600;
/// A year.
constexpr std::uint32_t max_headroom_hours = 366 * 24;

Error bad_value(std::string_view name, const SettingValue& value, std::string_view expected) {
  const auto& info = setting_named(name);
  return Error(ErrorCode::usage,
               fmt::format("{}: '{}' is not {}", value.where.empty() ? name : value.where,
                           shown_value(info, value), expected));
}

const SettingValue* find(const SettingValues& values, std::string_view name) {
  const auto at = values.find(name);
  return at == values.end() ? nullptr : &at->second;
}

std::string text_of(const SettingValues& values, std::string_view name) {
  const auto* value = find(values, name);
  return value == nullptr ? std::string{} : value->text();
}

std::vector<std::string> list_of(const SettingValues& values, std::string_view name) {
  const auto* value = find(values, name);
  return value == nullptr ? std::vector<std::string>{} : value->values;
}

Status check_choices(const SettingValues& values) {
  for (const SettingInfo& info : setting_table()) {
    const auto* value = find(values, info.name);
    if (value == nullptr || info.choices.empty()) continue;
    if (std::find(info.choices.begin(), info.choices.end(), value->text()) == info.choices.end()) {
      return bad_value(info.name, *value, fmt::format("one of {}", fmt::join(info.choices, ", ")));
    }
  }
  return {};
}

Result<bool> truth_of(const SettingValues& values, std::string_view name) {
  const auto* value = find(values, name);
  if (value == nullptr || value->text() == "false" || value->text() == "0") return false;
  if (value->text() == "true" || value->text() == "1") return true;
  return bad_value(name, *value, "true or false");
}

/// A number between the bounds; every such setting has a default.
Result<std::uint32_t> number_of(const SettingValues& values, std::string_view name,
                                std::uint32_t least, std::uint32_t most) {
  const SettingValue& value = *find(values, name);
  const std::string text = value.text();
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || number < least ||
      number > most) {
    return bad_value(name, value, fmt::format("a number from {} to {}", least, most));
  }
  return number;
}

/// The strongest origin's key; two of the same origin are a contradiction.
Result<std::optional<KeyChoice>> choose_key(const SettingValues& values, bool recovery_key_opens) {
  struct Candidate {
    std::string_view name;
    KeyChoice::Kind kind;
  };
  static constexpr std::array<Candidate, 4> candidates{{
      {"password", KeyChoice::Kind::password},
      {"password_file", KeyChoice::Kind::password_file},
      {"key_file", KeyChoice::Kind::key_file},
      {"recovery_key_file", KeyChoice::Kind::recovery_key_file},
  }};
  std::optional<KeyChoice> chosen;
  std::string chosen_where;
  for (const auto& candidate : candidates) {
    const bool recovery = candidate.kind == KeyChoice::Kind::recovery_key_file;
    if (recovery && !recovery_key_opens) continue;
    const auto* value = find(values, candidate.name);
    if (value == nullptr) continue;
    if (chosen && chosen->origin == value->origin) {
      return Error(
          ErrorCode::usage,
          fmt::format("{} and {} both say how to open the repository", chosen_where, value->where),
          "keep one of them");
    }
    if (chosen && chosen->origin > value->origin) continue;
    chosen = KeyChoice{candidate.kind, value->text(), value->origin};
    chosen_where = value->where;
  }
  return chosen;
}

/// The URI itself, from `uri` or from the file that `uri_file` names; the stronger origin counts.
Status settle_uri(SettingValues& values) {
  const auto* uri = find(values, "uri");
  const auto* file = find(values, "uri_file");
  if (file == nullptr || (uri != nullptr && uri->origin > file->origin)) return {};
  if (uri != nullptr) {
    return Error(ErrorCode::usage, uri->where + " and " + file->where + " both name a server",
                 "keep one of them");
  }
  auto text = read_text_secret(file->text());
  if (!text.ok()) return text.error().with_context(file->where);
  values["uri"] = SettingValue{{*text}, file->origin, file->where + " (uri_file)"};
  return {};
}

repository::Compression compression_of(const std::string& name) {
  if (name == "fast") return repository::Compression::fast;
  if (name == "max") return repository::Compression::max;
  return repository::Compression::standard;
}

LogLevel log_level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "error") return LogLevel::error;
  return LogLevel::warning;
}

/// A flag that says one database must not be widened by a weaker "all", and the reverse.
Status settle_databases(Settings& settings) {
  const auto* names = find(settings.values, "databases");
  const auto* all = find(settings.values, "all_databases");
  if (names == nullptr || !settings.all_databases) return {};
  if (names->origin == all->origin) {
    return Error(ErrorCode::usage,
                 fmt::format("{} and {} exclude each other", names->where, all->where));
  }
  if (names->origin > all->origin) {
    settings.all_databases = false;
  } else {
    settings.databases.clear();
  }
  return {};
}

/// TMPDIR is everybody's variable, so it is only a default, below the file.
void settle_spool_folder(SettingValues& values, const Environment& environment) {
  const auto* folder = find(values, "backup.spool_folder");
  const auto variable = environment("TMPDIR");
  if (folder->origin != Origin::standard || !variable || variable->empty()) return;
  values["backup.spool_folder"] = SettingValue{{*variable}, Origin::environment, "TMPDIR"};
}

Result<SettingValues> read_file_layer(const SettingsInput& input, const Environment& environment,
                                      std::string& config_file) {
  std::optional<std::string> named = input.config_flag;
  if (!named) {
    const auto variable = environment("HOLDFAST_CONFIG");
    if (variable && !variable->empty()) named = variable;
  }
  // A folder that this user may not enter counts as one without a file.
  std::error_code ignored;
  if (!named && !std::filesystem::exists(input.default_file, ignored)) return SettingValues{};
  config_file = named.value_or(input.default_file);
  auto values = read_settings_file(config_file);
  if (!named && !values.ok()) return values.error().with_hint("--config names another file");
  return values;
}

}  // namespace

Result<Settings> resolve_settings(const SettingsInput& input, const Environment& environment) {
  Settings settings;
  HOLDFAST_TRY(const SettingValues file, read_file_layer(input, environment, settings.config_file));
  HOLDFAST_TRY(const SettingValues variables, read_settings_environment(environment));
  settings.values = merge_settings(merge_settings(merge_settings(input.flags, variables), file),
                                   default_settings());
  SettingValues& values = settings.values;
  HOLDFAST_CHECK(settle_uri(values));
  HOLDFAST_CHECK(check_choices(values));
  settle_spool_folder(values, environment);

  settings.uri = text_of(values, "uri");
  settings.repository = text_of(values, "repository");
  settings.recovery_key_file = text_of(values, "recovery_key_file");
  settings.databases = list_of(values, "databases");
  settings.collections = list_of(values, "backup.collections");
  settings.exclude = list_of(values, "backup.exclude");
  settings.compression = compression_of(text_of(values, "backup.compression"));
  settings.spool_folder = text_of(values, "backup.spool_folder");
  settings.log.level = log_level_of(text_of(values, "log.level"));
  settings.log.format = text_of(values, "log.format") == "json" ? LogFormat::json : LogFormat::text;
  HOLDFAST_TRY(settings.all_databases, truth_of(values, "all_databases"));
  HOLDFAST_TRY(settings.backup_workers, number_of(values, "backup.workers", 1, max_workers));
  HOLDFAST_TRY(settings.backup_memory_mib,
               number_of(values, "backup.memory_mib", min_memory_mib, max_memory_mib));
  HOLDFAST_TRY(settings.capture_segment_seconds,
               number_of(values, "capture.segment_seconds", 1, max_capture_seconds));
  HOLDFAST_TRY(settings.capture_idle_seconds,
               number_of(values, "capture.idle_seconds", 1, max_capture_seconds));
  HOLDFAST_TRY(settings.capture_spool_mib,
               number_of(values, "capture.spool_mib", min_memory_mib, max_memory_mib));
  HOLDFAST_TRY(settings.capture_least_headroom_hours,
               number_of(values, "capture.least_headroom_hours", 1, max_headroom_hours));
  HOLDFAST_TRY(settings.restore_workers, number_of(values, "restore.workers", 1, max_workers));
  HOLDFAST_TRY(settings.key, choose_key(values, input.recovery_key_opens));
  HOLDFAST_CHECK(settle_databases(settings));
  return settings;
}

std::string shown_value(const SettingInfo& info, const SettingValue& value) {
  if (info.secrecy == SettingSecrecy::whole) return "***";
  std::string text = fmt::format("{}", fmt::join(value.values, ", "));
  return info.secrecy == SettingSecrecy::uri ? mask_uri(text) : text;
}

}  // namespace holdfast::cli
