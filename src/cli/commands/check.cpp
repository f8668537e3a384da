#include "cli/commands/check.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "checks/check.h"
#include "cli/commands/check_report.h"
#include "cli/open.h"
#include "cli/parse_time.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "mongo/scan.h"
#include "profile/profile.h"
#include "service/safety_snapshot.h"

namespace holdfast::cli {
namespace {

std::int64_t to_ms(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

class CheckCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "check",
        .group = "Rules",
        .summary = "Check the rules of the data, live or in a snapshot",
        .description =
            "Checks everything that a profile declares: schemas, references, unique keys, "
            "indexes, and the rules of the business. A snapshot is checked where it lies; nothing "
            "is restored for it. A live database is looked at twice, and only what both looks "
            "found counts, so that a write between two reads is no finding. \"Now\" in a rule is "
            "the snapshot's time. With --since also what may not change between two snapshots is "
            "checked.\n\n"
            "Personal data are masked: strings are shown as \"…\". Exit code 4 means that "
            "something at or above --fail-on was found.",
        .examples = {{"holdfast check --profile shop.yaml", "The newest snapshot."},
                     {"holdfast check --live --profile shop.yaml --fail-on warning",
                      "The database as it is now; warnings count, too."},
                     {"holdfast check 3f0a91c2 --profile shop.yaml --rule orders-paid --json",
                      "One rule in one snapshot, with up to 20 documents that break it."}},
        .settings = {"uri", "repository", "password_file", "key_file", "recovery_key_file",
                     "backup.spool_folder"},
        .setting_help = {{"uri", "The server, for --live"}},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("snapshot", snapshot_, "Its id, the first digits of it, or 'latest' (default)")
        ->type_name("SNAPSHOT");
    app.add_option("--profile", profile_, "The profile: what must be true")
        ->type_name("FILE")
        ->required();
    app.add_flag("--live", live_, "Check the database as it is now, not a snapshot");
    app.add_option("--database", options_.database,
                   "Which database; else the URI's, or the snapshot's only one")
        ->type_name("NAME");
    app.add_option("--now", now_, "Another \"now\" than the snapshot's time")->type_name("TIME");
    app.add_option("--since", since_,
                   "Also the rules between this earlier snapshot and what is checked")
        ->type_name("SNAPSHOT");
    app.add_option("--rule", options_.rules, "Only this rule, repeatable")
        ->type_name("ID")
        ->allow_extra_args(false);
    app.add_option("--fail-on", fail_on_, "error (default), warning, info or never")
        ->type_name("SEVERITY")
        ->check(CLI::IsMember({"error", "warning", "info", "never"}));
    app.add_flag("--show-personal", show_personal_, "Show values as they are");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    if (live_ && !snapshot_.empty()) {
      return Error(ErrorCode::usage, "name a snapshot or say --live, not both");
    }
    HOLDFAST_TRY(const auto profile, profile::read_profile(profile_));
    HOLDFAST_CHECK(check_rule_names(profile));
    options_.folder = context.settings.spool_folder;
    if (!now_.empty()) {
      HOLDFAST_TRY(const WallTime now, parse_time(now_));
      options_.now_ms = to_ms(now);
    }
    HOLDFAST_TRY(auto report,
                 live_ ? check_live(context, profile) : check_snapshot(context, profile));
    if (!show_personal_) {
      for (auto& finding : report.findings) checks::mask_personal(finding, profile);
    }
    const bool bad = fails(report);
    const std::string text = check_report_text(report, context.output);
    report.findings.empty() ? context.output.report(text) : context.output.print(text);
    Json fields = check_report_json(report);
    fields["snapshot"] = snapshot_id_.empty() ? Json(nullptr) : Json(snapshot_id_);
    fields["since"] = since_.empty() ? Json(nullptr) : Json(since_);
    fields["database"] = options_.database;
    context.output.result("holdfast.check/1", std::move(fields));
    return bad ? ExitCode::findings : ExitCode::done;
  }

