#include "cli/commands/completion.h"

#include <CLI/CLI.hpp>

#include "cli/commands/all_commands.h"
#include "cli/completion.h"

namespace holdfast::cli {
namespace {

class CompletionCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "completion",
        .group = "Help",
        .summary = "Print a script that completes what a shell is given",
        .description =
            "Packages install it. By hand: load it in the shell's start file, or put it where "
            "the shell looks for completions.",
        .examples = {{"holdfast completion bash", "The script; 'source' reads it from a file."},
                     {"holdfast completion fish", "For ~/.config/fish/completions."}},
        .settings = {},
        .reads_settings = false,
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("shell", shell_, "bash, zsh or fish")
        ->type_name("SHELL")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    const Shell shell = shell_ == "fish" ? Shell::fish : shell_ == "zsh" ? Shell::zsh : Shell::bash;
    context.terminal.write_out(completion_script(make_all_commands(), shell));
    return ExitCode::done;
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> make_completion_command() { return std::make_unique<CompletionCommand>(); }

}  // namespace holdfast::cli
