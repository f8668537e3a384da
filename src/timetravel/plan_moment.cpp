#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "changelog/coverage.h"
#include "timetravel/moment.h"

namespace holdfast::timetravel {

namespace {

using changelog::LogChain;
using repository::SnapshotSummary;

Result<std::string> choose_source(const std::vector<SnapshotSummary>& snapshots,
                                  const std::string& wanted) {
  std::set<std::string> sources;
  for (const SnapshotSummary& snapshot : snapshots) sources.insert(snapshot.source.id);
  if (sources.empty()) {
    return Error(ErrorCode::not_found, "the repository has no snapshots",
                 "'holdfast backup' takes one");
  }
  if (wanted.empty() && sources.size() == 1) return *sources.begin();
  if (wanted.empty()) {
    return Error(ErrorCode::usage,
                 fmt::format("the repository holds several sources: {}", fmt::join(sources, ", ")),
                 "say which with --source");
  }
  if (sources.contains(wanted)) return wanted;
  return Error(ErrorCode::not_found, fmt::format("the repository has no source {}; it has {}",
                                                 wanted, fmt::join(sources, ", ")));
}

const LogChain* chain_from(const std::vector<LogChain>& chains, const SnapshotSummary& base) {
  const ClusterTime since = base.consistency.time;
  const LogChain* longest = nullptr;
  for (const LogChain& chain : chains) {
    const bool usable =
        chain.covers(base.databases) && chain.start().time <= since && since <= chain.end().time;
    if (usable && (longest == nullptr || longest->end().time < chain.end().time)) longest = &chain;
  }
  return longest;
}

/// Snapshots of different databases tell of different things: one kind of them is meant.
Status keep_one_scope(std::vector<SnapshotSummary>& snapshots, const std::string& database) {
  if (!database.empty()) {
    std::erase_if(snapshots, [&](const SnapshotSummary& snapshot) {
      const auto& databases = snapshot.databases;
      return std::find(databases.begin(), databases.end(), database) == databases.end();
    });
    return {};
  }
  std::set<std::string> scopes;
  for (const SnapshotSummary& snapshot : snapshots) {
    scopes.insert(fmt::format("{}", fmt::join(snapshot.databases, ", ")));
  }
  if (scopes.size() < 2) return {};
  return Error(
      ErrorCode::usage,
      fmt::format("snapshots were taken of different databases: {}", fmt::join(scopes, "; ")),
      "say with --database which one is meant");
}

/// Whole snapshots before chosen collections, then the newest.
bool better_base(const SnapshotSummary& a, const SnapshotSummary& b) {
  if (a.whole != b.whole) return a.whole;
  return a.consistency.time > b.consistency.time;
}

std::string with_clock(ClusterTime time) {
  const std::string wall = format_time(WallTime(std::chrono::seconds(time.seconds)));
  const bool whole_second = time.increment == ClusterTime::from_packed(~0ULL).increment;
  return whole_second ? wall : fmt::format("{} ({})", wall, time.text());
}

Error outside_coverage(const std::vector<SnapshotSummary>& snapshots,
                       const std::vector<LogChain>& chains, ClusterTime asked) {
  std::optional<ClusterTime> before;
  std::optional<ClusterTime> after;
  std::string cause;
  for (const changelog::Coverage& coverage : changelog::compute_coverage(snapshots, chains)) {
    const changelog::NearestTimes nearest = changelog::nearest_times(coverage, asked);
    if (nearest.before && (!before || *before < *nearest.before)) before = nearest.before;
    if (nearest.after && (!after || *nearest.after < *after)) after = nearest.after;
    if (cause.empty()) cause = nearest.cause;
  }
  std::string message = fmt::format("the state at {} cannot be had: no snapshot and log lead there",
                                    with_clock(asked));
  if (!cause.empty()) message += fmt::format(" ({})", cause);
  std::string hint = "'holdfast coverage' shows the times that can be restored";
  if (before && after) {
    hint = fmt::format("the nearest are {} before and {} after it", with_clock(*before),
                       with_clock(*after));
  } else if (before) {
    hint = fmt::format("the nearest before it is {}", with_clock(*before));
  } else if (after) {
    hint = fmt::format("the nearest after it is {}", with_clock(*after));
  }
  return {ErrorCode::gap, std::move(message), std::move(hint)};
}

}  // namespace

Result<LogChain> find_log(repository::Repository& repository, const MomentRequest& request) {
  HOLDFAST_TRY(const auto listing, repository.list());
  HOLDFAST_TRY(const std::string source, choose_source(listing.snapshots, request.source));
  HOLDFAST_TRY(auto chains, changelog::read_log_chains(repository, source));
  LogChain* found = nullptr;
  for (LogChain& chain : chains) {
    if (request.at && (chain.end().time < *request.at || *request.at < chain.start().time))
      continue;
    if (found == nullptr || found->end().time < chain.end().time) found = &chain;
  }
  if (found != nullptr) return std::move(*found);
  return Error(ErrorCode::not_found,
               "no stored log reaches that moment, so there are no events to "
               "leave out",
               "'holdfast coverage' shows where there is log");
}

Result<MomentPlan> plan_moment(repository::Repository& repository, const MomentRequest& request) {
  HOLDFAST_TRY(auto listing, repository.list());
  HOLDFAST_TRY(const std::string source, choose_source(listing.snapshots, request.source));
  HOLDFAST_TRY(const std::vector<LogChain> chains, changelog::read_log_chains(repository, source));
  auto& snapshots = listing.snapshots;
  std::erase_if(snapshots, [&](const SnapshotSummary& snapshot) {
    return snapshot.source.id != source || !changelog::is_base(snapshot);
  });
  HOLDFAST_CHECK(keep_one_scope(snapshots, request.database));
  std::stable_sort(snapshots.begin(), snapshots.end(), better_base);

  std::optional<MomentPlan> latest;  // Without a time asked for: the plan that reaches furthest.
  for (const SnapshotSummary& base : snapshots) {
    const ClusterTime since = base.consistency.time;
    if (request.at && since > *request.at) continue;
    if (request.base_before && since >= *request.base_before) continue;
    const LogChain* const chain = chain_from(chains, base);
    const ClusterTime reaches = chain == nullptr ? since : chain->end().time;
    if (request.at && reaches < *request.at) continue;
    MomentPlan plan{base, std::nullopt, request.at.value_or(reaches)};
    if (chain != nullptr && since < plan.at) plan.log = *chain;
    if (request.at) return plan;
    if (!latest || latest->at < plan.at) latest = std::move(plan);
  }
  if (latest) return std::move(*latest);
  return outside_coverage(snapshots, chains,
                          request.at ? *request.at : request.base_before.value_or(ClusterTime{}));
}

}  // namespace holdfast::timetravel
