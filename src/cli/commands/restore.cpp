#include "cli/commands/restore.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "cli/commands/restore_report.h"
#include "cli/moment_flags.h"
#include "cli/open.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "dataset/selection.h"
#include "restore/restore.h"
#include "service/safety_snapshot.h"

namespace holdfast::cli {
namespace {

class RestoreCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "restore",
        .group = "Backups",
        .summary = "Bring a snapshot back to a server",
        .description =
            "Writes a snapshot into a server: the same or another one, under the same database "
            "names or another (--as). Nothing that exists is touched unless --drop or --merge "
            "says so. --drop writes beside the old collection and renames over it when the new "
            "one is complete; --in-place drops first, for when space is short, after it has "
            "checked every byte and taken a critical snapshot of what will go.\n\n"
            "Instead of a snapshot a moment may be named, --at TIME or --before EVENT: the newest "
            "snapshot before it and the log are folded inside the repository, and the result is "
            "restored like any other. Outside of what 'holdfast coverage' shows the exit code is "
            "13. --without leaves events out and keeps what came after them; it restores under "
            "another name (the database's with _recovered) unless --as, --drop or --merge says "
            "otherwise.\n\n"
            "At the end everything is read back from the server and compared with the snapshot. "
            "Exit code 0 means identical; 3: the server refused documents, which are named; 4: "
            "something differs. An interrupted restore can be run again.",
        .examples = {{"holdfast restore latest --as shop_check",
                      "The newest snapshot beside the live database, under another name."},
                     {"holdfast restore latest --drop --dry-run",
                      "What would be replaced? Changes nothing."},
                     {"holdfast restore 3f0a91c2 --collection users --drop --yes",
                      "One collection, replaced without asking."},
                     {"holdfast restore --at 2026-11-23T09:14:14+03:30 --as shop_before",
                      "The state of that second, under another name."},
                     {"holdfast restore --without 'op=delete ns=shop.users "
                      "time=2026-11-23T09:00:00Z..2026-11-23T09:05:00Z' --dry-run",
                      "Everything up to now but those deletions: what would it restore?"},
                     {"holdfast restore latest --merge --on-conflict keep --collection 'orders*'",
                      "Bring back missing documents; what is there stays as it is."}},
        .settings = {"uri", "repository", "password_file", "key_file", "recovery_key_file",
                     "restore.workers", "backup.memory_mib", "backup.spool_folder"},
        .setting_help = {{"uri", "The server to write to, mongodb://…"}},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("snapshot", snapshot_, "Its id, the first digits of it, or 'latest'")
        ->type_name("SNAPSHOT");
    moment_.declare(app, true);
    app.add_option("--as", options_.as_database, "Restore under this database name")
        ->type_name("DATABASE");
    app.add_option("--collection", options_.collections,
                   "Only these collections (name or database.name, * and ?), repeatable")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    app.add_option("--exclude", options_.exclude, "Not these collections, repeatable")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    auto* drop = app.add_flag("--drop", drop_, "Replace collections that exist");
    auto* merge = app.add_flag("--merge", merge_, "Add to collections that exist");
    drop->excludes(merge);
    app.add_option("--on-conflict", on_conflict_,
                   "With --merge, where both have an _id: fail (default), keep or replace")
        ->type_name("RULE")
        ->check(CLI::IsMember({"fail", "keep", "replace"}))
        ->needs(merge);
    auto* in_place = app.add_flag("--in-place", options_.in_place,
                                  "With --drop: drop first instead of renaming over");
    in_place->needs(drop);
    app.add_flag("--no-safety-snapshot", no_safety_snapshot_,
                 "Don't save what --drop drops before its successor is there")
        ->needs(drop);
    app.add_flag("--no-compare", no_compare_, "Don't read back and compare");
    app.add_flag("--dry-run", dry_run_, "Print the plan and change nothing");
    app.add_flag("-y,--yes", yes_, "Don't ask");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    // --drop may have to take a safety snapshot also without --in-place: of a time series, say.
    const bool writes = drop_ && !no_safety_snapshot_ && !dry_run_;
    HOLDFAST_TRY(
        const auto repository,
        open_repository(context, writes ? blob::OpenMode::read_write : blob::OpenMode::read_only));
    if (moment_.given() != snapshot_.empty()) {
      return Error(ErrorCode::usage, "name either a snapshot or a moment",
                   "an id, 'latest', or --at, --before, --without");
    }
    HOLDFAST_TRY(const auto client, connect(context));
    fill_options(context.settings);
    std::optional<OpenedMoment> moment;
    if (moment_.given()) {
      HOLDFAST_TRY(moment, make_moment(context, *repository, *client));
    } else {
      HOLDFAST_TRY(snapshot_, service::resolve_latest(*repository, snapshot_));
    }
    HOLDFAST_TRY(const auto snapshot, moment
                                          ? moment->view->open_snapshot(moment->outcome.summary.id)
                                          : repository->open_snapshot(snapshot_));
    if (moment) HOLDFAST_CHECK(name_recovered(snapshot->manifest()));
    // With --as it has been said which database is meant.
    if (options_.as_database.empty()) HOLDFAST_CHECK(check_database(*client, snapshot->manifest()));
    HOLDFAST_TRY(const auto plan, restore::plan_restore(*snapshot, *client, options_));
    if (moment) {
      context.output.report(moment_text(*moment));
      warn_of(context.output, moment->outcome.warnings);
    }
    context.output.report(plan_text(plan));
    warn_of(context.output, plan.warnings);
    if (dry_run_) {
      context.output.report("dry run: nothing was changed\n");
      Json document = plan_json(plan);
      if (moment) document["moment"] = moment_json(*moment);
      context.output.result("holdfast.restore-plan/1", document);
      return ExitCode::done;
    }
    if (touches_existing(plan)) {
      HOLDFAST_CHECK(confirm(context, yes_, question_of(plan)));
    }
    const auto outcome = execute(context, *repository, *snapshot, *client, plan);
    if (!outcome.ok()) return outcome.error();
    context.output.report(outcome_text(*outcome, plan));
    const ExitCode code = exit_code_of(*outcome, plan);
    Json document = outcome_json(*outcome, plan, code);
    if (moment) document["moment"] = moment_json(*moment);
    context.output.result("holdfast.restore/1", document);
    return code;
  }

