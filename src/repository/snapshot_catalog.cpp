#include "repository/snapshot_catalog.h"

#include <algorithm>
#include <set>
#include <utility>

#include "repository/header.h"

namespace holdfast::repository {
namespace {

/// Others may commit, remove and tag while we list; so often is the listing begun again.
constexpr int max_attempts = 8;
/// About 1 KiB each.
constexpr std::size_t max_cached_summaries = 20'000;
constexpr std::size_t least_prefix_digits = 4;
constexpr std::size_t snapshot_id_digits = 16;

bool is_damage(const Error& error) {
  return error.code() == ErrorCode::corrupt || error.code() == ErrorCode::io ||
         error.code() == ErrorCode::denied || error.code() == ErrorCode::precondition;
}

std::string blob_name(const SnapshotBlobName& name) {
  return name.generation == 0 ? tombstone_name(name.source, name.id)
                              : manifest_name(name.source, name.id, name.generation);
}

bool same_names(const std::vector<blob::BlobInfo>& a, const std::vector<blob::BlobInfo>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const blob::BlobInfo& x, const blob::BlobInfo& y) { return x.name == y.name; });
}

}  // namespace

/// All blobs of one snapshot.
struct SnapshotCatalog::Group {
  std::optional<SnapshotBlobName> tombstone;
  /// Highest generation first, with their sizes.
  std::vector<std::pair<SnapshotBlobName, std::uint64_t>> generations;
};

Result<SnapshotCatalog::Blobs> SnapshotCatalog::stable_listing(const std::string& prefix) const {
  // A change of tags puts a blob and removes another; a listing that runs meanwhile may see
  // neither. Two equal ones in a row saw everything.
  HOLDFAST_TRY(Blobs blobs, context_.store.list(prefix));
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    HOLDFAST_TRY(Blobs again, context_.store.list(prefix));
    const bool stable = same_names(blobs, again);
    blobs = std::move(again);
    if (stable) break;
  }
  return blobs;
}

Result<CatalogListing> SnapshotCatalog::list(const std::string& source, Reading reading) {
  const std::string prefix = source.empty() ? "" : snapshots_prefix(source);
  for (int attempt = 0;; ++attempt) {
    HOLDFAST_TRY(Blobs blobs, stable_listing(prefix));
    auto listing = read_all(blobs, reading);
    if (listing.ok()) {
      sort_by_age(listing->snapshots, listing->tombstones);
      if (source.empty()) listing->blobs = std::move(blobs);
      return listing;
    }
    const bool changed = listing.error().code() == ErrorCode::not_found;
    if (!changed || attempt == max_attempts) return listing.error();
  }
}

Result<CatalogListing> SnapshotCatalog::read_all(const Blobs& blobs, Reading reading) {
  std::map<std::pair<std::string, std::string>, Group> groups;
  for (const blob::BlobInfo& blob : blobs) {
    const auto name = parse_snapshot_blob(blob.name);
    if (!name) continue;
    Group& group = groups[{name->source, name->id}];
    if (name->generation == 0) {
      group.tombstone = *name;
    } else {
      group.generations.emplace_back(*name, blob.size);
    }
  }
  CatalogListing listing;
  for (auto& [id, group] : groups) {
    std::sort(group.generations.begin(), group.generations.end(),
              [](const auto& a, const auto& b) { return a.first.generation > b.first.generation; });
    HOLDFAST_CHECK(read_group(group, reading, listing));
  }
  return listing;
}

Status SnapshotCatalog::read_group(const Group& group, Reading reading, CatalogListing& listing) {
  if (group.tombstone) {
    const std::string name = blob_name(*group.tombstone);
    const auto blocks = get_object(context_, SealKind::tombstone, name);
    auto tombstone = blocks.ok() ? decode_tombstone(*blocks) : blocks.error();
    if (tombstone.ok() && tombstone->id == group.tombstone->id &&
        tombstone->source == group.tombstone->source) {
      listing.tombstones.push_back(std::move(*tombstone));
      return {};  // what is left of its manifest does not count
    }
    const Error error = tombstone.ok() ? Error(ErrorCode::corrupt, name + ": of another snapshot")
                                       : tombstone.error();
    if (!is_damage(error)) return error;
    listing.damaged.emplace_back(*group.tombstone, error);
  }
  for (const auto& [name, size] : group.generations) {
    auto summary = read_summary(name, size, reading);
    if (summary.ok()) {
      if (*summary) listing.snapshots.push_back({std::move(**summary), name.generation});
      break;
    }
    if (!is_damage(summary.error())) return summary.error();
    listing.damaged.emplace_back(name, summary.error());
  }
  return {};
}

