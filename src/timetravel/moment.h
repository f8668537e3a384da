#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "changelog/event_selection.h"
#include "changelog/fold_events.h"
#include "changelog/log_chain.h"
#include "repository/repository.h"
#include "repository/settings.h"

namespace holdfast::timetravel {

/// Which moment, of what.
struct MomentRequest {
  /// SourceIdentity::id; empty where the repository holds only one.
  std::string source;
  /// Everything visible at or before this time belongs to it. Nothing: as far as the log reaches.
  std::optional<ClusterTime> at;
  /// The base is at most this recent, because events from here on are to be left out.
  std::optional<ClusterTime> base_before;
  /// A database that must be in it; empty where all snapshots of the source are of the same ones.
  std::string database = {};
};

/// How a moment can be had: a snapshot, and the log from there on.
struct MomentPlan {
  repository::SnapshotSummary base;
  /// None where the moment is that of the snapshot itself.
  std::optional<changelog::LogChain> log;
  ClusterTime at;
};

/// Finds the newest snapshot at or before the moment from which the log reaches it without a gap.
/// Errors: not_found (no such source), usage (several sources, none named), gap (no snapshot and
/// log lead there; says the nearest moments that can be had), those of the repository.
[[nodiscard]] Result<MomentPlan> plan_moment(repository::Repository& repository,
                                             const MomentRequest& request);

/// The stored log that reaches a moment, or without one asked for, furthest. Errors: not_found (no
/// log reaches there), and as plan_moment.
[[nodiscard]] Result<changelog::LogChain> find_log(repository::Repository& repository,
                                                   const MomentRequest& request);

/// The time of the first event of a log that one of these selects. Errors: not_found (none does),
/// cancelled, those of the repository.
[[nodiscard]] Result<ClusterTime> find_first_event(
    repository::Repository& repository, const changelog::LogChain& log,
    const std::vector<changelog::EventSelection>& selections, ProgressSink& progress,
    const std::stop_token& stop);

/// A change that was to be kept but does not fit once others are left out.
struct Conflict {
  Namespace ns;
  std::string sentence;
};

struct MomentOptions {
  std::vector<std::string> tags;
  std::string critical_reason;
  repository::LayoutSettings layout;
  changelog::FoldSettings fold;
  /// Leave out every event that one of these selects.
  std::vector<changelog::EventSelection> without;
};

struct MomentOutcome {
  repository::SnapshotSummary summary;
  std::uint64_t events = 0;    ///< Changes of documents folded.
  std::uint64_t left_out = 0;  ///< Events left out.
  std::uint64_t changed = 0;   ///< Documents that differ from the base.
  std::uint64_t order_uncertain = 0;
  /// Changes that no longer fitted and were skipped, the first of them named.
  std::vector<Conflict> conflicts;
  std::uint64_t conflict_count = 0;
  std::vector<std::string> warnings;
};

/// Folds the log over the base and commits the result as a snapshot of kind `moment` into
/// `repository`: for good, or into a view `with_scratch`. A transaction is never cut. A crash
/// leaves garbage at most. Errors: corrupt (log and base do not fit, or are damaged), unsupported,
/// cancelled, those of the repository.
[[nodiscard]] Result<MomentOutcome> make_moment(repository::Repository& repository,
                                                const MomentPlan& plan,
                                                const MomentOptions& options, RandomSource& random,
                                                ProgressSink& progress, std::stop_token stop);

}  // namespace holdfast::timetravel
