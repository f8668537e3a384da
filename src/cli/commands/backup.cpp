#include "cli/commands/backup.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "backup/backup.h"
#include "base/text.h"
#include "cli/open.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"

namespace holdfast::cli {
namespace {

class BackupCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "backup",
        .group = "Backups",
        .summary = "Take a snapshot of a live database",
        .description =
            "Reads the database while the application goes on writing and stores it as a snapshot. "
            "On a replica set the snapshot is exact: the state of one moment, to the byte. A "
            "standalone server keeps no log, so there it is best-effort, and says so; 'holdfast "
            "doctor' shows how to change that.\n\n"
            "What is backed up: the databases that --database names, or all with --all-databases, "
            "else the one in the URI; of these every collection, or those that --collection "
            "selects. A snapshot holds documents, indexes, options, validators and views.\n\n"
            "Over an earlier snapshot of the same databases a full backup stores only what "
            "differs, "
            "and audits: a difference that no change in the log explains, or damage of that "
            "snapshot, is reported (exit code 4) and put right in the new one. --independent "
            "shares nothing. --incremental reads only the log since that snapshot, from the "
            "repository where 'holdfast capture' stored it, else from the server; where there is "
            "no log, or it has a gap, everything is read and compared. The events that were read "
            "are kept, so that any moment between can be restored.",
        .examples =
            {{"holdfast backup --uri mongodb://localhost/shop -r /var/backups/shop",
              "The whole database shop."},
             {"holdfast backup --all-databases --tag nightly --quiet",
              "Every database, tagged, silent unless something is wrong; server and repository "
              "come from the environment or the configuration file."},
             {"holdfast backup --collection 'orders*' --collection users --exclude 'orders_tmp*'",
              "Some collections of the URI's database."},
             {"holdfast backup --incremental --quiet",
              "Only what changed since the snapshot before; it reads as a whole one, too."},
             {"holdfast backup --critical 'before the price change'",
              "A snapshot that nothing removes without being told its id."}},
        .settings = {"uri", "repository", "password_file", "key_file", "recovery_key_file",
                     "databases", "all_databases", "backup.collections", "backup.exclude",
                     "backup.compression", "backup.workers", "backup.memory_mib",
                     "backup.spool_folder"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("--tag", tags_, "A word to find it by, repeatable")
        ->type_name("TAG")
        ->allow_extra_args(false);
    app.add_flag("--incremental", incremental_, "Only what changed since the snapshot before");
    app.add_flag("--independent", independent_, "Share nothing with any earlier snapshot");
    app.add_flag("--no-optimize", no_optimize_,
                 "Don't rewrite segments whose patches have grown large");
    app.add_option("--critical", critical_, "Keep it for ever, and why")->type_name("REASON");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
    HOLDFAST_TRY(const auto client, connect(context));
    HOLDFAST_TRY(const backup::BackupOptions options, make_options(context, *client));
    // Its notes are the outcome's warnings: they are shown when they arise.
    if (incremental_ && independent_) {
      return Error(ErrorCode::usage, "an incremental backup shares its parent's segments",
                   "leave out --incremental or --independent");
    }
    ProgressDisplay progress(context.terminal, context.output, context.clock);
    const Result<backup::BackupOutcome> outcome = [&] {
      return backup::run_backup(*client, *repository, options, context.clock, context.random,
                                progress, context.stop);
    }();
    if (!outcome.ok()) return outcome.error();
    const Status optimized = optimize(context, *repository, *outcome, progress);
    // The backup is done; that it could be laid out better can wait for the next one.
    if (!optimized.ok() && optimized.error().code() != ErrorCode::cancelled) {
      context.output.warn("not optimized: " + optimized.error().message());
    }
    report(context, *outcome);
    return outcome->findings.empty() ? ExitCode::done : ExitCode::findings;
  }

 private:
  Result<backup::BackupOptions> make_options(Context& context, const mongo::Client& client) const {
    const Settings& settings = context.settings;
    backup::BackupOptions options;
    options.databases = settings.databases;
    if (options.databases.empty() && !settings.all_databases) {
      const std::string named = data_database(client);
      if (named.empty()) {
        return Error(ErrorCode::usage, "which databases? Neither the URI nor a flag names one",
                     "give --database NAME or --all-databases");
      }
      options.databases = {named};
    }
    options.collections = settings.collections;
    options.exclude = settings.exclude;
    options.kind = incremental_ ? backup::BackupKind::incremental : backup::BackupKind::full;
    options.independent = independent_;
    options.tags = tags_;
    options.critical_reason = critical_;
    options.layout.compression = settings.compression;
    options.workers = settings.backup_workers;
    options.memory_bytes = std::uint64_t{settings.backup_memory_mib} * 1024 * 1024;
    options.spool_folder = settings.spool_folder;
    return options;
  }

  Status optimize(Context& context, repository::Repository& repository,
                  const backup::BackupOutcome& outcome, ProgressSink& progress) const {
    if (no_optimize_ || outcome.summary.parent.empty()) return {};
    repository::OptimizeSettings settings;
    settings.layout.compression = context.settings.compression;
    const auto optimized =
        repository.optimize(outcome.summary.id, settings, progress, context.stop);
    return optimized.ok() ? Status() : optimized.error();
  }

  static void report(Context& context, const backup::BackupOutcome& outcome) {
    const auto& summary = outcome.summary;
    const auto duration = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(outcome.seconds));
    std::string text = fmt::format("snapshot {} of {}\n", summary.id,
                                   sanitize_for_terminal(joined(summary.databases)));
    if (!summary.parent.empty()) {
      text += fmt::format("  {}, over {}{}\n", name_of(summary.kind), summary.parent,
                          outcome.audited ? ", which was audited" : "");
    }
    text += fmt::format("  {}, {}, {} in {}\n", counted(summary.collections, "collection"),
                        counted(summary.documents, "document"),
                        format_bytes(summary.document_bytes), format_duration(duration));
    text += fmt::format("  {} stored\n", format_bytes(summary.stored_bytes));
    text += fmt::format("  {}\n", consistency_text(summary.consistency));
    if (outcome.events > 0) {
      text += fmt::format("  with {} made {}\n", counted(outcome.events, "change"),
                          summary.parent.empty() ? "meanwhile" : "since");
    }
    for (const auto& finding : outcome.findings) {
      text += fmt::format("  FOUND: {}\n", sanitize_for_terminal(finding));
    }
    context.output.report(text);
    context.output.result("holdfast.backup/1",
                          Json{{"snapshot", summary_json(summary)},
                               {"warnings", outcome.warnings},
                               {"findings", outcome.findings},
                               {"audited", outcome.audited},
                               {"order_corrected", outcome.order_corrected},
                               {"events", outcome.events},
                               {"changed_after_scan", outcome.changed_after_scan},
                               {"order_uncertain", outcome.order_uncertain},
                               {"rounds", outcome.rounds},
                               {"scanned_again", outcome.scanned_again},
                               {"reread_documents", outcome.reread_documents},
                               {"seconds", outcome.seconds}});
  }

  std::vector<std::string> tags_;
  std::string critical_;
  bool incremental_ = false;
  bool independent_ = false;
  bool no_optimize_ = false;
};

}  // namespace

std::unique_ptr<Command> make_backup_command() { return std::make_unique<BackupCommand>(); }

}  // namespace holdfast::cli
