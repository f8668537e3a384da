#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/settings.h"

namespace holdfast::cli {

using Commands = std::vector<std::unique_ptr<Command>>;

/// One command's arguments, as CLI11 knows them, and where they go. Kept alive together, since
/// options are bound to members.
class CommandOptions {
 public:
  explicit CommandOptions(Command& command);
  ~CommandOptions();
  CommandOptions(const CommandOptions&) = delete;
  CommandOptions& operator=(const CommandOptions&) = delete;

  /// Errors: usage, with a hint at what was meant.
  [[nodiscard]] Status parse(const std::vector<std::string>& arguments);

  [[nodiscard]] const CLI::App& app() const { return *app_; }
  [[nodiscard]] SettingsInput settings_input() const;
  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] bool quiet() const { return quiet_; }
  [[nodiscard]] bool help() const { return help_; }

 private:
  void declare_common();
  void declare_setting(const SettingInfo& info, std::string_view help);
  [[nodiscard]] Error explain(const std::string& problem) const;
  [[nodiscard]] std::optional<Error> unknown_argument() const;

  CommandInfo info_;
  std::unique_ptr<CLI::App> app_;
  bool json_ = false;
  bool quiet_ = false;
  bool help_ = false;
  std::string config_;
  /// What the flags of settings receive, by setting name; nodes of a map stay where they are.
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
  std::map<std::string, bool, std::less<>> given_truths_;
};

/// Names of the option groups, as headings of help.
inline constexpr const char* own_group = "Options";
inline constexpr const char* settings_group = "Settings";
inline constexpr const char* common_group = "Common options";

/// The command that the first words name, and the arguments that are left for it.
struct CommandChoice {
  Command* command = nullptr;  ///< None: nothing but --help or --version was said.
  std::vector<std::string> arguments;
  /// The words of a group of commands ("snapshot"), if only such were given.
  std::string group_word;
  bool help = false;
  bool version = false;
};

/// Errors: usage (no such command; hints at the nearest).
[[nodiscard]] Result<CommandChoice> choose_command(const Commands& commands,
                                                   const std::vector<std::string>& arguments);

}  // namespace holdfast::cli
