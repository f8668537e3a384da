#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "dataset/reader.h"
#include "dataset/selection.h"
#include "interop/dump_writer.h"

namespace holdfast::transfer {

/// Which documents leave; nothing means all. Called from one thread.
using DocumentFilter = std::function<bool(bson::DocumentView)>;

struct ExportOutcome {
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;  ///< Of BSON documents.
};

/// The chosen part of a dataset's catalog. Errors: not_found (a glob that matches nothing).
[[nodiscard]] Result<std::vector<CollectionInfo>> choose_collections(DatasetReader& from,
                                                                     const Selection& selection);

/// Writes these collections of `from` into `to`, one after another, and finishes it.
/// Errors: those of reader and writer, with the collection; cancelled. After one `to` leaves
/// nothing behind.
[[nodiscard]] Result<ExportOutcome> export_dataset(DatasetReader& from,
                                                   const std::vector<CollectionInfo>& collections,
                                                   interop::DumpWriter& to,
                                                   const DocumentFilter& filter,
                                                   ProgressSink& progress, std::stop_token stop);

}  // namespace holdfast::transfer
