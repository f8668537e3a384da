#include "cli/commands/key_remove.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/open.h"

namespace holdfast::cli {
namespace {

class KeyRemoveCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "key remove",
        .group = "Repository",
        .summary = "Remove a key",
        .description =
            "Removes one key; the last one cannot be removed. Whoever kept a copy of the "
            "repository from before can still open that copy with it.",
        .examples = {{"holdfast key remove 3f0a91c2d4e5b677 -r /var/backups/shop",
                      "Asks before it removes that key; 'holdfast key list' shows the ids."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("key", key_, "Its id, as 'holdfast key list' shows it")
        ->type_name("KEY")
        ->required();
    app.add_flag("-y,--yes", yes_, "Don't ask");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
    HOLDFAST_CHECK(confirm(
        context, yes_,
        fmt::format("Key {} will not open {} any more.", key_, context.settings.repository)));
    HOLDFAST_CHECK(repository->remove_key(key_));
    context.output.report(fmt::format("key {} removed\n", key_));
    context.output.document("holdfast.key-remove/1", Json{{"id", key_}});
    return ExitCode::done;
  }

 private:
  std::string key_;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_key_remove_command() { return std::make_unique<KeyRemoveCommand>(); }

}  // namespace holdfast::cli
