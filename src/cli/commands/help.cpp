#include "cli/commands/help.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/file.h"
#include "cli/commands/all_commands.h"
#include "cli/help.h"
#include "cli/man_page.h"

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
            "the same as that command's --help. With --man it is a manual page instead.",
        .examples = {{"holdfast help restore", "Options and examples of restore."},
                     {"holdfast help snapshot tag", "Names of two words are written as they are."},
                     {"holdfast help restore --man | man -l -", "The manual page of restore."}},
        .settings = {},
        .reads_settings = false,
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("command", words_, "A command's name")->type_name("COMMAND");
    app.add_flag("--man", man_, "Print a manual page, for man(1)")->group(own_group);
    app.add_option("--man-folder", man_folder_,
                   "Write the manual pages of all commands into this folder, which exists")
        ->type_name("FOLDER")
        ->group(own_group);
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    const Commands commands = make_all_commands();
    if (!man_folder_.empty()) return write_man_pages(commands);
    if (words_.empty()) {
      context.terminal.write_out(man_ ? overview_man_page(commands) : overview_help(commands));
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
    context.terminal.write_out(man_ ? command_man_page(*choice.command)
                                    : command_help(*choice.command));
    return ExitCode::done;
  }

 private:
  [[nodiscard]] Result<ExitCode> write_man_pages(const Commands& commands) const {
    const auto write = [this](const std::string& name, const std::string& page) -> Status {
      const auto path = std::filesystem::path(man_folder_) / (name + ".1");
      HOLDFAST_TRY(FileDescriptor file,
                   open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644, "write"));
      HOLDFAST_CHECK(write_all(file.get(), as_bytes(page), path));
      return file.close(path);
    };
    HOLDFAST_CHECK(write("holdfast", overview_man_page(commands)));
    for (const auto& command : commands) {
      HOLDFAST_CHECK(write(man_page_name(command->info().name), command_man_page(*command)));
    }
    return ExitCode::done;
  }

  std::vector<std::string> words_;
  bool man_ = false;
  std::string man_folder_;
};

}  // namespace

std::unique_ptr<Command> make_help_command() { return std::make_unique<HelpCommand>(); }

}  // namespace holdfast::cli
