#include "cli/commands/snapshot_create.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/moment_flags.h"
#include "cli/open.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"

namespace holdfast::cli {
namespace {

class SnapshotCreateCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "snapshot create",
        .group = "Backups",
        .summary = "Keep a moment of the log as a snapshot",
        .description =
            "Folds the newest snapshot before a moment and the log up to it, inside the "
            "repository, "
            "and keeps the result as a snapshot: it can be shown, verified and restored like any "
            "other, also after the log that led to it is gone. It stores only what differs from "
            "the "
            "snapshot before. No server is read (one is asked for its clock where the moment is "
            "given as '… ago').",
        .examples =
            {{"holdfast snapshot create --at 2026-11-23T09:14:14+03:30 --tag before-import",
              "That second, under a tag."},
             {"holdfast snapshot create --before 1795438377:12 --critical 'last good state'",
              "Just before an event that 'holdfast log' showed, kept for ever."}},
        .settings = {"uri", "repository", "password_file", "key_file", "recovery_key_file",
                     "backup.compression", "backup.memory_mib", "backup.spool_folder"},
    };
  }

  void declare(CLI::App& app) override {
    moment_.declare(app, false);
    app.add_option("--tag", options_.tags, "A word to find it by, repeatable")
        ->type_name("TAG")
        ->allow_extra_args(false);
    app.add_option("--critical", options_.critical_reason, "Keep it for ever, and why")
        ->type_name("REASON");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    if (!moment_.given()) {
      return Error(ErrorCode::usage, "which moment?", "say --at TIME or --before EVENT");
    }
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
    std::unique_ptr<mongo::Client> client;
    if (moment_.needs_server_clock()) {
      HOLDFAST_TRY(client, connect(context));
    }
    const auto made = [&] {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      return moment_.make(context, *repository, client.get(), options_, progress);
    }();
    if (!made.ok()) return made.error();
    for (const auto& warning : made->outcome.warnings) context.output.warn(warning);
    const auto& summary = made->outcome.summary;
    context.output.report(fmt::format(
        "{}snapshot {} of {}\n  {}, {}\n  {} stored\n  {}\n", moment_text(*made), summary.id,
        sanitize_for_terminal(joined(summary.databases)),
        counted(summary.collections, "collection"), counted(summary.documents, "document"),
        format_bytes(summary.stored_bytes), consistency_text(summary.consistency)));
    Json document{{"snapshot", summary_json(summary)}, {"moment", moment_json(*made)}};
    context.output.result("holdfast.snapshot-create/1", document);
    return ExitCode::done;
  }

 private:
  MomentFlags moment_;
  timetravel::MomentOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_snapshot_create_command() {
  return std::make_unique<SnapshotCreateCommand>();
}

}  // namespace holdfast::cli
