#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "backup/backup.h"
#include "backup/window.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "mongo/client.h"
#include "repository/repository.h"

namespace holdfast::backup {

/// Reads the documents named in `to_reread` again, after the boundary up to which everything was
/// folded. A document that no event between that boundary and a second one, behind the reads,
/// changes is now as it was at the boundary: it is stored as read. Of the others the order of
/// fields stays uncertain and is counted. Returns how many documents were read.
/// `marker_database`, `drain`: as StreamDrain::barrier. Errors: as there and of the repository.
[[nodiscard]] Result<std::uint64_t> reread_documents(
    mongo::Client& client, changelog::StreamDrain& drain, const changelog::Boundary& boundary,
    const std::string& marker_database, HeldCollections& held, repository::SnapshotWriter& writer,
    const DocumentHasher& hasher, const BackupOptions& options, RandomSource& random,
    ProgressSink& progress, const std::stop_token& stop);

/// How long a barrier waits for transactions that are open: mongod ends them after 60 s.
inline constexpr std::chrono::seconds barrier_patience{900};

}  // namespace holdfast::backup
