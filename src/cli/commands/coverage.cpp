#include "cli/commands/coverage.h"

#include <CLI/CLI.hpp>

#include "cli/open.h"
#include "cli/show_coverage.h"

namespace holdfast::cli {
namespace {

class CoverageCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "coverage",
        .group = "Backups",
        .summary = "Show which times can be restored",
        .description =
            "For each source and set of databases: the times that can be restored to, which is "
            "any of them where a snapshot and the stored log join, and only the snapshot's own "
            "where no log does; and every gap with its cause. Counted are exact snapshots of "
            "whole databases. Times are the server's; a few seconds at the end may still be on "
            "their way while 'holdfast capture' runs.",
        .examples = {{"holdfast coverage", "Everything in the repository."},
                     {"holdfast coverage --json | jq '.coverage[].gaps'",
                      "The gaps alone, for a monitor."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("--source", source_, "Only this source")->type_name("ID");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(const auto all, read_coverage(*repository, source_));
    std::string text;
    Json list = Json::array();
    for (const auto& coverage : all) {
      text += coverage_text(coverage);
      list.push_back(coverage_json(coverage));
    }
    if (all.empty()) text = "no exact snapshot of whole databases yet: nothing to restore from\n";
    context.output.print(text);
    context.output.document("holdfast.coverage/1", Json{{"coverage", list}});
    return ExitCode::done;
  }

 private:
  std::string source_;
};

}  // namespace

std::unique_ptr<Command> make_coverage_command() { return std::make_unique<CoverageCommand>(); }

}  // namespace holdfast::cli
