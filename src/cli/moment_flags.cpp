#include "cli/moment_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"
#include "changelog/event_name.h"
#include "cli/parse_moment.h"
#include "cli/show_snapshot.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t shown_conflicts = 20;

/// A word of --without is an event's name, or a selection.
Result<changelog::EventSelection> parse_selection(const std::string& text) {
  if (text.find('=') == std::string::npos) {
    HOLDFAST_TRY(const changelog::EventName name, changelog::parse_event_name(text));
    changelog::EventSelection selection;
    selection.names.push_back(name);
    return selection;
  }
  return changelog::parse_event_selection(
      text, [](std::string_view time) -> Result<changelog::TimeSpan> {
        HOLDFAST_TRY(const MomentText moment, parse_moment(time));
        if (!moment.time) {
          return Error(ErrorCode::usage, fmt::format("'{}' is no fixed time", time),
                       "write it with a date and a zone, or as T:I");
        }
        const bool whole_second =
            moment.time->increment == ClusterTime::from_packed(~0ULL).increment;
        return changelog::TimeSpan{
            {moment.time->seconds, whole_second ? 0 : moment.time->increment}, *moment.time};
      });
}

void list_conflicts(Output& output, const timetravel::MomentOutcome& outcome) {
  const std::size_t shown = std::min(shown_conflicts, outcome.conflicts.size());
  for (std::size_t at = 0; at < shown; ++at) {
    output.warn(fmt::format("conflict in {}: {}", outcome.conflicts[at].ns.text(),
                            outcome.conflicts[at].sentence));
  }
  if (outcome.conflict_count > shown) {
    output.warn(fmt::format("{} more conflicts", outcome.conflict_count - shown));
  }
}

}  // namespace

void MomentFlags::declare(CLI::App& app, bool without) {
  auto* at = app.add_option("--at", at_,
                            "The state at this moment, itself included: 2026-11-23T09:14:14+03:30, "
                            "seconds since 1970, T:I, '10 minutes ago' by the server's clock, now")
                 ->type_name("TIME");
  app.add_option("--before", before_, "The state just before this event of 'holdfast log'")
      ->type_name("EVENT")
      ->excludes(at);
  app.add_option("--source", source_, "Whose, where the repository holds several sources")
      ->type_name("ID");
  app.add_option("--database", database_,
                 "A database that is meant, where different ones were backed up apart")
      ->type_name("NAME");
  if (!without) return;
  auto* left_out =
      app.add_option("--without", without_,
                     "Leave these events out: an event of 'holdfast log', or a selection like "
                     "'op=delete ns=shop.users time=A..B'; repeatable")
          ->type_name("EVENTS")
          ->allow_extra_args(false);
  app.add_flag("--skip-conflicts", skip_conflicts_,
               "Pass over later changes that no longer fit, and count them")
      ->needs(left_out);
}

bool MomentFlags::needs_server_clock() const {
  const auto moment = parse_moment(at_);
  return !at_.empty() && moment.ok() && moment->seconds_ago.has_value();
}

Result<std::optional<ClusterTime>> MomentFlags::requested_time(const mongo::Client* client) const {
  if (!before_.empty()) {
    HOLDFAST_TRY(const changelog::EventName name, changelog::parse_event_name(before_));
    return std::optional(ClusterTime::from_packed(name.time.packed() - 1));
  }
  if (at_.empty()) return std::optional<ClusterTime>();
  HOLDFAST_TRY(const MomentText moment, parse_moment(at_));
  if (!moment.seconds_ago) return moment.time;
  if (client == nullptr) {
    return Error(ErrorCode::usage, fmt::format("'{}' is counted by the server's clock", at_),
                 "name the server with --uri, or write the time with its date and zone");
  }
  return resolve_moment(moment,
                        WallTime(std::chrono::milliseconds(client->server().local_time_ms)));
}

