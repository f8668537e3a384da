#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "repository/context.h"
#include "repository/log_store.h"
#include "repository/snapshot_catalog.h"

namespace holdfast::repository {

struct VerifyOptions {
  bool read_data = false;
  std::vector<std::string> snapshots;  ///< Ids or prefixes; empty means all.
};

/// See Repository::verify. Reads with as many threads as the machine has, four at most.
/// Errors: not_found and usage (a snapshot asked for), cancelled, retry.
[[nodiscard]] Result<VerifyReport> verify_repository(Context& context, SnapshotCatalog& catalog,
                                                     LogStore& log, const VerifyOptions& options,
                                                     ProgressSink& progress, std::stop_token stop);

/// A manifest, fence or tombstone that cannot be read.
[[nodiscard]] Damage damaged_snapshot_blob(const SnapshotBlobName& name, const Error& error);

}  // namespace holdfast::repository
