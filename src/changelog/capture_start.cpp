#include "changelog/capture_start.h"

#include <algorithm>
#include <utility>

#include "changelog/coverage.h"
#include "changelog/log_chain.h"

namespace holdfast::changelog {

namespace {

using repository::LogGap;
using repository::LogPosition;
using repository::SnapshotSummary;

std::optional<LogPosition> newest_end(const std::vector<LogChain>& chains,
                                      const std::vector<std::string>& databases) {
  std::optional<LogPosition> newest;
  for (const LogChain& chain : chains) {
    if (chain.databases != databases) continue;
    if (!newest || chain.end().time > newest->time) newest = chain.end();
  }
  return newest;
}

/// Whether everything that the snapshot is of is in this scope.
bool inside(const SnapshotSummary& snapshot, const std::vector<std::string>& databases) {
  return databases.empty() || snapshot.databases == databases;
}

/// Snapshots behind `time` from which the log could begin, newest first.
Result<std::vector<SnapshotSummary>> snapshots_behind(repository::Repository& repository,
                                                      const std::string& source,
                                                      const std::vector<std::string>& databases,
                                                      ClusterTime time) {
  HOLDFAST_TRY(auto listing, repository.list());
  std::vector<SnapshotSummary> found;
  for (SnapshotSummary& snapshot : listing.snapshots) {
    if (snapshot.source.id != source || !snapshot.whole || !inside(snapshot, databases)) continue;
    if (!is_base(snapshot)) continue;
    if (snapshot.consistency.time > time) found.push_back(std::move(snapshot));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const SnapshotSummary& a, const SnapshotSummary& b) {
                     return a.consistency.time > b.consistency.time;
                   });
  return found;
}

}  // namespace

Result<CaptureStart> start_capture(const CaptureSource& from, repository::Repository& repository,
                                   const std::string& source) {
  HOLDFAST_TRY(const auto chains, read_log_chains(repository, source));
  const auto end = newest_end(chains, from.databases);
  std::string lost_cause;
  if (end) {
    auto drain = from.open(end);
    if (drain.ok()) return CaptureStart{std::move(*drain), std::nullopt, false};
    if (drain.error().code() != ErrorCode::gap) return drain.error();
    lost_cause = drain.error().message();
  }
  const ClusterTime since = end ? end->time : ClusterTime();
  HOLDFAST_TRY(const auto snapshots, snapshots_behind(repository, source, from.databases, since));
  ClusterTime last = since;
  for (const SnapshotSummary& snapshot : snapshots) {
    HOLDFAST_TRY(const auto manifest, repository.manifest(snapshot.id));
    if (!manifest.resume_token) continue;  // a moment that was made from others
    auto drain = from.open(LogPosition{snapshot.consistency.time, *manifest.resume_token});
    if (drain.ok()) {
      const std::string cause = end ? lost_cause : "the log begins behind snapshot " + snapshot.id;
      return CaptureStart{std::move(*drain), LogGap{since, cause}, end.has_value()};
    }
    if (drain.error().code() != ErrorCode::gap) return drain.error();
    // What the newest one does not reach, older ones don't.
    lost_cause = drain.error().message();
    last = snapshot.consistency.time;
    break;
  }
  HOLDFAST_TRY(auto drain, from.open(std::nullopt));
  if (lost_cause.empty()) {
    return CaptureStart{std::move(drain), LogGap{since, "nothing was stored before"}, false};
  }
  // Where the log could have gone on last.
  return CaptureStart{std::move(drain), LogGap{end ? end->time : last, lost_cause}, true};
}

}  // namespace holdfast::changelog
