#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

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
  return Error(ErrorCode::not_found,
               fmt::format("the repository has no source {}; it has {}", wanted,
                           fmt::join(sources, ", ")));
}

/// A snapshot over which events can be folded: the state at its time.
bool is_base(const SnapshotSummary& snapshot) {
  return snapshot.kind != repository::SnapshotKind::imported &&
         !snapshot.consistency.time.is_null();
}

const LogChain* chain_from(const std::vector<LogChain>& chains, const SnapshotSummary& base) {
  const ClusterTime since = base.consistency.time;
  const LogChain* longest = nullptr;
  for (const LogChain& chain : chains) {
    const bool usable = chain.covers(base.databases) && chain.start().time <= since &&
                        since <= chain.end().time;
    if (usable && (longest == nullptr || longest->end().time < chain.end().time)) longest = &chain;
  }
  return longest;
}

/// Whole snapshots before chosen collections, then the newest.
bool better_base(const SnapshotSummary& a, const SnapshotSummary& b) {
  if (a.whole != b.whole) return a.whole;
  return a.consistency.time > b.consistency.time;
}

}  // namespace

Result<MomentPlan> plan_moment(repository::Repository& repository, const MomentRequest& request) {
  HOLDFAST_TRY(auto listing, repository.list());
  HOLDFAST_TRY(const std::string source, choose_source(listing.snapshots, request.source));
  HOLDFAST_TRY(const std::vector<LogChain> chains, changelog::read_log_chains(repository, source));
  auto& snapshots = listing.snapshots;
  std::erase_if(snapshots, [&](const SnapshotSummary& snapshot) {
    return snapshot.source.id != source || !is_base(snapshot);
  });
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
  const ClusterTime asked =
      request.at ? *request.at : request.base_before.value_or(ClusterTime{});
  const changelog::Coverage coverage = changelog::compute_coverage(snapshots, chains);
  return changelog::outside_coverage(coverage, asked);
}

}  // namespace holdfast::timetravel
