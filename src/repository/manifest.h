#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "dataset/types.h"
#include "repository/log_segment.h"
#include "repository/segment.h"

namespace holdfast::repository {

/// One collection (or view) inside a snapshot.
struct SnapshotCollection {
  CollectionInfo info;
  Consistency consistency;
  Fingerprint fingerprint;           ///< Of the merged documents.
  std::uint64_t document_bytes = 0;  ///< Of the merged documents.
  /// Documents whose values are right but whose order of fields could not be told.
  std::uint64_t order_uncertain = 0;
  /// Oldest first; a newer layer wins.
  std::vector<Layer> layers;
};

/// Where a snapshot came from. `id` is the replica set's id where there is one (never the URI),
/// else one that was made up when the source was first seen, by host and scope.
struct SourceIdentity {
  std::string id;           ///< Also the folder in the repository: [a-z0-9-]+.
  std::string description;  ///< Host and replica set, without credentials, to show.
  std::string server_version;
};

/// How a snapshot came about. Whatever it is, it reads as a whole one.
enum class SnapshotKind {
  full,         ///< Everything was read from the server (and shared with the parent where equal).
  incremental,  ///< The parent and the changes since.
  moment,       ///< The parent and stored changes up to a chosen time; no server was read.
  imported,     ///< From a dump.
};

[[nodiscard]] std::string_view name_of(SnapshotKind kind);

/// What listing shows; stands in the first block of a manifest, so that it is cheap to read.
struct SnapshotSummary {
  std::string id;  ///< 16 hexadecimal digits.
  SourceIdentity source;
  SnapshotKind kind = SnapshotKind::full;
  std::string parent;                  ///< Whose segments it shares; empty if nobody's.
  std::vector<std::string> databases;  ///< In scope, sorted.
  /// The whole of those databases (false: chosen collections).
  bool whole = true;
  WallTime started{};
  WallTime finished{};
  /// The weakest of its namespaces, and the cluster time that all exact ones share.
  Consistency consistency;
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t document_bytes = 0;
  std::uint64_t stored_bytes = 0;  ///< New in this snapshot.
  std::vector<std::string> tags;
  /// Why it is kept for ever; empty for ordinary ones.
  std::string critical_reason;
  /// Names of the manifests that were newest when this one was committed (usually one).
  std::vector<std::string> predecessors;
  /// The log before this snapshot was lost: since when, and why.
  std::optional<LogGap> lost_log;
};

/// A snapshot whole.
struct Manifest {
  SnapshotSummary summary;
  std::vector<FileRef> files;
  std::vector<SnapshotCollection> collections;  ///< Sorted by namespace.
  /// Change stream position to go on from (the driver's token document), where there is one.
  std::optional<bson::Document> resume_token;
  /// Key files that existed at commit, so that a lost one is noticed.
  std::vector<std::string> keys;
};

}  // namespace holdfast::repository
