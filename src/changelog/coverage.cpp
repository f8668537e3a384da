#include "changelog/coverage.h"

#include <algorithm>
#include <map>
#include <utility>

namespace holdfast::changelog {

namespace {

using repository::SnapshotSummary;

CoverageBase make_base(const SnapshotSummary& snapshot, const std::vector<LogChain>& chains) {
  CoverageBase base{snapshot.id, snapshot.consistency.time, snapshot.consistency.time,
                    std::nullopt};
  for (std::size_t at = 0; at < chains.size(); ++at) {
    const LogChain& chain = chains[at];
    if (chain.source != snapshot.source.id || !chain.covers(snapshot.databases)) continue;
    if (chain.start().time > base.time || chain.end().time <= base.reach) continue;
    base.reach = chain.end().time;
    base.chain = at;
  }
  return base;
}

/// Spans that touch are one. Bases are sorted by time.
std::vector<CoverageSpan> join(std::vector<CoverageBase> bases) {
  std::vector<CoverageSpan> spans;
  for (CoverageBase& base : bases) {
    if (spans.empty() || base.time > spans.back().until) {
      spans.push_back({base.time, base.reach, {}});
    }
    CoverageSpan& span = spans.back();
    span.until = std::max(span.until, base.reach);
    span.bases.push_back(std::move(base));
  }
  return spans;
}

/// Why nothing joins these two times: what a chain that begins between them says, or that none
/// does.
std::string cause_between(const Coverage& coverage, ClusterTime since, ClusterTime until,
                          const std::vector<LogChain>& chains,
                          const std::vector<SnapshotSummary>& snapshots) {
  for (const SnapshotSummary& snapshot : snapshots) {
    const ClusterTime time = snapshot.consistency.time;
    const bool between = snapshot.source.id == coverage.source && since < time && time <= until;
    if (between && snapshot.lost_log) return snapshot.lost_log->cause;
  }
  bool log_without_base = false;
  for (const LogChain& chain : chains) {
    if (chain.source != coverage.source || !chain.covers(coverage.databases)) continue;
    if (chain.start().time <= since || chain.start().time > until) continue;
    // The first thing stored has nothing before it, which explains nothing.
    if (chain.gap && !chain.gap->since.is_null()) return chain.gap->cause;
    log_without_base = true;
  }
  return log_without_base ? "no backup from before the stored log begins joins it"
                          : "no log was stored between these backups";
}

void find_gaps(Coverage& coverage, const std::vector<LogChain>& chains,
               const std::vector<SnapshotSummary>& snapshots) {
  for (std::size_t at = 1; at < coverage.spans.size(); ++at) {
    const ClusterTime since = coverage.spans[at - 1].until;
    const ClusterTime until = coverage.spans[at].from;
    coverage.gaps.push_back(
        {since, until, cause_between(coverage, since, until, chains, snapshots), false});
  }
  const ClusterTime last = coverage.spans.back().until;
  ClusterTime newest = last;
  for (const LogChain& chain : chains) {
    if (chain.source == coverage.source && chain.covers(coverage.databases)) {
      newest = std::max(newest, chain.end().time);
    }
  }
  if (newest > last) {
    coverage.gaps.push_back(
        {last, newest, cause_between(coverage, last, newest, chains, snapshots), true});
  }
}

}  // namespace

bool is_base(const SnapshotSummary& snapshot) {
  return snapshot.kind != repository::SnapshotKind::imported &&
         !snapshot.consistency.time.is_null();
}

std::vector<Coverage> compute_coverage(const std::vector<SnapshotSummary>& snapshots,
                                       const std::vector<LogChain>& chains) {
  std::map<std::pair<std::string, std::vector<std::string>>, std::vector<CoverageBase>> scopes;
  for (const SnapshotSummary& snapshot : snapshots) {
    if (!snapshot.whole || !is_base(snapshot)) continue;
    scopes[{snapshot.source.id, snapshot.databases}].push_back(make_base(snapshot, chains));
  }
  std::vector<Coverage> all;
  for (auto& [scope, bases] : scopes) {
    std::stable_sort(bases.begin(), bases.end(),
                     [](const CoverageBase& a, const CoverageBase& b) { return a.time < b.time; });
    Coverage coverage{scope.first, scope.second, join(std::move(bases)), {}};
    find_gaps(coverage, chains, snapshots);
    all.push_back(std::move(coverage));
  }
  return all;
}

std::optional<CoverageBase> base_of(const Coverage& coverage, ClusterTime time) {
  for (auto span = coverage.spans.rbegin(); span != coverage.spans.rend(); ++span) {
    for (auto base = span->bases.rbegin(); base != span->bases.rend(); ++base) {
      if (base->time <= time && time <= base->reach) return *base;
    }
  }
  return std::nullopt;
}

NearestTimes nearest_times(const Coverage& coverage, ClusterTime time) {
  NearestTimes nearest;
  for (const CoverageSpan& span : coverage.spans) {
    if (span.from <= time) nearest.before = std::min(span.until, time);
    if (span.until >= time && !nearest.after) nearest.after = std::max(span.from, time);
  }
  for (const CoverageGap& gap : coverage.gaps) {
    if (gap.since < time && (gap.open || time < gap.until)) nearest.cause = gap.cause;
  }
  return nearest;
}

}  // namespace holdfast::changelog
