#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "mongo/client.h"
#include "repository/repository.h"

namespace holdfast::restore {

/// Reads a collection back from the server and compares count, fingerprint and options with the
/// snapshot, and the indexes given. Returns what differs, in words; empty means identical.
[[nodiscard]] Result<std::vector<std::string>> compare_collection(
    mongo::Client& target, const Namespace& restored, const repository::SnapshotCollection& wanted,
    const DocumentHasher& hasher, std::uint32_t workers, ProgressSink& progress,
    const std::stop_token& stop);

/// What a merge left on the server.
struct MergedComparison {
  std::vector<std::string> differences;  ///< What is wrong, in words.
  std::uint64_t kept_different = 0;      ///< The target's own, kept in place of the snapshot's.
  std::uint64_t beside = 0;              ///< Of keys that the snapshot does not have.
};

/// After a merge: whether every document of the snapshot is there with equal bytes. `kept`: how
/// many of the target's were kept, and so may be different.
[[nodiscard]] Result<MergedComparison> compare_merged(mongo::Client& target,
                                                      const Namespace& restored,
                                                      repository::SnapshotReader& snapshot,
                                                      const CollectionInfo& source,
                                                      std::uint64_t kept, ProgressSink& progress,
                                                      const std::stop_token& stop);

/// Options of a collection as they are and as they should be; what differs, in words.
[[nodiscard]] std::vector<std::string> compare_options(bson::DocumentView wanted,
                                                       bson::DocumentView actual);

}  // namespace holdfast::restore
