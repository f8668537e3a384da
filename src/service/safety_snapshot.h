#pragma once

#include <stop_token>
#include <string>

#include "backup/backup.h"
#include "base/clock.h"
#include "base/progress.h"
#include "base/random.h"
#include "mongo/client.h"
#include "repository/repository.h"
#include "restore/restore.h"

namespace holdfast::service {

/// Tag of every snapshot taken here.
inline constexpr std::string_view safety_tag = "safety";

/// Whether this snapshot was taken here, and is not one of the backups in the usual sense.
[[nodiscard]] bool is_safety_snapshot(const repository::SnapshotSummary& summary);

/// What "latest" means to people: the newest snapshot that is not a safety snapshot, since that
/// holds just what a restore was meant to replace (and an interrupted one is run again with the
/// same words). Any other text is returned as it is. Errors: not_found (there is none), those of
/// the repository.
[[nodiscard]] Result<std::string> resolve_latest(repository::Repository& repository,
                                                 const std::string& snapshot);

/// What a restore in place calls before it drops: a critical snapshot of exactly these namespaces
/// of the target (more only where a name holds a glob's sign), into the same repository.
/// `options` gives workers, layout and spool folder; the rest of it is filled in. Everything
/// passed by reference must outlive the function returned.
[[nodiscard]] restore::SafetySnapshot make_safety_snapshot(
    mongo::Client& target, repository::Repository& repository, backup::BackupOptions options,
    const Clock& clock, RandomSource& random, ProgressSink& progress, std::stop_token stop);

}  // namespace holdfast::service
