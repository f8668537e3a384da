#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "repository/merge.h"
#include "repository/repository.h"

namespace holdfast::repository {

/// The files that a manifest lists, opened for reading. The context must outlive them.
[[nodiscard]] std::vector<std::shared_ptr<SegmentFile>> open_files(const Context& context,
                                                                   const Manifest& manifest);
/// A collection's layers with their files.
[[nodiscard]] StoredLayers stored_layers(const SnapshotCollection& collection,
                                         const std::vector<std::shared_ptr<SegmentFile>>& files);

/// SnapshotReader over a blob store. The context must outlive it.
class StoredSnapshotReader final : public SnapshotReader {
 public:
  StoredSnapshotReader(Context& context, Manifest manifest);

  const Manifest& manifest() const override { return manifest_; }
  Result<std::vector<CollectionInfo>> catalog() override;
  Result<std::unique_ptr<DocumentCursor>> open(const Namespace& ns) override;
  Result<std::size_t> part_count(const Namespace& ns, std::size_t parts) override;
  Result<std::unique_ptr<DocumentCursor>> open_part(const Namespace& ns, std::size_t parts,
                                                    std::size_t part) override;
  Result<std::optional<bson::Document>> find(const Namespace& ns, bson::ValueView key) override;

 private:
  /// Keys at which the collection is cut, ascending; one less than there are parts.
  using Cuts = std::vector<bson::Value>;
  [[nodiscard]] Result<const SnapshotCollection*> collection(const Namespace& ns) const;
  [[nodiscard]] Result<std::shared_ptr<const Cuts>> cuts(const SnapshotCollection& collection,
                                                         std::size_t parts);

  Context& context_;
  const Manifest manifest_;
  const std::vector<std::shared_ptr<SegmentFile>> files_;
  PointReader points_;
  std::mutex mutex_;
  std::map<std::pair<Namespace, std::size_t>, std::shared_ptr<const Cuts>> cuts_;
};

}  // namespace holdfast::repository
