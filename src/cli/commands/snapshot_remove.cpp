#include "cli/commands/snapshot_remove.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/open.h"
#include "cli/show_snapshot.h"

namespace holdfast::cli {
namespace {

class SnapshotRemoveCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "snapshot remove",
        .group = "Backups",
        .summary = "Remove a snapshot for good",
        .description =
            "Removes a snapshot. What no other snapshot uses becomes garbage; an authenticated "
            "tombstone stays, so that a removal is never mistaken for damage. It asks, or wants "
            "--yes. A critical snapshot is removed only if its whole id is typed, or given by "
            "--confirm.",
        .examples = {{"holdfast snapshot remove 3f0a91c2", "Asks before it removes it."},
                     {"holdfast snapshot remove 3f0a91c2d4e5b677 --confirm 3f0a91c2d4e5b677",
                      "A critical one, in a script."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("snapshot", snapshot_, "Its id, or the first digits of it")
        ->type_name("SNAPSHOT")
        ->required();
    app.add_flag("-y,--yes", yes_, "Don't ask");
    app.add_option("--confirm", confirm_, "The whole id, for a critical snapshot")->type_name("ID");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    if (snapshot_ == "latest") {
      return Error(ErrorCode::usage, "name the snapshot to remove by its id",
                   "a new backup could become 'latest' meanwhile");
    }
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
    HOLDFAST_TRY(const auto manifest, repository->manifest(snapshot_));
    const auto& summary = manifest.summary;
    HOLDFAST_CHECK(agree(context, summary));
    HOLDFAST_CHECK(repository->remove_snapshot(summary.id));
    context.output.report(fmt::format("snapshot {} removed\n", summary.id));
    context.output.document("holdfast.snapshot-remove/1", Json{{"id", summary.id}});
    return ExitCode::done;
  }

 private:
  Status agree(Context& context, const repository::SnapshotSummary& summary) const {
    if (!confirm_.empty() && confirm_ != summary.id) {
      return Error(ErrorCode::usage,
                   fmt::format("--confirm {} is not the id of {}", confirm_, summary.id));
    }
    if (!confirm_.empty()) return {};
    const std::string about =
        fmt::format("Snapshot {} of {} ({}, {} documents)", summary.id,
                    sanitize_for_terminal(joined(summary.databases)), shown_time(summary.finished),
                    format_count(summary.documents));
    if (summary.critical_reason.empty()) {
      return confirm(context, yes_, about + " will be gone for good.");
    }
    if (!context.terminal.can_ask()) {
      return Error(ErrorCode::usage,
                   fmt::format("{} is critical: {}", about, summary.critical_reason),
                   fmt::format("say --confirm {}", summary.id));
    }
    HOLDFAST_TRY(const std::string answer,
                 context.terminal.ask(
                     fmt::format("{} is critical: {}\nType its id to remove it for good: ", about,
                                 sanitize_for_terminal(summary.critical_reason)),
                     context.stop));
    if (answer == summary.id) return {};
    return Error(ErrorCode::precondition, "that is not its id; nothing was removed");
  }

  std::string snapshot_;
  std::string confirm_;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_snapshot_remove_command() {
  return std::make_unique<SnapshotRemoveCommand>();
}

}  // namespace holdfast::cli
