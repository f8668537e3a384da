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
  [[nodiscard]] static Result<std::unique_ptr<StoredSnapshotWriter>> begin(
      Context& context, SnapshotCatalog& catalog, const SourceIdentity& source,
      const LayoutSettings& layout, std::vector<FileRef> parent);

  const std::string& snapshot_id() const override { return id_; }
  Result<std::unique_ptr<SegmentStream>> open_stream() override;
  Result<std::unique_ptr<EntryCursor>> read_back(const std::vector<Layer>& layers,
                                                 const KeyRange& range, bool with_removes) override;
  Result<std::optional<bson::Document>> find(const std::vector<Layer>& layers,
                                             bson::ValueView key) override;
  Result<SnapshotSummary> commit(Manifest manifest) override;
  /// Instead of commit: the manifest, whose files are the parent's, becomes the next generation of
  /// its snapshot. Returns the bytes written. Errors: as commit; exists (somebody else was faster,
  /// nothing changed).
  [[nodiscard]] Result<std::uint64_t> commit_generation(Manifest manifest,
                                                        std::uint32_t generation);

 private:
  StoredSnapshotWriter(Context& context, SnapshotCatalog& catalog, const SourceIdentity& source,
                       const LayoutSettings& layout, std::vector<FileRef> parent, std::string id,
                       std::unique_ptr<Lease> lease);
  /// Closes the streams, resolves files and checks the layers. Returns the bytes written.
  [[nodiscard]] Result<std::uint64_t> prepare(Manifest& manifest);
  [[nodiscard]] Status close_streams();
  [[nodiscard]] Result<StoredLayers> open_layers(const std::vector<Layer>& layers);
  [[nodiscard]] Result<FileRef> find_file(std::uint32_t file) const;
  [[nodiscard]] Result<std::shared_ptr<SegmentFile>> open_file(const SegmentRef& segment);

  Context& context_;
  SnapshotCatalog& catalog_;
  const SourceIdentity source_;
  const LayoutSettings layout_;
  const std::vector<FileRef> parent_files_;
  const std::string id_;
  const WallTime started_;
  std::shared_ptr<OwnFiles> files_ = std::make_shared<OwnFiles>();
  PointReader points_;
  std::mutex mutex_;
  std::unique_ptr<Lease> lease_;
  std::vector<std::shared_ptr<StreamCore>> streams_;
  /// By handle, or by index into the parent's files.
  std::map<std::uint32_t, std::shared_ptr<SegmentFile>> open_files_;
  bool committed_ = false;
};

/// Replaces handles and indices into the parent's files by indices into a list of the files that
/// segments name; `files` becomes that list. Returns the bytes of files written by this writer.
/// Errors: precondition.
[[nodiscard]] Result<std::uint64_t> resolve_files(Manifest& manifest,
                                                  const std::vector<FileRef>& parent,
                                                  const OwnFiles& own);

}  // namespace holdfast::repository
