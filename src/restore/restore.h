#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "dataset/types.h"
#include "mongo/client.h"
#include "repository/repository.h"

namespace holdfast::restore {

/// What to do where the target already has a collection of that name.
enum class Existing {
  refuse,  ///< Write nothing at all.
  drop,    ///< Replace the collection whole.
  merge,   ///< Add documents; `OnConflict` settles keys that both have.
};

enum class OnConflict {
  fail,     ///< Report each; the restore ends as failed.
  keep,     ///< The target's document stays.
  replace,  ///< The snapshot's document wins.
};

struct RestoreOptions {
  /// Another database name; only for a snapshot (or selection) of one database. Empty: the same.
  std::string as_database;
  /// Globs over "collection" or "database.collection"; empty means all.
  std::vector<std::string> collections;
  std::vector<std::string> exclude;
  Existing existing = Existing::refuse;
  OnConflict on_conflict = OnConflict::fail;
  /// With `drop`: drop first and write under the real name, instead of writing beside and renaming
  /// over. For when space is short. Reads and authenticates everything first.
  bool in_place = false;
  /// Insert connections.
  std::uint32_t workers = 4;
  /// Read back and compare at the end.
  bool compare = true;
};

/// What will happen to one collection, and why.
struct PlannedCollection {
  Namespace source;
  Namespace target;
  CollectionType type = CollectionType::collection;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::size_t indexes = 0;
  bool target_exists = false;
  CollectionType target_type = CollectionType::collection;  ///< What stands there now.
  std::uint64_t target_documents = 0;  ///< What a drop would lose, as the server estimates it.
  /// "create", "replace beside and rename over", "drop and create", "replace the view", "merge".
  std::string action;

  /// What stands there is gone before its successor is complete.
  [[nodiscard]] bool drops_first() const { return action == "drop and create"; }
};

struct RestorePlan {
  std::string snapshot_id;
  std::string target;  ///< Masked URI.
  RestoreOptions options;
  std::vector<PlannedCollection> collections;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  /// Worth reading before saying yes: best-effort namespaces, free space, …
  std::vector<std::string> warnings;
};

/// How one collection ended.
struct RestoredCollection {
  Namespace target;
  std::uint64_t documents = 0;       ///< Written.
  std::uint64_t kept = 0;            ///< Left as they were on the server (merging with `keep`).
  std::uint64_t kept_different = 0;  ///< Of those, how many are not the snapshot's.
  std::uint64_t beside = 0;          ///< On the server only (merging).
  /// Documents refused by the server, named; at most `max_named_refusals`, the rest counted.
  std::vector<std::string> refused;
  std::uint64_t refused_count = 0;
  bool compared = false;
  /// Count, fingerprint, options and indexes are those of the snapshot; after a merge: there are
  /// the snapshot's documents and no others.
  bool identical = false;
  /// What differs, in words; empty when identical.
  std::vector<std::string> differences;
};

struct RestoreOutcome {
  std::vector<RestoredCollection> collections;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;          ///< All of it.
  double compare_seconds = 0;  ///< Of that, reading back.
  /// Every collection was compared and is identical.
  bool identical = false;
};

/// Takes a critical snapshot of these namespaces of the target before they are dropped in place;
/// returns its id.
using SafetySnapshot = std::function<Result<std::string>(const std::vector<Namespace>& namespaces)>;

/// Looks at the target and says what would be done. Changes nothing. Errors: precondition
/// (collections are there and neither drop nor merge was asked for; lists them), not_found (nothing
/// matches), usage (`as_database` with several databases), …
[[nodiscard]] Result<RestorePlan> plan_restore(const repository::SnapshotReader& snapshot,
                                               mongo::Client& target,
                                               const RestoreOptions& options);

/// Carries a plan out. A failure in the middle leaves every collection of the target either
/// as it was or (create, in place, merge) begun, and says which; it can be run again.
/// An outcome with refusals or differences is returned as a value: the caller turns it into
/// the exit code. `safety` may be empty (then none is taken).
/// Errors: precondition (the target changed since the plan), corrupt, denied, retry, cancelled.
[[nodiscard]] Result<RestoreOutcome> execute_restore(const RestorePlan& plan,
                                                     repository::SnapshotReader& snapshot,
                                                     const DocumentHasher& hasher,
                                                     mongo::Client& target,
                                                     const SafetySnapshot& safety,
                                                     ProgressSink& progress, std::stop_token stop);

}  // namespace holdfast::restore
