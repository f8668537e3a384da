#include "cli/completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "cli/help.h"

namespace holdfast::cli {
namespace {

/// What an option takes: nothing, a path, or something that no shell can know.
enum class Takes { nothing, path, other };

struct OptionWords {
  std::vector<std::string> names;  ///< With their dashes.
  std::string help;
  Takes takes = Takes::nothing;
};

struct CommandWords {
  std::string name;  ///< May be of two words.
  std::string summary;
  std::vector<OptionWords> options;
  bool takes_path = false;  ///< As an argument.
};

Takes takes_of(const CLI::Option& option) {
  const std::string type = value_name(option);
  if (type.empty() || option.get_items_expected_max() == 0) return Takes::nothing;
  static const std::set<std::string_view> paths = {"FILE", "FOLDER", "PATH", "TARGET",
                                                   "REPOSITORY"};
  return paths.contains(type) ? Takes::path : Takes::other;
}

/// The first line of an explanation.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::vector<CommandWords> words_of(const Commands& commands) {
  std::vector<CommandWords> all;
  for (const auto& command : commands) {
    const CommandInfo info = command->info();
    const CommandOptions options(*command);
    CommandWords words{std::string(info.name), std::string(info.summary), {}, false};
    for (const CLI::Option* option : options.app().get_options()) {
      if (option->get_positional()) {
        words.takes_path = words.takes_path || takes_of(*option) == Takes::path;
        continue;
      }
      OptionWords one{{}, first_line(option->get_description()), takes_of(*option)};
      for (const auto& name : option->get_snames()) one.names.push_back("-" + name);
      for (const auto& name : option->get_lnames()) one.names.push_back("--" + name);
      words.options.push_back(std::move(one));
    }
    all.push_back(std::move(words));
  }
  return all;
}

/// The first words of commands, each once.
std::vector<std::string> first_words(const std::vector<CommandWords>& all) {
  std::set<std::string> words;
  for (const CommandWords& one : all) words.insert(one.name.substr(0, one.name.find(' ')));
  return {words.begin(), words.end()};
}

std::vector<std::string> second_words(const std::vector<CommandWords>& all,
                                      const std::string& first) {
  std::vector<std::string> words;
  for (const CommandWords& one : all) {
    if (one.name.starts_with(first + " ")) words.push_back(one.name.substr(first.size() + 1));
  }
  return words;
}

std::string option_words(const CommandWords& command, Takes takes) {
  std::vector<std::string> names;
  for (const OptionWords& option : command.options) {
    if (option.takes == takes) names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("{}", fmt::join(names, " "));
}

std::string bash_script(const std::vector<CommandWords>& all) {
  std::string out =
      "# Completes holdfast in bash. Made by 'holdfast completion bash'.\n"
      "_holdfast() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command=${COMP_WORDS[1]} flags= paths= others= words=\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n";
  out += fmt::format("    words='{} --help --version'\n", fmt::join(first_words(all), " "));
  out +=
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
      "    return\n"
      "  fi\n"
      "  case $command in\n";
  for (const std::string& first : first_words(all)) {
    const auto second = second_words(all, first);
    if (second.empty()) continue;
    out += fmt::format("    {}) words='{}' ;;\n", first, fmt::join(second, " "));
  }
  out +=
      "  esac\n"
      "  if [[ -n $words ]]; then\n"
      "    if ((COMP_CWORD == 2)) && [[ $word != -* ]]; then\n"
      "      mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
      "      return\n"
      "    fi\n"
      "    [[ \" $words \" == *\" ${COMP_WORDS[2]} \"* ]] && command+=\" ${COMP_WORDS[2]}\"\n"
      "  fi\n"
      "  local arguments=\n"
      "  case $command in\n";
  for (const CommandWords& one : all) {
    out += fmt::format("    '{}')\n      flags='{}'\n      paths='{}'\n      others='{}'\n",
                       one.name, option_words(one, Takes::nothing), option_words(one, Takes::path),
                       option_words(one, Takes::other));
    if (one.takes_path) out += "      arguments=paths\n";
    out += "      ;;\n";
  }
  out +=
      "  esac\n"
      "  if [[ \" $others \" == *\" $before \"* ]]; then\n"
      "    return\n"
      "  fi\n"
      "  if [[ $word == -* && \" $paths \" != *\" $before \"* ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$flags $paths $others\" -- \"$word\")\n"
      "  elif [[ \" $paths \" == *\" $before \"* || $arguments == paths ]]; then\n"
      "    compopt -o filenames 2>/dev/null\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
      "  fi\n"
      "}\n"
      "complete -F _holdfast holdfast\n";
  return out;
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + "'";
}

std::string fish_script(const std::vector<CommandWords>& all) {
  std::string out =
      "# Completes holdfast in fish. Made by 'holdfast completion fish'.\n"
      "complete -c holdfast -f\n";
  for (const std::string& first : first_words(all)) {
    const auto named = std::find_if(all.begin(), all.end(),
                                    [&first](const auto& one) { return one.name == first; });
    out += fmt::format("complete -c holdfast -n __fish_use_subcommand -a {}{}\n", first,
                       named == all.end() ? "" : " -d " + fish_quoted(named->summary));
  }
  for (const CommandWords& one : all) {
    const auto space = one.name.find(' ');
    const std::string first = one.name.substr(0, space);
    std::string when = "__fish_seen_subcommand_from " + first;
    if (space != std::string::npos) {
      const std::string second = one.name.substr(space + 1);
      out += fmt::format("complete -c holdfast -n {} -a {} -d {}\n",
                         fish_quoted(when + "; and test (count (commandline -opc)) -eq 2"), second,
                         fish_quoted(one.summary));
      when += "; and __fish_seen_subcommand_from " + second;
    }
    if (one.takes_path) out += fmt::format("complete -c holdfast -n {} -F\n", fish_quoted(when));
    for (const OptionWords& option : one.options) {
      std::string names;
      for (const std::string& name : option.names) {
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      const std::string_view takes = option.takes == Takes::nothing ? ""
                                     : option.takes == Takes::path  ? " -r -F"
                                                                    : " -x";
      out += fmt::format("complete -c holdfast -n {}{}{} -d {}\n", fish_quoted(when), names, takes,
                         fish_quoted(option.help));
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const Commands& commands, Shell shell) {
  const auto words = words_of(commands);
  switch (shell) {
    case Shell::bash: return bash_script(words);
    case Shell::zsh:
      return "#compdef holdfast\nautoload -U +X bashcompinit && bashcompinit\n" +
             bash_script(words);
    case Shell::fish: return fish_script(words);
  }
  return {};
}

}  // namespace holdfast::cli
