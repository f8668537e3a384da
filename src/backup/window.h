#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <stop_token>
#include <string>

#include "backup/backup.h"
#include "backup/held_collection.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "changelog/stream_drain.h"
#include "repository/repository.h"

namespace holdfast::backup {

/// What changes of the catalog a window of events holds.
struct CatalogChanges {
  /// Created, dropped or renamed (from and to): rows read under these names during the window
  /// may belong to another collection.
  std::set<Namespace> rebound;
  std::set<Uuid> rebound_uuids;
  /// Also those whose options or indexes changed: their catalog entry must be read again.
  std::set<Namespace> touched;
  std::set<std::string> dropped_databases;
  /// Created inside the window, by UUID: empty at first, so that folding makes them whole.
  std::set<Uuid> born;
  /// Some document change told no UUID (a server before 6.0): identities go by name.
  bool names_only = false;
  std::uint64_t document_changes = 0;

  [[nodiscard]] bool none() const { return touched.empty() && dropped_databases.empty(); }
  [[nodiscard]] bool touches(const Namespace& ns) const {
    return touched.contains(ns) || dropped_databases.contains(ns.database);
  }
  [[nodiscard]] bool rebinds(const HeldCollection& held) const {
    return rebound.contains(held.info.ns) || rebound_uuids.contains(identity_of(held.info)) ||
           dropped_databases.contains(held.info.ns.database);
  }
};

/// A stretch of the drained stream between two boundaries.
struct Window {
  const changelog::StreamDrain& drain;
  changelog::Boundary from;
  changelog::Boundary to;
};

/// Collects the catalog's changes of a window. `in_scope`: databases that are backed up.
[[nodiscard]] Result<CatalogChanges> read_catalog_changes(
    const Window& window, const std::function<bool(std::string_view)>& in_scope);

/// Folds the document changes of a window over the held collections, as a new layer each
/// (all in one file). Positional collections that changed become stale. Keys that cannot be made
/// exact from events alone are added to `to_reread`. Returns how many documents the changes made
/// different from what had been read.
/// Errors: those of the spool and the repository; corrupt (a malformed event); cancelled.
[[nodiscard]] Result<std::uint64_t> fold_window(
    const Window& window, const CatalogChanges& changes, HeldCollections& held,
    repository::SnapshotWriter& writer, const DocumentHasher& hasher, const BackupOptions& options,
    RandomSource& random, ProgressSink& progress, const std::stop_token& stop);

/// The keys of `wanted` (by collection, ascending) that a window changes.
[[nodiscard]] Result<std::map<Uuid, std::vector<bson::Value>>> find_changed_keys(
    const Window& window, const HeldCollections& wanted);

}  // namespace holdfast::backup