Result<std::optional<SnapshotSummary>> SnapshotCatalog::read_summary(const SnapshotBlobName& name,
                                                                     std::uint64_t size,
                                                                     Reading reading) {
  const std::string blob = blob_name(name);
  if (reading == Reading::cached) {
    const std::scoped_lock lock(mutex_);
    const auto found = summaries_.find(blob);
    if (found != summaries_.end()) return std::optional(found->second);
  }
  HOLDFAST_TRY(std::optional<SnapshotSummary> summary, read_front(name, size));
  if (summary) {
    const std::scoped_lock lock(mutex_);
    if (summaries_.size() >= max_cached_summaries) summaries_.clear();
    summaries_.insert_or_assign(blob, *summary);
  }
  return summary;
}

/// The summary, or nothing if the blob is a fence.
Result<std::optional<SnapshotSummary>> SnapshotCatalog::read_front(const SnapshotBlobName& name,
                                                                   std::uint64_t size) const {
  const std::string blob = blob_name(name);
  HOLDFAST_TRY(Bytes front, context_.store.get_range(
                                blob, 0, std::min<std::uint64_t>(size, object_front_bytes)));
  HOLDFAST_TRY(const std::uint64_t end, first_block_end(blob, front));
  if (end > front.size()) {
    if (end > size) return Error(ErrorCode::corrupt, blob + ": it is cut off");
    HOLDFAST_TRY(front, context_.store.get_range(blob, 0, end));
  }
  const auto kind = object_kind(front);
  if (!kind.ok()) return kind.error().with_context(blob);
  if (*kind == SealKind::fence && name.generation == 1) {
    HOLDFAST_CHECK(open_first_block(context_.objects(), SealKind::fence, blob, front));
    return std::optional<SnapshotSummary>();
  }
  HOLDFAST_TRY(const Bytes block,
               open_first_block(context_.objects(), SealKind::manifest, blob, front));
  auto summary = decode_summary(block);
  if (!summary.ok()) return summary.error().with_context(blob);
  if (summary->id != name.id || summary->source.id != name.source) {
    return Error(ErrorCode::corrupt, blob + ": the manifest of another snapshot");
  }
  return std::optional(std::move(*summary));
}

Result<CatalogEntry> SnapshotCatalog::resolve(std::string_view id) {
  const bool latest = id == "latest";
  if (!latest && (id.size() < least_prefix_digits || id.size() > snapshot_id_digits ||
                  !is_hex(id, id.size()))) {
    return Error(ErrorCode::usage, "\"" + std::string(id) + "\" is not a snapshot's id",
                 "give 4 to 16 hexadecimal digits of it, or \"latest\"");
  }
  HOLDFAST_TRY(const CatalogListing listing, list("", Reading::cached));
  if (latest) {
    if (!listing.snapshots.empty()) return listing.snapshots.back();
    if (!listing.damaged.empty()) return listing.damaged.front().second;
    return Error(ErrorCode::not_found, "the repository has no snapshot");
  }
  const CatalogEntry* found = nullptr;
  for (const CatalogEntry& entry : listing.snapshots) {
    if (!entry.summary.id.starts_with(id)) continue;
    if (found != nullptr) {
      return Error(ErrorCode::usage, "several snapshots begin with " + std::string(id),
                   "give more digits");
    }
    found = &entry;
  }
  if (found != nullptr) return *found;
  for (const auto& [name, error] : listing.damaged) {
    if (name.generation > 0 && name.id.starts_with(id)) return error;
  }
  return Error(ErrorCode::not_found, "there is no snapshot " + std::string(id));
}

Result<Manifest> SnapshotCatalog::read(const std::string& source, const std::string& id,
                                       std::uint32_t generation) {
  const std::string name = manifest_name(source, id, generation);
  HOLDFAST_TRY(const std::vector<Bytes> blocks, get_object(context_, SealKind::manifest, name));
  auto manifest = decode_manifest(blocks);
  if (!manifest.ok()) return manifest.error().with_context(name);
  if (manifest->summary.id != id || manifest->summary.source.id != source) {
    return Error(ErrorCode::corrupt, name + ": the manifest of another snapshot");
  }
  return manifest;
}

Result<std::vector<std::string>> SnapshotCatalog::heads(const std::string& source) {
  HOLDFAST_TRY(const CatalogListing listing, list(source, Reading::cached));
  std::set<std::string> heads;
  std::set<std::string> named;
  for (const CatalogEntry& entry : listing.snapshots) {
    heads.insert(entry.summary.id);
    named.insert(entry.summary.predecessors.begin(), entry.summary.predecessors.end());
  }
  for (const SnapshotTombstone& tombstone : listing.tombstones) {
    heads.insert(tombstone.id);
    named.insert(tombstone.predecessors.begin(), tombstone.predecessors.end());
  }
  for (const auto& [name, error] : listing.damaged) heads.insert(name.id);
  for (const std::string& id : named) heads.erase(id);
  return std::vector<std::string>(heads.begin(), heads.end());
}

}  // namespace holdfast::repository
