#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/backup.h"
#include "backup/held_collection.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "mongo/client.h"
#include "repository/repository.h"

namespace holdfast::backup {

/// What reading some collections gave.
struct ScanOutcome {
  /// Read whole; what was written meanwhile may be in it or not.
  std::vector<HeldCollection> read;
  /// Dropped or renamed while they were read; nothing of them is kept.
  std::vector<CollectionInfo> lost;
  /// The latest operationTime of all replies; null on a standalone.
  ClusterTime latest_read;
};

/// Reads collections in parallel, several key ranges of a large one at once, into new segments.
/// Every read is of majority-committed data, not older than `not_before` (null: plain reads).
/// Errors: those of mongo::open_scan and of the repository's writer; cancelled.
[[nodiscard]] Result<ScanOutcome> scan_collections(mongo::Client& client,
                                                   repository::SnapshotWriter& writer,
                                                   const std::vector<CollectionInfo>& collections,
                                                   ClusterTime not_before,
                                                   const BackupOptions& options,
                                                   RandomSource& random, ProgressSink& progress,
                                                   std::stop_token stop);

}  // namespace holdfast::backup
