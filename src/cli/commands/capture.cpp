#include "cli/commands/capture.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "changelog/capture.h"
#include "cli/capture_scope.h"
#include "cli/open.h"
#include "cli/parse_cluster_time.h"
#include "cli/parse_time.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "mongo/catalog.h"

namespace holdfast::cli {
namespace {

Json gap_json(const repository::LogGap& gap) {
  return Json{{"since", json_time(wall_time_of(gap.since))}, {"cause", gap.cause}};
}

class CaptureCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "capture",
        .group = "Backups",
        .summary = "Store every change, so that any moment can be restored",
        .description =
            "Runs until it is stopped and stores the changes of the database as log, every few "
            "seconds. It goes on where the log ends, else behind the newest exact snapshot. "
            "Through elections, restarts and cut connections it waits, and while the repository "
            "is away changes wait in an encrypted spool, then in the server's own log. If the "
            "server no longer has what comes next, that is recorded as a gap, reported, and "
            "capture goes on from now; exit code 13 tells of it at the end.\n\n"
            "Stopped by SIGINT or SIGTERM it stores what it has. Only one capture of the same "
            "databases may run: a second one ends with exit code 11. A standalone server keeps no "
            "log to capture.",
        .examples = {{"holdfast capture --uri mongodb://localhost/shop -r /var/backups/shop",
                      "Until it is stopped; most likely as a service."},
                     {"holdfast capture --once --quiet",
                      "Everything up to now, then end: for cron, every minute."}},
        .settings = {"uri", "repository", "password_file", "key_file", "recovery_key_file",
                     "databases", "all_databases", "backup.spool_folder", "capture.segment_seconds",
                     "capture.idle_seconds", "capture.spool_mib"},
        .setting_help = {{"databases", "A database to capture, repeatable; else the URI's"},
                         {"all_databases", "Capture every database, later ones included"}},
    };
  }

  void declare(CLI::App& app) override {
    app.add_flag("--once", once_, "Store everything up to now and end");
    app.add_option("--duration", duration_, "End after so long (30s, 5m, 2h)")->type_name("TIME");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(changelog::CaptureOptions options, make_options(context));
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
    HOLDFAST_TRY(const auto client, connect(context));
    HOLDFAST_TRY(const CaptureScope scope, capture_scope(context, *client));
    options.source = scope.source;
    options.databases = scope.databases;
    HOLDFAST_TRY(options.marker_database, marker_database(*client, scope));
    const std::string what = scope.databases.empty() ? "all databases" : joined(scope.databases);
    context.output.report(fmt::format("capturing {} of {}\n", sanitize_for_terminal(what),
                                      sanitize_for_terminal(scope.source)));
    const auto outcome = [&] {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      return changelog::run_capture(
          *client, *repository, options, context.clock, context.random, progress,
          [&context](const changelog::StoredStretch& stored) { tell(context, stored); },
          context.stop);
    }();
    if (!outcome.ok()) return outcome.error();
    report(context, *outcome);
    if (outcome->stopped) return Error(ErrorCode::cancelled, "stopped");
    return outcome->gaps.empty() ? ExitCode::done : ExitCode::gap;
  }

 private:
  Result<changelog::CaptureOptions> make_options(const Context& context) const {
    if (once_ && !duration_.empty()) {
      return Error(ErrorCode::usage, "--once and --duration exclude each other");
    }
    changelog::CaptureOptions options;
    const Settings& settings = context.settings;
    options.spool_folder = settings.spool_folder;
    options.segment_interval = std::chrono::seconds(settings.capture_segment_seconds);
    options.idle_interval = std::chrono::seconds(settings.capture_idle_seconds);
    options.most_spool_bytes = std::uint64_t{settings.capture_spool_mib} * 1024 * 1024;
    if (once_) options.duration = std::chrono::milliseconds(0);
    if (!duration_.empty()) {
      HOLDFAST_TRY(options.duration, parse_duration(duration_));
    }
    return options;
  }

  static Result<std::string> marker_database(mongo::Client& client, const CaptureScope& scope) {
    if (!scope.databases.empty()) return scope.databases.front();
    HOLDFAST_TRY(const auto all, mongo::list_databases(client));
    if (all.empty()) {
      return Error(ErrorCode::precondition, "the server has no database yet",
                   "begin to capture once there is one");
    }
    return all.front();
  }

  /// A line a stretch for programs; people see what went wrong, and a report at the end.
  static void tell(Context& context, const changelog::StoredStretch& stored) {
    context.output.line(Json{{"type", "stored"},
                             {"segments", stored.segments},
                             {"events", stored.events},
                             {"stored_bytes", stored.stored_bytes},
                             {"end", stored.end.time.text()},
                             {"end_time", json_time(wall_time_of(stored.end.time))}});
  }

  static void report(Context& context, const changelog::CaptureOutcome& outcome) {
    std::string text =
        fmt::format("stored {} of the log: {}, {} in {}\n", counted(outcome.segments, "segment"),
                    counted(outcome.events, "change"), format_bytes(outcome.event_bytes),
                    format_bytes(outcome.stored_bytes));
    text += fmt::format("the log reaches up to {} ({})\n",
                        shown_time(wall_time_of(outcome.end.time)), outcome.end.time.text());
    if (!outcome.gaps.empty()) {
      text += fmt::format("{} recorded: see 'holdfast coverage'\n",
                          counted(outcome.gaps.size(), "gap"));
    }
    outcome.gaps.empty() ? context.output.report(text) : context.output.print(text);
    Json gaps = Json::array();
    for (const auto& gap : outcome.gaps) gaps.push_back(gap_json(gap));
    context.output.result("holdfast.capture/1",
                          Json{{"segments", outcome.segments},
                               {"events", outcome.events},
                               {"event_bytes", outcome.event_bytes},
                               {"stored_bytes", outcome.stored_bytes},
                               {"begin", outcome.begin.time.text()},
                               {"end", outcome.end.time.text()},
                               {"end_time", json_time(wall_time_of(outcome.end.time))},
                               {"gaps", gaps},
                               {"stopped", outcome.stopped}});
  }

  bool once_ = false;
  std::string duration_;
};

}  // namespace

std::unique_ptr<Command> make_capture_command() { return std::make_unique<CaptureCommand>(); }

}  // namespace holdfast::cli
