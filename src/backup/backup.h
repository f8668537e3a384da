#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "mongo/client.h"
#include "repository/repository.h"
#include "repository/settings.h"

namespace holdfast::backup {

enum class BackupKind {
  /// Reads everything; what equals the parent is shared with it, and the parent is audited.
  full,
  /// Reads what changed since the parent: from the log, or where there is none by comparing.
  incremental,
};

/// What is backed up, and how.
struct BackupOptions {
  BackupKind kind = BackupKind::full;
  /// Share no segment with any earlier snapshot. The log goes on all the same.
  bool independent = false;
  /// Databases in scope; empty means every one but admin, config and local.
  std::vector<std::string> databases;
  /// Globs (`*`, `?`) over "collection" or "database.collection"; empty means all.
  std::vector<std::string> collections;
  std::vector<std::string> exclude;
  std::vector<std::string> tags;
  /// Kept for ever, and why; empty for an ordinary snapshot.
  std::string critical_reason;
  repository::LayoutSettings layout;
  /// Scanning threads, each with one cursor.
  std::uint32_t workers = 3;
  /// Bound on buffers for events and sorting, in bytes (scanning has its own, by workers).
  std::uint64_t memory_bytes = 64ULL * 1024 * 1024;
  /// Where encrypted spools and sort runs go.
  std::filesystem::path spool_folder = "/tmp";
  /// After so many windows what still cannot be made exact is recorded as best-effort.
  std::uint32_t max_rounds = 5;
};

struct BackupOutcome {
  repository::SnapshotSummary summary;
  /// Sentences for the operator: why something is only best-effort, what was left out.
  std::vector<std::string> warnings;
  std::uint64_t events = 0;  ///< Change events folded.
  /// Documents that had changed between being scanned and the end of the window.
  std::uint64_t changed_after_scan = 0;
  std::uint32_t rounds = 1;            ///< Windows that were needed.
  std::uint64_t scanned_again = 0;     ///< Collections read again because they moved.
  std::uint64_t reread_documents = 0;  ///< Read again to learn the order of their fields.
  /// Documents whose values are exact but whose order of fields could not be told.
  std::uint64_t order_uncertain = 0;
  /// Damage of the parent, and documents that no event explains: found, and put right in this
  /// snapshot.
  std::vector<std::string> findings;
  std::uint64_t order_corrected = 0;  ///< Documents whose order of fields the audit put right.
  bool audited = false;               ///< The parent and the log were compared with the server.
  double seconds = 0;
};

/// Makes a snapshot. On a deployment with a log it is exact at one cluster time per namespace: a
/// full one by scan + fold, an incremental one by folding the events since its parent. Without a
/// log, or after a gap in it, everything is scanned and compared with the parent. The events that
/// were read are kept as log. A crash or an error leaves the repository as it was, with garbage
/// at most.
/// Errors: not_found (no such database or collection), denied, retry (server away for longer
/// than the retries), gap (the log was overrun during the scan), cancelled, no_space, …
[[nodiscard]] Result<BackupOutcome> run_backup(mongo::Client& client,
                                               repository::Repository& repository,
                                               const BackupOptions& options, const Clock& clock,
                                               RandomSource& random, ProgressSink& progress,
                                               std::stop_token stop);

}  // namespace holdfast::backup
