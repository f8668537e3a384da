#include "dataset/memory_dataset.h"

#include <utility>

namespace holdfast {
namespace {

class VectorCursor final : public DocumentCursor {
 public:
  explicit VectorCursor(std::vector<bson::Document> documents) : documents_(std::move(documents)) {}

  Result<std::optional<bson::DocumentView>> next() override {
    if (at_ == documents_.size()) return std::optional<bson::DocumentView>();
    return std::optional<bson::DocumentView>(documents_[at_++].view());
  }

 private:
  std::vector<bson::Document> documents_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<CollectionInfo>> MemoryDataset::catalog() {
  const std::scoped_lock lock(mutex_);
  std::vector<CollectionInfo> infos;
  infos.reserve(collections_.size());
  for (const auto& [ns, collection] : collections_) infos.push_back(collection.info);
  return infos;
}

Result<std::unique_ptr<DocumentCursor>> MemoryDataset::open(const Namespace& ns) {
  HOLDFAST_TRY(std::vector<bson::Document> all, documents(ns));
  return std::unique_ptr<DocumentCursor>(std::make_unique<VectorCursor>(std::move(all)));
}

Status MemoryDataset::create(const CollectionInfo& info) {
  const std::scoped_lock lock(mutex_);
  Collection collection{info, {}, {}};
  std::erase_if(collection.info.indexes, [](const bson::Document& index) {
    return index.view().find_string("name") != "_id_";
  });
  const bool added = collections_.try_emplace(info.ns, std::move(collection)).second;
  if (!added) return Error(ErrorCode::exists, info.ns.text() + " exists already");
  return {};
}

Result<std::vector<RefusedDocument>> MemoryDataset::insert(
    const Namespace& ns, const std::vector<bson::DocumentView>& batch) {
  const std::scoped_lock lock(mutex_);
  HOLDFAST_TRY(Collection* const collection, find(ns));
  std::vector<RefusedDocument> refused;
  for (const bson::DocumentView document : batch) {
    const auto id = document.find("_id");
    if (!id) {
      refused.push_back({bson::Value(bson::Type::null, {}), "it has no _id"});
      continue;
    }
    const auto at = collection->documents.size();
    if (!collection->by_key.try_emplace(bson::Value(*id), at).second) {
      refused.push_back({bson::Value(*id), "this _id is there already"});
      continue;
    }
    collection->documents.emplace_back(document);
  }
  return refused;
}

Status MemoryDataset::create_indexes(const Namespace& ns,
                                     const std::vector<bson::Document>& indexes) {
  const std::scoped_lock lock(mutex_);
  HOLDFAST_TRY(Collection* const collection, find(ns));
  for (const bson::Document& index : indexes) {
    if (index.view().find_string("name") == "_id_") continue;
    collection->info.indexes.push_back(index);
  }
  return {};
}

Result<std::vector<bson::Document>> MemoryDataset::documents(const Namespace& ns) {
  const std::scoped_lock lock(mutex_);
  HOLDFAST_TRY(Collection* const collection, find(ns));
  return ordered(*collection);
}

Result<MemoryDataset::Collection*> MemoryDataset::find(const Namespace& ns) {
  const auto found = collections_.find(ns);
  if (found == collections_.end()) {
    return Error(ErrorCode::not_found, "there is no collection " + ns.text());
  }
  return &found->second;
}

std::vector<bson::Document> MemoryDataset::ordered(const Collection& collection) {
  if (collection.info.capped()) return collection.documents;
  std::vector<bson::Document> documents;
  documents.reserve(collection.documents.size());
  for (const auto& [key, at] : collection.by_key) documents.push_back(collection.documents[at]);
  return documents;
}

}  // namespace holdfast
