#include "cli/commands/version.h"

#include <fmt/format.h>

#include "repository/header.h"

namespace holdfast::cli {
namespace {

class VersionCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "version",
        .group = "Help",
        .summary = "Show the version",
        .description = "Shows this program's version and the newest repository format it knows.",
        .examples = {{"holdfast version --json", "For programs."}},
        .settings = {},
        .reads_settings = false,
    };
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    context.output.print(fmt::format("holdfast {}\nrepository format {}\n", HOLDFAST_VERSION,
                                     repository::repository_format));
    context.output.document(
        "holdfast.version/1",
        Json{{"version", HOLDFAST_VERSION}, {"repository_format", repository::repository_format}});
    return ExitCode::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_version_command() { return std::make_unique<VersionCommand>(); }

}  // namespace holdfast::cli
