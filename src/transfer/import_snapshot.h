#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "interop/dump_reader.h"
#include "repository/repository.h"
#include "repository/settings.h"

namespace holdfast::transfer {

struct ImportOptions {
  /// What the snapshot says of its origin.
  repository::SourceIdentity source;
  /// Why the snapshot is no more than best-effort; counts too where the dump has an oplog and is
  /// not `complete`.
  std::string reason;
  bool complete = true;
  /// When the dump was taken; now where nothing tells it.
  std::optional<WallTime> taken;
  /// Whether the collections given are all of their databases.
  bool whole = true;
  std::vector<std::string> tags;
  repository::LayoutSettings layout;
  /// For sorting, and where what is more goes, encrypted.
  std::uint64_t memory_bytes = 64ULL * 1024 * 1024;
  std::filesystem::path spool_folder = "/tmp";
  /// Of a dump with an oplog: changes visible at this time or later are left out; nothing: none.
  std::optional<ClusterTime> oplog_before;
  /// A snapshot of this source whose collections are used again where they are equal.
  std::optional<std::string> share_with;
};

struct ImportOutcome {
  repository::SnapshotSummary summary;
  /// Collections that equal those of `share_with`, and were not stored again.
  std::uint64_t shared_collections = 0;
  /// Changes of the dump's oplog that were folded.
  std::uint64_t oplog_changes = 0;
  /// Sentences for people: what the oplog could not settle.
  std::vector<std::string> warnings;
};

/// Makes a snapshot of these collections of a dump. They are sorted by key where they are not; a
/// capped collection keeps its order. A dump's oplog is folded over them: the snapshot is then
/// exact at the time of its last change, as far as the oplog was not cut. Nothing is committed
/// unless everything was read. Errors: corrupt (damage; two documents with one `_id`), unsupported
/// (a document without `_id`), no_space, cancelled, …
[[nodiscard]] Result<ImportOutcome> import_snapshot(interop::DumpReader& dump,
                                                    const std::vector<CollectionInfo>& collections,
                                                    repository::Repository& repository,
                                                    const ImportOptions& options,
                                                    RandomSource& random, ProgressSink& progress,
                                                    std::stop_token stop);

}  // namespace holdfast::transfer
