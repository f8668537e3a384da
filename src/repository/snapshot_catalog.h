#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "repository/context.h"
#include "repository/manifest.h"
#include "repository/manifest_codec.h"
#include "repository/names.h"
#include "repository/repository.h"

namespace holdfast::repository {

/// A snapshot that is there, in its highest whole generation.
struct CatalogEntry {
  SnapshotSummary summary;
  std::uint32_t generation = 1;
};

/// What lies below "<source>/snapshots/" of one or all sources.
struct CatalogListing {
  std::vector<CatalogEntry> snapshots;  ///< Oldest first: by their chain, then by time.
  std::vector<SnapshotTombstone> tombstones;
  /// Blobs that cannot be read as what they are, with the name that they have.
  std::vector<std::pair<SnapshotBlobName, Error>> damaged;
  /// All blobs of the store at that time, if all sources were asked for.
  std::vector<blob::BlobInfo> blobs;
};

/// Finds, reads and changes manifests and their tombstones. Summaries of manifests that were read
/// are kept: they never change under one name. Thread-safe.
class SnapshotCatalog {
 public:
  explicit SnapshotCatalog(Context& context) : context_(context) {}

  enum class Reading { cached, afresh };
  /// One source's, or everybody's if `source` is empty.
  [[nodiscard]] Result<CatalogListing> list(const std::string& source, Reading reading);
  /// Errors: not_found, usage (ambiguous or too short), corrupt.
  [[nodiscard]] Result<CatalogEntry> resolve(std::string_view id);
  /// The manifest whole. Errors: not_found (gone, or a newer generation took its place),
  /// corrupt, …
  [[nodiscard]] Result<Manifest> read(const std::string& source, const std::string& id,
                                      std::uint32_t generation);
  /// Ids that no other manifest or tombstone of this source names as predecessors.
  [[nodiscard]] Result<std::vector<std::string>> heads(const std::string& source);

  /// Encodes, checks and puts the first generation. Errors: precondition (fenced), …
  [[nodiscard]] Status commit(const Manifest& manifest);
  /// Puts a manifest as this generation (2 or more) and removes the lower ones. Errors: exists
  /// (that generation is there), not_found (the snapshot was removed meanwhile).
  [[nodiscard]] Status commit_generation(const Manifest& manifest, std::uint32_t generation);
  [[nodiscard]] Status set_tags(std::string_view id, const std::vector<std::string>& tags);
  [[nodiscard]] Status remove(std::string_view id);
  /// Takes the name of a manifest that was not committed yet, so that it never will be: of this
  /// and that commit exactly one succeeds. Errors: exists (it was committed, or fenced before).
  [[nodiscard]] Status fence(const std::string& source, const std::string& id);

 private:
  using Blobs = std::vector<blob::BlobInfo>;
  struct Group;
  [[nodiscard]] Result<Blobs> stable_listing(const std::string& prefix) const;
  [[nodiscard]] Result<CatalogListing> read_all(const Blobs& blobs, Reading reading);
  [[nodiscard]] Status read_group(const Group& group, Reading reading, CatalogListing& listing);
  [[nodiscard]] Result<std::optional<SnapshotSummary>> read_summary(const SnapshotBlobName& name,
                                                                    std::uint64_t size,
                                                                    Reading reading);
  [[nodiscard]] Result<std::optional<SnapshotSummary>> read_front(const SnapshotBlobName& name,
                                                                  std::uint64_t size) const;
  [[nodiscard]] Status put_manifest(const Manifest& manifest, std::uint32_t generation);
  [[nodiscard]] Status remove_generations(const std::string& source, const std::string& id,
                                          std::uint32_t below);

  Context& context_;
  std::mutex mutex_;
  std::map<std::string, SnapshotSummary, std::less<>> summaries_;  ///< By blob name.
};

/// Sorts so that predecessors come first, else by the time they were finished.
void sort_by_age(std::vector<CatalogEntry>& snapshots,
                 const std::vector<SnapshotTombstone>& tombstones);

}  // namespace holdfast::repository
