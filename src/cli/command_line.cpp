#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "cli/near_word.h"

namespace holdfast::cli {
namespace {

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  std::istringstream stream{std::string(name)};
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool starts_with_words(const std::vector<std::string>& arguments,
                       const std::vector<std::string>& words) {
  return arguments.size() >= words.size() &&
         std::equal(words.begin(), words.end(), arguments.begin());
}

/// Flags may stand before the command too: moved behind it. Returns how many arguments that were.
std::size_t count_leading_options(const std::vector<std::string>& arguments) {
  std::size_t count = 0;
  while (count < arguments.size() && arguments[count].starts_with("-")) {
    const std::string& argument = arguments[count];
    const bool takes_value =
        argument == "--config" || argument == "--log-level" || argument == "--log-format";
    count += takes_value ? 2 : 1;
  }
  return std::min(count, arguments.size());
}

Error unknown_command(const Commands& commands, const std::vector<std::string>& arguments) {
  const std::string& word = arguments.front();
  std::vector<std::string> names;
  std::vector<std::string> in_group;
  for (const auto& command : commands) {
    const auto words = words_of(command->info().name);
    names.push_back(words.front());
    if (words.size() > 1 && words.front() == word) in_group.push_back(words[1]);
  }
  if (!in_group.empty()) {
    if (arguments.size() > 1 && !arguments[1].starts_with("-")) {
      const auto near = nearest_word(arguments[1], in_group);
      return Error(ErrorCode::usage, fmt::format("there is no command '{} {}'", word, arguments[1]),
                   near.empty() ? fmt::format("'{}' has: {}", word, fmt::join(in_group, ", "))
                                : fmt::format("did you mean '{} {}'?", word, near));
    }
    return Error(ErrorCode::usage,
                 fmt::format("'{}' needs one of: {}", word, fmt::join(in_group, ", ")),
                 fmt::format("see 'holdfast {} --help'", word));
  }
  const auto near = nearest_word(word, names);
  return Error(ErrorCode::usage, fmt::format("there is no command '{}'", word),
               near.empty() ? "see 'holdfast --help'" : fmt::format("did you mean '{}'?", near));
}

}  // namespace

CommandOptions::CommandOptions(Command& command)
    : info_(command.info()),
      app_(std::make_unique<CLI::App>(std::string(info_.summary),
                                      "holdfast " + std::string(info_.name))) {
  app_->set_help_flag();
  app_->allow_extras();  // reported by us, with a hint
  app_->option_defaults()->group(own_group);
  command.declare(*app_);
  for (const auto name : info_.settings) {
    const SettingInfo& setting = setting_named(name);
    std::string_view help = setting.help;
    for (const auto& [other, text] : info_.setting_help) {
      if (other == name) help = text;
    }
    declare_setting(setting, help);
  }
  declare_common();
}

CommandOptions::~CommandOptions() = default;

void CommandOptions::declare_setting(const SettingInfo& info, std::string_view help) {
  const std::string flag(info.flag);
  const std::string name(info.name);
  if (info.kind == SettingKind::truth) {
    app_->add_flag(flag, given_truths_[name], std::string(help))->group(settings_group);
    return;
  }
  auto* option = app_->add_option(flag, given_[name], std::string(help))
                     ->type_name(std::string(info.value_name))
                     ->group(settings_group)
                     ->allow_extra_args(false);
  if (info.kind != SettingKind::list) option->expected(1);
}

void CommandOptions::declare_common() {
  app_->add_option("--config", config_, "The configuration file")
      ->type_name("FILE")
      ->group(common_group);
  app_->add_flag("--json", json_, "JSON on standard output, for programs")->group(common_group);
  app_->add_flag("-q,--quiet", quiet_, "No progress and no report; warnings and errors only")
      ->group(common_group);
  for (const auto* name : {"log.level", "log.format"}) {
    const SettingInfo& info = setting_named(name);
    app_->add_option(std::string(info.flag), given_[name], std::string(info.help))
        ->type_name(std::string(info.value_name))
        ->group(common_group)
        ->allow_extra_args(false)
        ->expected(1);
  }
  app_->add_flag("-h,--help", help_, "This text")->group(common_group);
}

Status CommandOptions::parse(const std::vector<std::string>& arguments) {
  // Help wins over whatever else is wrong with the line.
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  // An error in the line is told in JSON, too, if that was asked for.
  json_ = std::find(arguments.begin(), end, "--json") != end;
  if (std::any_of(arguments.begin(), end,
                  [](const std::string& word) { return word == "--help" || word == "-h"; })) {
    help_ = true;
    return {};
  }
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  std::string problem;
  try {
    app_->parse(reversed);
  } catch (const CLI::ParseError& error) {
    problem = error.what();
  }
  if (auto unknown = unknown_argument()) return std::move(*unknown);
  if (!problem.empty()) return explain(problem);
  return {};
}

std::optional<Error> CommandOptions::unknown_argument() const {
  const auto remaining = app_->remaining();
  if (remaining.empty()) return std::nullopt;
  const auto option = std::find_if(remaining.begin(), remaining.end(), [](const std::string& word) {
    return word.size() > 1 && word.starts_with("-");
  });
  if (option == remaining.end()) {
    return explain(fmt::format("unexpected argument '{}'", remaining.front()));
  }
  const std::string name = option->substr(0, option->find('='));
  if (name == "--password" || name == "--recovery-key" || name == "--key") {
    return Error(
        ErrorCode::usage,
        fmt::format("there is no {}: everybody on this machine can read a command line", name),
        "use --password-file, --key-file or --recovery-key-file, or HOLDFAST_PASSWORD");
  }
  std::vector<std::string> known;
  for (const CLI::Option* candidate : app_->get_options()) {
    for (const auto& long_name : candidate->get_lnames()) known.push_back("--" + long_name);
  }
  const auto near = nearest_word(name, known);
  return Error(ErrorCode::usage, fmt::format("unknown option '{}'", name),
               near.empty() ? fmt::format("see 'holdfast {} --help'", info_.name)
                            : fmt::format("did you mean '{}'?", near));
}

Error CommandOptions::explain(const std::string& problem) const {
  return Error(ErrorCode::usage, problem, fmt::format("see 'holdfast {} --help'", info_.name));
}

SettingsInput CommandOptions::settings_input() const {
  SettingsInput input;
  input.recovery_key_opens = info_.recovery_key_opens;
  if (!config_.empty()) input.config_flag = config_;
  const auto take = [&](const std::string& name, std::vector<std::string> values) {
    const std::string_view flag = setting_named(name).flag;
    const std::string shown(flag.substr(flag.find("--")));
    input.flags[name] = SettingValue{std::move(values), Origin::flag, shown};
  };
  for (const auto& [name, values] : given_) {
    if (!values.empty()) take(name, values);
  }
  for (const auto& [name, given] : given_truths_) {
    if (given) take(name, {"true"});
  }
  return input;
}

Result<CommandChoice> choose_command(const Commands& commands,
                                     const std::vector<std::string>& arguments) {
  CommandChoice choice;
  const std::size_t leading = count_leading_options(arguments);
  const std::vector<std::string> options(arguments.begin(),
                                         arguments.begin() + static_cast<std::ptrdiff_t>(leading));
  const std::vector<std::string> rest(arguments.begin() + static_cast<std::ptrdiff_t>(leading),
                                      arguments.end());
  const auto said = [&](const std::vector<std::string>& where, const char* a, const char* b) {
    return std::any_of(where.begin(), where.end(),
                       [&](const std::string& word) { return word == a || word == b; });
  };
  choice.help = said(options, "--help", "-h");
  choice.version = said(options, "--version", "-V");
  std::size_t best = 0;
  for (const auto& command : commands) {
    const auto words = words_of(command->info().name);
    if (words.size() <= best || !starts_with_words(rest, words)) continue;
    best = words.size();
    choice.command = command.get();
  }
  if (choice.command != nullptr) {
    choice.arguments = options;
    choice.arguments.insert(choice.arguments.end(),
                            rest.begin() + static_cast<std::ptrdiff_t>(best), rest.end());
    return choice;
  }
  if (rest.empty()) return choice;
  const Error unknown = unknown_command(commands, rest);
  const bool is_group = std::any_of(commands.begin(), commands.end(), [&](const auto& command) {
    const auto words = words_of(command->info().name);
    return words.size() > 1 && words.front() == rest.front();
  });
  if (is_group && (choice.help || said(rest, "--help", "-h"))) {
    choice.group_word = rest.front();
    choice.help = true;
    return choice;
  }
  return unknown;
}

}  // namespace holdfast::cli
