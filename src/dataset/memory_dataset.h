#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "bson/order.h"
#include "dataset/reader.h"
#include "dataset/writer.h"

namespace holdfast {

/// Collections in memory: a small source or target, e.g. for tests. Owns everything; thread-safe.
/// A cursor walks the content as it was when it was opened.
class MemoryDataset final : public DatasetReader, public DatasetWriter {
 public:
  [[nodiscard]] Result<std::vector<CollectionInfo>> catalog() override;
  [[nodiscard]] Result<std::unique_ptr<DocumentCursor>> open(const Namespace& ns) override;

  [[nodiscard]] Status create(const CollectionInfo& info) override;
  /// Refuses documents without `_id`, and an `_id` that is there already.
  [[nodiscard]] Result<std::vector<RefusedDocument>> insert(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) override;
  [[nodiscard]] Status create_indexes(const Namespace& ns,
                                      const std::vector<bson::Document>& indexes) override;

  /// All documents in the order of a cursor. Errors: not_found.
  [[nodiscard]] Result<std::vector<bson::Document>> documents(const Namespace& ns);

 private:
  struct KeyLess {
    bool operator()(const bson::Value& a, const bson::Value& b) const {
      return bson::less(a.view(), b.view());
    }
  };
  struct Collection {
    CollectionInfo info;
    std::map<bson::Value, std::size_t, KeyLess> by_key;  ///< Index into `documents`.
    std::vector<bson::Document> documents;               ///< In the order of insertion.
  };
  [[nodiscard]] Result<Collection*> find(const Namespace& ns);
  [[nodiscard]] static std::vector<bson::Document> ordered(const Collection& collection);

  std::mutex mutex_;
  std::map<Namespace, Collection> collections_;
};

}  // namespace holdfast
