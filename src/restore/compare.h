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
    std::stop_token stop);

/// After a merge: whether every document of the snapshot is there with equal bytes. `allowed`:
/// how many may be missing or different, because the target's were kept.
[[nodiscard]] Result<std::vector<std::string>> compare_merged(
    mongo::Client& target, const Namespace& restored, repository::SnapshotReader& snapshot,
    const CollectionInfo& source, std::uint64_t allowed, ProgressSink& progress,
    std::stop_token stop);

/// Options of a collection as they are and as they should be; what differs, in words.
[[nodiscard]] std::vector<std::string> compare_options(bson::DocumentView wanted,
                                                       bson::DocumentView actual);

}  // namespace holdfast::restore
