#pragma once

#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "dataset/reader.h"
#include "mongo/client.h"

namespace holdfast::transfer {

/// What becomes of a document whose key the target has already, and of one that it has not.
enum class ImportMode {
  insert,  ///< Has it: refused and reported. Has it not: inserted.
  upsert,  ///< Has it: replaced. Has it not: inserted.
  merge,   ///< Has it: its fields are set, others stay. Has it not: inserted.
  remove,  ///< Has it: deleted. Has it not: nothing.
};

/// What to do where the target already has a collection of that name.
enum class ExistingTarget {
  refuse,  ///< Write nothing at all.
  keep,    ///< Write into it.
  drop,    ///< Replace it whole.
};

struct LiveImportOptions {
  ImportMode mode = ImportMode::insert;
  ExistingTarget existing = ExistingTarget::refuse;
  /// What documents are the same by, with upsert, merge and remove; empty: `_id`. Dotted paths.
  std::vector<std::string> key_fields;
  /// Inserting connections.
  std::uint32_t workers = 4;
};

struct LiveImportOutcome {
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;  ///< Written, or deleted.
  std::uint64_t bytes = 0;
  std::uint64_t refused_count = 0;
  /// "shop.users _id 5: reason"; at most `max_named_refusals`.
  std::vector<std::string> refused;
};

inline constexpr std::size_t max_named_refusals = 100;

/// Writes these collections of a dump into a server: documents first, then indexes, views last.
/// Documents that the server refuses are named in the outcome, and the rest goes on.
/// Errors: precondition (a collection exists and `existing` is refuse; nothing was written),
/// denied, retry, cancelled, …; what was written until then stays.
[[nodiscard]] Result<LiveImportOutcome> import_live(DatasetReader& dump,
                                                    const std::vector<CollectionInfo>& collections,
                                                    mongo::Client& target,
                                                    const LiveImportOptions& options,
                                                    ProgressSink& progress, std::stop_token stop);

}  // namespace holdfast::transfer
