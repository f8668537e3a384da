#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast {

/// Reads the documents of one collection, in the order of their keys (capped: by position).
/// Not thread-safe; several cursors of one reader may be used by several threads.
class DocumentCursor {
 public:
  virtual ~DocumentCursor() = default;
  /// The next document, or nothing at the end. The view is valid until the next call.
  /// After an error the cursor is finished.
  [[nodiscard]] virtual Result<std::optional<bson::DocumentView>> next() = 0;
};

/// Anything that holds collections of documents: a live server, a snapshot, memory; later a dump
/// directory or an archive. Thread-safe.
class DatasetReader {
 public:
  virtual ~DatasetReader() = default;
  /// Every collection, view and time series, sorted by namespace.
  [[nodiscard]] virtual Result<std::vector<CollectionInfo>> catalog() = 0;
  /// Errors: not_found.
  [[nodiscard]] virtual Result<std::unique_ptr<DocumentCursor>> open(const Namespace& ns) = 0;
};

}  // namespace holdfast
