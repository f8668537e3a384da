#include "cli/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "base/text.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t help_width = 80;
/// Where the explanations of options begin.
constexpr std::size_t explanation_column = 28;

/// Breaks at spaces; lines after the first are indented. Line breaks in the text are kept.
std::string wrap(std::string_view text, std::size_t indent, std::size_t column) {
  std::string out;
  std::istringstream lines{std::string(text)};
  bool first_line = true;
  for (std::string line; std::getline(lines, line);) {
    if (!first_line) {
      out += "\n" + (line.empty() ? std::string{} : std::string(indent, ' '));
      column = indent;
    }
    first_line = false;
    std::istringstream words{line};
    bool first_word = true;
    for (std::string word; words >> word;) {
      const std::size_t width = display_width(word);
      if (!first_word && column + 1 + width > help_width) {
        out += "\n" + std::string(indent, ' ');
        column = indent;
      } else if (!first_word) {
        out += " ";
        ++column;
      }
      out += word;
      column += width;
      first_word = false;
    }
  }
  return out;
}

std::string option_line(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const auto& name : option.get_lnames()) names += (names.empty() ? "    --" : ", --") + name;
  if (const auto type = value_name(option); !type.empty()) names += " " + type;
  std::string line = "  " + names;
  if (line.size() + 2 > explanation_column) {
    line += "\n" + std::string(explanation_column, ' ');
  } else {
    line.resize(explanation_column, ' ');
  }
  return line + wrap(option.get_description(), explanation_column, explanation_column) + "\n";
}

std::string usage_line(const CommandInfo& info, const CLI::App& app) {
  std::string line = fmt::format("  holdfast {}", info.name);
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    std::string word = value_name(*option);
    if (option->get_items_expected_max() > 1) word += "...";
    line += option->get_required() ? " " + word : " [" + word + "]";
  }
  return line + " [OPTIONS]\n";
}

std::string option_group(const CLI::App& app, const std::string& group) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || option->get_group() != group) continue;
    out += option_line(*option);
  }
  return out;
}

std::string arguments_part(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    std::string line = "  " + value_name(*option);
    line.resize(std::max(explanation_column, line.size() + 2), ' ');
    out += line + wrap(option->get_description(), explanation_column, explanation_column) + "\n";
  }
  return out.empty() ? out : "\nArguments:\n" + out;
}

std::string settings_variables(const CommandInfo& info) {
  std::vector<std::string_view> names;
  for (const auto name : info.settings) {
    if (name == "password_file") names.emplace_back("HOLDFAST_PASSWORD");
    const SettingInfo& setting = setting_named(name);
    names.insert(names.end(), setting.variables.begin(), setting.variables.end());
    names.insert(names.end(), setting.file_variables.begin(), setting.file_variables.end());
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string value_name(const CLI::Option& option) {
  // CLI11 adds the names of checks behind a colon.
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::string overview_help(const Commands& commands, std::string_view group_word) {
  std::string out;
  if (group_word.empty()) {
    out += "holdfast - backs up a live MongoDB, proves that it restores, brings it back\n\n";
    out += "Usage:\n  holdfast COMMAND [ARGUMENTS] [OPTIONS]\n";
  } else {
    out += fmt::format("Usage:\n  holdfast {} COMMAND [ARGUMENTS] [OPTIONS]\n", group_word);
  }
  std::vector<std::string_view> groups;
  for (const auto& command : commands) {
    const auto group = command->info().group;
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  for (const auto group : groups) {
    std::string part;
    for (const auto& command : commands) {
      const CommandInfo info = command->info();
      const bool wanted =
          group_word.empty() || info.name.starts_with(std::string(group_word) + " ");
      if (info.group != group || !wanted) continue;
      part += fmt::format("  {:<17} {}\n", info.name, info.summary);
    }
    if (!part.empty()) out += fmt::format("\n{}:\n{}", group, part);
  }
  if (!group_word.empty()) return out;
  out += "\n'holdfast COMMAND --help' shows a command's options with examples.\n";
  out += "Settings come from flags, then the environment, then the configuration file\n";
  out +=
      fmt::format("({}); 'holdfast config show' names each one's origin.\n", default_config_file);
  out += "\nExit codes:\n";
  for (const ExitCodeInfo& info : exit_codes()) {
    out += fmt::format("  {:>3}  {}\n", static_cast<int>(info.code), info.meaning);
  }
  return out;
}

std::string command_help(Command& command) {
  const CommandInfo info = command.info();
  const CommandOptions options(command);
  std::string out = fmt::format("holdfast {} - {}\n\n", info.name, info.summary);
  out += "Usage:\n" + usage_line(info, options.app());
  if (!info.description.empty()) out += "\n" + wrap(info.description, 0, 0) + "\n";
  out += arguments_part(options.app());
  if (const auto own = option_group(options.app(), own_group); !own.empty()) {
    out += "\nOptions:\n" + own;
  }
  if (const auto settings = option_group(options.app(), settings_group); !settings.empty()) {
    out += "\nSettings (also from the environment and the configuration file):\n" + settings;
    out += wrap("  Environment: " + settings_variables(info), 2, 0) + "\n";
  }
  out += "\nCommon options:\n" + option_group(options.app(), common_group);
  if (!info.examples.empty()) {
    out += "\nExamples:\n";
    for (const Example& example : info.examples) {
      out += fmt::format("  {}\n      {}\n", example.line, wrap(example.explanation, 6, 6));
    }
  }
  return out;
}

}  // namespace holdfast::cli