 private:
  /// A rule that does not exist would be checked by nobody.
  [[nodiscard]] Status check_rule_names(const profile::Profile& profile) const {
    for (const std::string& id : options_.rules) {
      const bool built_in = id.find('.') != std::string::npos;
      const bool known = std::ranges::any_of(
          profile.rules, [&](const profile::Rule& rule) { return rule.id == id; });
      if (!known && !built_in) {
        return Error(ErrorCode::usage, fmt::format("the profile has no rule {}", id));
      }
    }
    return {};
  }

  Result<checks::CheckReport> check_live(Context& context, const profile::Profile& profile) {
    HOLDFAST_TRY(const auto client, connect(context));
    if (options_.database.empty()) options_.database = data_database(*client);
    if (options_.database.empty()) {
      return Error(ErrorCode::usage, "which database? The URI names none", "give --database NAME");
    }
    if (now_.empty()) {
      options_.now_ms = to_ms(context.clock.now());
      options_.later_now = [&context] { return to_ms(context.clock.now()); };
    }
    options_.confirm = true;
    const auto reader = mongo::make_live_reader(*client, {options_.database});
    std::unique_ptr<repository::Repository> repository;
    if (!since_.empty()) {
      HOLDFAST_TRY(repository, open_repository(context, blob::OpenMode::read_only));
    }
    return run_on(context, *reader, profile, repository.get());
  }

  Result<checks::CheckReport> check_snapshot(Context& context, const profile::Profile& profile) {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(snapshot_id_,
                 service::resolve_latest(*repository, snapshot_.empty() ? "latest" : snapshot_));
    HOLDFAST_TRY(const auto reader, repository->open_snapshot(snapshot_id_));
    const auto& summary = reader->manifest().summary;
    snapshot_id_ = summary.id;
    if (options_.database.empty() && summary.databases.size() == 1) {
      options_.database = summary.databases.front();
    }
    if (options_.database.empty()) {
      return Error(ErrorCode::usage,
                   fmt::format("which database? The snapshot has {}", joined(summary.databases)),
                   "give --database NAME");
    }
    if (now_.empty()) {
      const bool exact = summary.consistency.kind == Consistency::Kind::exact;
      options_.now_ms =
          exact ? std::int64_t{summary.consistency.time.seconds} * 1000 : to_ms(summary.finished);
    }
    return run_on(context, *reader, profile, repository.get());
  }

  /// `repository`: where the snapshot of --since lies.
  Result<checks::CheckReport> run_on(Context& context, DatasetReader& reader,
                                     const profile::Profile& profile,
                                     repository::Repository* repository) {
    ProgressDisplay progress(context.terminal, context.output, context.clock);
    HOLDFAST_TRY(auto report, checks::run_checks(reader, profile, options_, context.random,
                                                 progress, context.stop));
    if (since_.empty()) return report;
    HOLDFAST_TRY(const std::string id, service::resolve_latest(*repository, since_));
    HOLDFAST_TRY(const auto before, repository->open_snapshot(id));
    since_ = before->manifest().summary.id;
    HOLDFAST_CHECK(checks::run_between(*before, reader, profile, options_, report, context.stop));
    return report;
  }

  [[nodiscard]] bool fails(const checks::CheckReport& report) const {
    const auto least = profile::parse_severity(fail_on_);
    return least && std::ranges::any_of(report.findings, [&](const checks::Finding& finding) {
             return finding.severity >= *least;
           });
  }

  std::string snapshot_;
  std::string snapshot_id_;
  std::string profile_;
  std::string now_;
  std::string since_;
  std::string fail_on_ = "error";
  checks::CheckOptions options_;
  bool live_ = false;
  bool show_personal_ = false;
};

}  // namespace

std::unique_ptr<Command> make_check_command() { return std::make_unique<CheckCommand>(); }

}  // namespace holdfast::cli
