#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "repository/lease.h"
#include "repository/merge.h"
#include "repository/repository.h"
#include "repository/segment_writer.h"
#include "repository/snapshot_catalog.h"

namespace holdfast::repository {

/// SnapshotWriter over a blob store. The context and the catalog must outlive it.
class StoredSnapshotWriter final : public SnapshotWriter {
 public:
  /// Errors: usage (a source id that cannot be a folder's name), io, …
  [[nodiscard]] static Result<std::unique_ptr<SnapshotWriter>> begin(Context& context,
                                                                     SnapshotCatalog& catalog,
                                                                     const SourceIdentity& source,
                                                                     const LayoutSettings& layout);

  const std::string& snapshot_id() const override { return id_; }
  Result<std::unique_ptr<SegmentStream>> open_stream() override;
  Result<std::unique_ptr<EntryCursor>> read_back(const std::vector<Layer>& layers,
                                                 bool with_removes) override;
  Result<std::optional<bson::Document>> find(const std::vector<Layer>& layers,
                                             bson::ValueView key) override;
  Result<SnapshotSummary> commit(Manifest manifest) override;

 private:
  StoredSnapshotWriter(Context& context, SnapshotCatalog& catalog, const SourceIdentity& source,
                       const LayoutSettings& layout, std::string id, std::unique_ptr<Lease> lease);
  [[nodiscard]] Status close_streams();
  [[nodiscard]] Result<StoredLayers> own_layers(const std::vector<Layer>& layers);
  [[nodiscard]] Result<std::shared_ptr<SegmentFile>> open_file(const SegmentRef& segment);

  Context& context_;
  SnapshotCatalog& catalog_;
  const SourceIdentity source_;
  const LayoutSettings layout_;
  const std::string id_;
  const WallTime started_;
  std::shared_ptr<OwnFiles> files_ = std::make_shared<OwnFiles>();
  PointReader points_;
  std::mutex mutex_;
  std::unique_ptr<Lease> lease_;
  std::vector<std::shared_ptr<StreamCore>> streams_;
  std::map<std::uint32_t, std::shared_ptr<SegmentFile>> open_files_;  ///< By handle.
  bool committed_ = false;
};

/// Replaces handles and the parent's indices by indices into a list of the files that segments
/// name; `files` becomes that list. Returns the bytes of files written by this writer.
/// Errors: precondition.
[[nodiscard]] Result<std::uint64_t> resolve_files(Manifest& manifest, const OwnFiles& own);

}  // namespace holdfast::repository
