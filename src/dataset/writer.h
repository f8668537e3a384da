#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast {

/// A document that the target refused, and why.
struct RefusedDocument {
  bson::Value id;
  std::string reason;
};

/// Takes collections and their documents: a live server, memory; later a directory or an
/// archive. Calls for one collection come in the order create, insert…, indexes; insert may be
/// called from several threads at once unless the collection is capped.
class DatasetWriter {
 public:
  virtual ~DatasetWriter() = default;
  /// Creates the collection (or view) with its options and `_id` index. Errors: exists.
  [[nodiscard]] virtual Status create(const CollectionInfo& info) = 0;
  /// Adds documents, validators bypassed, each stored byte for byte. Returns those refused
  /// (duplicate keys and the like); an error means that the batch may be there in part.
  [[nodiscard]] virtual Result<std::vector<RefusedDocument>> insert(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) = 0;
  /// Builds the given indexes (the `_id` index among them is passed over).
  [[nodiscard]] virtual Status create_indexes(const Namespace& ns,
                                              const std::vector<bson::Document>& indexes) = 0;
};

}  // namespace holdfast
