#include "cli/man_page.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/help.h"

namespace holdfast::cli {
namespace {

/// Text as troff takes it: no dash becomes a hyphen, no line begins a request.
std::string escaped(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char letter : text) {
    if (line_start && (letter == '.' || letter == '\'')) out += "\\&";
    line_start = letter == '\n';
    switch (letter) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      default: out += letter;
    }
  }
  return out;
}

std::string head(std::string_view command, std::string_view summary) {
  const std::string name = man_page_name(command);
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
  return fmt::format(".TH {} 1 \"\" \"Holdfast {}\" \"Holdfast\"\n.SH NAME\n{} \\- {}\n",
                     escaped(title), HOLDFAST_VERSION, escaped(name), escaped(summary));
}

/// Paragraphs are apart by empty lines.
std::string paragraphs(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    out += line.empty() ? ".PP\n" : escaped(line) + "\n";
    at = end + 1;
  }
  return out;
}

std::string option_part(const CLI::Option& option) {
  std::string names;
  const auto add = [&names](const std::string& name) {
    names += (names.empty() ? "\\fB" : ", \\fB") + escaped(name) + "\\fR";
  };
  for (const auto& name : option.get_snames()) add("-" + name);
  for (const auto& name : option.get_lnames()) add("--" + name);
  const std::string type = value_name(option);
  if (option.get_positional()) {
    names = "\\fI" + escaped(type) + "\\fR";
  } else if (!type.empty()) {
    names += " \\fI" + escaped(type) + "\\fR";
  }
  return ".TP\n" + names + "\n" + paragraphs(option.get_description());
}

std::string options_part(const CLI::App& app, std::string_view heading, std::string_view group) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    const bool wanted = group.empty() ? option->get_positional()
                                      : !option->get_positional() && option->get_group() == group;
    if (wanted) out += option_part(*option);
  }
  return out.empty() ? out : fmt::format(".SH {}\n", heading) + out;
}

std::string synopsis(const CommandInfo& info, const CLI::App& app) {
  std::string line = "\\fBholdfast " + escaped(info.name) + "\\fR";
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    std::string word = "\\fI" + escaped(value_name(*option)) + "\\fR";
    if (option->get_items_expected_max() > 1) word += "...";
    line += option->get_required() ? " " + word : " [" + word + "]";
  }
  return ".SH SYNOPSIS\n" + line + " [\\fIOPTIONS\\fR]\n";
}

std::string exit_codes_part() {
  std::string out = ".SH EXIT STATUS\n";
  for (const ExitCodeInfo& info : exit_codes()) {
    out += fmt::format(".TP\n{}\n{}\n", static_cast<int>(info.code), escaped(info.meaning));
  }
  return out;
}

}  // namespace

std::string man_page_name(std::string_view command) {
  std::string name = "holdfast";
  if (!command.empty()) name += "-" + std::string(command);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string overview_man_page(const Commands& commands) {
  std::string out = head("", "backs up a live MongoDB, proves that it restores, brings it back");
  out += ".SH SYNOPSIS\n\\fBholdfast\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n";
  out += ".SH COMMANDS\nEach has a page of its own, holdfast\\-COMMAND(1).\n";
  for (const auto& command : commands) {
    const CommandInfo info = command->info();
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", escaped(info.name), escaped(info.summary));
  }
  out += ".SH FILES\n.TP\n\\fI" + escaped(default_config_file) +
         "\\fR\nThe configuration; \\fBholdfast config show\\fR names where each setting comes "
         "from: a flag, the environment, or this file.\n";
  return out + exit_codes_part();
}

std::string command_man_page(Command& command) {
  const CommandInfo info = command.info();
  const CommandOptions options(command);
  std::string out = head(info.name, info.summary) + synopsis(info, options.app());
  if (!info.description.empty()) out += ".SH DESCRIPTION\n" + paragraphs(info.description);
  out += options_part(options.app(), "ARGUMENTS", "");
  out += options_part(options.app(), "OPTIONS", own_group);
  out += options_part(options.app(), "SETTINGS", settings_group);
  out += options_part(options.app(), "COMMON OPTIONS", common_group);
  if (!info.examples.empty()) {
    out += ".SH EXAMPLES\n";
    for (const Example& example : info.examples) {
      out +=
          fmt::format(".TP\n\\fB{}\\fR\n{}\n", escaped(example.line), escaped(example.explanation));
    }
  }
  return out + exit_codes_part() + ".SH SEE ALSO\nholdfast(1)\n";
}

}  // namespace holdfast::cli
