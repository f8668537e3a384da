#include "cli/commands/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands/all_commands.h"
#include "cli/help.h"

namespace holdfast::cli {
namespace {

class HelpCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "help",
        .group = "Help",
        .summary = "Show all commands, or one command's options and examples",
        .description =
            "Without a name it lists the commands and the exit codes; with one it shows "
            "the same as that command's --help.",
        .examples = {{"holdfast help restore", "Options and examples of restore."},
                     {"holdfast help snapshot tag", "Names of two words are written as they are."}},
        .settings = {},
        .reads_settings = false,
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("command", words_, "A command's name")->type_name("COMMAND");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    const Commands commands = make_all_commands();
    if (words_.empty()) {
      context.terminal.write_out(overview_help(commands));
      return ExitCode::done;
    }
    std::vector<std::string> arguments = words_;
    arguments.emplace_back("--help");
    HOLDFAST_TRY(const CommandChoice choice, choose_command(commands, arguments));
    if (choice.command == nullptr) {
      context.terminal.write_out(overview_help(commands, choice.group_word));
      return ExitCode::done;
    }
    if (choice.arguments.size() > 1) {
      return Error(ErrorCode::usage,
                   fmt::format("there is no command '{}'", fmt::join(words_, " ")),
                   "see 'holdfast help'");
    }
    context.terminal.write_out(command_help(*choice.command));
    return ExitCode::done;
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_help_command() { return std::make_unique<HelpCommand>(); }

}  // namespace holdfast::cli