Result<std::vector<changelog::EventSelection>> MomentFlags::selections() const {
  std::vector<changelog::EventSelection> parsed;
  for (const std::string& text : without_) {
    HOLDFAST_TRY(parsed.emplace_back(), parse_selection(text));
  }
  return parsed;
}

Result<timetravel::MomentPlan> MomentFlags::plan(
    Context& context, repository::Repository& repository, const mongo::Client* client,
    const std::vector<changelog::EventSelection>& without, ProgressSink& progress) const {
  timetravel::MomentRequest request;
  request.source = source_;
  request.database = database_;
  HOLDFAST_TRY(request.at, requested_time(client));
  if (without.empty()) return timetravel::plan_moment(repository, request);
  HOLDFAST_TRY(const auto log, timetravel::find_log(repository, request));
  HOLDFAST_TRY(request.base_before,
               timetravel::find_first_event(repository, log, without, progress, context.stop));
  if (!request.at) request.at = log.end().time;
  return timetravel::plan_moment(repository, request);
}

Result<OpenedMoment> MomentFlags::make(Context& context, repository::Repository& repository,
                                       const mongo::Client* client,
                                       const std::optional<timetravel::MomentOptions>& for_good,
                                       ProgressSink& progress) const {
  timetravel::MomentOptions options = for_good.value_or(timetravel::MomentOptions{});
  options.layout.compression =
      for_good ? context.settings.compression : repository::Compression::fast;
  options.fold.memory_bytes = std::uint64_t{context.settings.backup_memory_mib} * 1024 * 1024;
  options.fold.spool_folder = context.settings.spool_folder;
  HOLDFAST_TRY(options.without, selections());
  OpenedMoment opened;
  HOLDFAST_TRY(opened.plan, plan(context, repository, client, options.without, progress));
  repository::Repository* target = &repository;
  if (!for_good) {
    HOLDFAST_TRY(opened.view, repository.with_scratch(context.settings.spool_folder));
    target = opened.view.get();
  }
  HOLDFAST_TRY(opened.outcome, timetravel::make_moment(*target, opened.plan, options,
                                                       context.random, progress, context.stop));
  if (opened.outcome.conflict_count > 0 && !skip_conflicts_) {
    list_conflicts(context.output, opened.outcome);
    return Error(ErrorCode::precondition,
                 fmt::format("{} of the kept changes no longer fit once those events are left out; "
                             "nothing was changed",
                             opened.outcome.conflict_count),
                 "leave those events out as well with --without, or say --skip-conflicts to pass "
                 "over them");
  }
  return opened;
}

std::string moment_text(const OpenedMoment& moment) {
  const auto& outcome = moment.outcome;
  std::string text = fmt::format("the state at {}: snapshot {} and {} after it\n",
                                 shown_time(WallTime(std::chrono::seconds(moment.plan.at.seconds))),
                                 moment.plan.base.id, counted(outcome.events, "change"));
  if (outcome.left_out > 0)
    text += fmt::format("  without {}\n", counted(outcome.left_out, "event"));
  if (outcome.conflict_count > 0) {
    text += fmt::format("  {} that no longer fitted passed over\n",
                        counted(outcome.conflict_count, "change"));
  }
  return text;
}

Json moment_json(const OpenedMoment& moment) {
  Json conflicts = Json::array();
  for (const auto& conflict : moment.outcome.conflicts) {
    conflicts.push_back({{"namespace", conflict.ns.text()}, {"sentence", conflict.sentence}});
  }
  return Json{
      {"at", {{"seconds", moment.plan.at.seconds}, {"increment", moment.plan.at.increment}}},
      {"base", moment.plan.base.id},
      {"events", moment.outcome.events},
      {"left_out", moment.outcome.left_out},
      {"changed_documents", moment.outcome.changed},
      {"order_uncertain", moment.outcome.order_uncertain},
      {"conflict_count", moment.outcome.conflict_count},
      {"conflicts", conflicts},
      {"warnings", moment.outcome.warnings}};
}

}  // namespace holdfast::cli
