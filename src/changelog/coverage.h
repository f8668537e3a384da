#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "changelog/log_chain.h"
#include "dataset/types.h"
#include "repository/manifest.h"

namespace holdfast::changelog {

/// A snapshot from which later times can be made.
struct CoverageBase {
  std::string snapshot;
  ClusterTime time;
  ClusterTime reach;                 ///< Every time from `time` up to this one can be restored.
  std::optional<std::size_t> chain;  ///< Number of the chain that reaches so far, if one does.
};

/// Times that can all be restored; a single one, where there is no log.
struct CoverageSpan {
  ClusterTime from;
  ClusterTime until;
  std::vector<CoverageBase> bases;  ///< Oldest first.
};

/// Times between spans that cannot, and why.
struct CoverageGap {
  ClusterTime since;  ///< The last time that can be restored before.
  ClusterTime until;  ///< The first one after; behind the last span, where the log ends.
  std::string cause;
  bool open = false;  ///< Nothing behind it can be restored yet.
};

/// What can be restored of one source and one set of databases.
struct Coverage {
  std::string source;
  std::vector<std::string> databases;
  std::vector<CoverageSpan> spans;  ///< In order, apart from each other.
  std::vector<CoverageGap> gaps;    ///< One between any two spans, and perhaps one behind.
};

/// Whether events can be folded over a snapshot: it is the state of one moment of a source with a
/// log. Single namespaces of it may still be best-effort (time series), and stay so.
[[nodiscard]] bool is_base(const repository::SnapshotSummary& snapshot);

/// Counts snapshots of whole databases and what chains that cover them add. Those of standalones
/// and of chosen collections are no base. Pure; times are the source's alone.
/// `chains` may be of any source.
[[nodiscard]] std::vector<Coverage> compute_coverage(
    const std::vector<repository::SnapshotSummary>& snapshots, const std::vector<LogChain>& chains);

/// The newest snapshot from which this time can be made, or nothing inside a gap.
[[nodiscard]] std::optional<CoverageBase> base_of(const Coverage& coverage, ClusterTime time);

/// The restorable times that are nearest to one that is not.
struct NearestTimes {
  std::optional<ClusterTime> before;
  std::optional<ClusterTime> after;
  std::string cause;  ///< Of the gap that the time is in; empty outside of any.
};
[[nodiscard]] NearestTimes nearest_times(const Coverage& coverage, ClusterTime time);

}  // namespace holdfast::changelog