 private:
  Result<OpenedMoment> make_moment(Context& context, repository::Repository& repository,
                                   const mongo::Client& client) const {
    ProgressDisplay progress(context.terminal, context.output, context.clock);
    return moment_.make(context, repository, &client, std::nullopt, progress);
  }

  /// What never was like this goes beside what is, unless somebody said where.
  Status name_recovered(const repository::Manifest& manifest) {
    const bool told = !options_.as_database.empty() || drop_ || merge_;
    if (!moment_.leaves_out() || told) return {};
    const Selection selection(options_.collections, options_.exclude);
    std::set<std::string> databases;
    for (const auto& collection : manifest.collections) {
      if (selection.contains(collection.info.ns)) databases.insert(collection.info.ns.database);
    }
    if (databases.size() != 1) {
      return Error(ErrorCode::usage, "several databases cannot be restored beside themselves",
                   "choose one database's collections with --collection, or say --drop");
    }
    options_.as_database = *databases.begin() + "_recovered";
    return {};
  }

  void fill_options(const Settings& settings) {
    if (drop_) options_.existing = restore::Existing::drop;
    if (merge_) options_.existing = restore::Existing::merge;
    if (on_conflict_ == "keep") options_.on_conflict = restore::OnConflict::keep;
    if (on_conflict_ == "replace") options_.on_conflict = restore::OnConflict::replace;
    options_.workers = settings.restore_workers;
    options_.compare = !no_compare_;
  }

  /// A URI that names a database which this restore would not write to is a misunderstanding.
  Status check_database(const mongo::Client& client, const repository::Manifest& manifest) const {
    const std::string named = data_database(client);
    if (named.empty()) return {};
    const Selection selection(options_.collections, options_.exclude);
    std::set<std::string> databases;
    for (const auto& collection : manifest.collections) {
      if (selection.contains(collection.info.ns)) databases.insert(collection.info.ns.database);
    }
    if (databases.empty() || databases.contains(named)) return {};
    return Error(ErrorCode::usage,
                 fmt::format("the URI names the database {}, but this would write to {}", named,
                             fmt::join(databases, ", ")),
                 fmt::format("say --as {}, or leave the database out of the URI", named));
  }

  /// One of each kind is read; fifty are not.
  static void warn_of(Output& output, const std::vector<std::string>& warnings) {
    constexpr std::size_t shown = 5;
    for (std::size_t i = 0; i < std::min(shown, warnings.size()); ++i) output.warn(warnings[i]);
    if (warnings.size() > shown) {
      output.warn(
          fmt::format("{} more warnings; --dry-run --json lists all", warnings.size() - shown));
    }
  }

  static bool touches_existing(const restore::RestorePlan& plan) {
    return std::any_of(plan.collections.begin(), plan.collections.end(),
                       [](const auto& collection) { return collection.target_exists; });
  }

  static std::string question_of(const restore::RestorePlan& plan) {
    const auto count = std::count_if(plan.collections.begin(), plan.collections.end(),
                                     [](const auto& one) { return one.target_exists; });
    return fmt::format(
        "{} of {} will be {}.", counted(static_cast<std::uint64_t>(count), "existing collection"),
        plan.target, plan.options.existing == restore::Existing::merge ? "added to" : "replaced");
  }

  Result<restore::RestoreOutcome> execute(Context& context, repository::Repository& repository,
                                          repository::SnapshotReader& snapshot,
                                          mongo::Client& client,
                                          const restore::RestorePlan& plan) const {
    ProgressDisplay progress(context.terminal, context.output, context.clock);
    restore::SafetySnapshot safety;
    if (!no_safety_snapshot_) {  // called only if the plan drops something first
      backup::BackupOptions options;
      options.layout.compression = context.settings.compression;
      options.workers = context.settings.backup_workers;
      options.memory_bytes = std::uint64_t{context.settings.backup_memory_mib} * 1024 * 1024;
      options.spool_folder = context.settings.spool_folder;
      safety = service::make_safety_snapshot(client, repository, options, context.clock,
                                             context.random, progress, context.stop);
    }
    return restore::execute_restore(plan, snapshot, repository.hasher(), client, safety, progress,
                                    context.stop);
  }

  std::string snapshot_;
  MomentFlags moment_;
  std::string on_conflict_ = "fail";
  restore::RestoreOptions options_;
  bool drop_ = false;
  bool merge_ = false;
  bool no_safety_snapshot_ = false;
  bool no_compare_ = false;
  bool dry_run_ = false;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_restore_command() { return std::make_unique<RestoreCommand>(); }

}  // namespace holdfast::cli
