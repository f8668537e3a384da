#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "changelog/catalog_changes.h"
#include "changelog/event_sequence.h"
#include "changelog/held_collection.h"
#include "repository/repository.h"

namespace holdfast::changelog {

struct FoldSettings {
  /// Bound on the buffers for sorting, in bytes.
  std::uint64_t memory_bytes = 64ULL * 1024 * 1024;
  /// Where encrypted sort runs go.
  std::filesystem::path spool_folder = "/tmp";
};

/// Changes that did not fit because others of the same document were left out; they were skipped.
struct FoldConflicts {
  static constexpr std::size_t max_named = 100;
  struct Named {
    Namespace ns;
    std::string sentence;
  };
  std::vector<Named> named;
  std::uint64_t count = 0;
};

/// What a fold works with; all of it outlives the call.
struct FoldTools {
  repository::SnapshotWriter& writer;
  const DocumentHasher& hasher;
  const FoldSettings& settings;
  RandomSource& random;
  ProgressSink& progress;
  std::stop_token stop;
  /// Where events may be left out: what no longer fits goes here instead of stopping the fold.
  FoldConflicts* conflicts = nullptr;
};

/// Folds the document changes of a sequence over the held collections, as a new layer each (all in
/// one file), by the rules of docs/decisions/0006-fold.md and each collection's `fit`. Positional
/// collections that changed become stale. Keys whose order of fields cannot be told from events
/// are added to `to_reread`. Returns how many documents the changes made different.
/// Errors: corrupt (a malformed event; strict: one that does not fit, with the collection's name),
/// those of the sequence and the repository; cancelled.
[[nodiscard]] Result<std::uint64_t> fold_events(const EventSequence& events,
                                                const CatalogChanges& changes,
                                                HeldCollections& held, const FoldTools& tools);

/// The keys of `wanted`'s `to_reread` (ascending) that a sequence changes, by collection.
[[nodiscard]] Result<std::map<Uuid, std::vector<bson::Value>>> find_changed_keys(
    const EventSequence& events, const HeldCollections& wanted);

}  // namespace holdfast::changelog
