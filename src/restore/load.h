#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "mongo/live_writer.h"
#include "repository/repository.h"
#include "restore/restore.h"

namespace holdfast::restore {

/// Refusals named in an outcome, a collection; the rest is counted.
inline constexpr std::size_t max_named_refusals = 20;

struct LoadOutcome {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::uint64_t kept = 0;  ///< merge, keep: documents of the target that stayed.
  std::uint64_t refused_count = 0;
  std::vector<std::string> refused;
};

/// Writes all documents of one collection of a snapshot into `target`, over several connections
/// (capped and time series: one, in order). Errors: corrupt, retry, denied, cancelled, …
[[nodiscard]] Result<LoadOutcome> load_documents(repository::SnapshotReader& snapshot,
                                                 const CollectionInfo& source,
                                                 mongo::LiveWriter& writer, const Namespace& target,
                                                 const RestoreOptions& options,
                                                 ProgressSink& progress,
                                                 const std::stop_token& stop);

}  // namespace holdfast::restore
