#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/backup.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "changelog/held_collection.h"
#include "mongo/client.h"
#include "repository/repository.h"

namespace holdfast::backup {

/// What a scan works with; all of it outlives the call.
struct ScanTools {
  mongo::Client& client;
  repository::SnapshotWriter& writer;
  const DocumentHasher& hasher;
  const BackupOptions& options;
  RandomSource& random;
  ProgressSink& progress;
  std::stop_token stop;
};

/// What a scan is compared with: only what differs from it is written.
struct ScanBases {
  const changelog::HeldCollections& collections;  ///< In layers that the writer can read back.
  /// Those of strict fit are exactly the state when the scan begins: keep the keys of all
  /// differences.
  bool audited = false;
};

/// What reading some collections gave.
struct ScanOutcome {
  /// Read whole; what was written meanwhile may be in it or not.
  std::vector<changelog::HeldCollection> read;
  /// Dropped or renamed while they were read; nothing of them is kept.
  std::vector<CollectionInfo> lost;
  /// The latest operationTime of all replies; null on a standalone.
  ClusterTime latest_read;
  /// Bases that could not be read, in words; their collections were written anew.
  std::vector<std::string> damaged_bases;
};

/// Reads collections in parallel, several key ranges of a large one at once. Those without a base
/// go into new segments; of the others the differences become a layer over the base's, and every
/// byte of the base is authenticated and decoded on the way. A base that is damaged counts for
/// nothing. Every read is of majority-committed data, not older than `not_before` (null: plain
/// reads). Errors: those of mongo::open_scan and of the repository's writer; cancelled.
[[nodiscard]] Result<ScanOutcome> scan_collections(const ScanTools& tools,
                                                   const std::vector<CollectionInfo>& collections,
                                                   const ScanBases& bases, ClusterTime not_before);

}  // namespace holdfast::backup
