#include <algorithm>
#include <utility>

#include "bson/builder.h"
#include "repository/header.h"
#include "repository/snapshot_catalog.h"

/// The writing half of SnapshotCatalog.
namespace holdfast::repository {
namespace {

constexpr int max_attempts = 16;

}  // namespace

Status SnapshotCatalog::put_manifest(const Manifest& manifest, std::uint32_t generation) {
  const std::string name =
      manifest_name(manifest.summary.source.id, manifest.summary.id, generation);
  const std::vector<Bytes> blocks = encode_manifest(manifest);
  HOLDFAST_TRY(const Bytes sealed,
               seal_object(context_.objects(), SealKind::manifest, name, blocks, context_.random));
  // What could not be read again must not be committed.
  HOLDFAST_TRY(const std::vector<Bytes> opened,
               open_object(context_.objects(), SealKind::manifest, name, sealed));
  HOLDFAST_TRY(const Manifest decoded, decode_manifest(opened));
  if (opened != blocks || encode_manifest(decoded) != blocks) {
    return Error(ErrorCode::corrupt, name + ": the manifest does not read back as it was made");
  }
  return context_.store.put(name, sealed);
}

Status SnapshotCatalog::commit(const Manifest& manifest) {
  const Status put = put_manifest(manifest, 1);
  if (put.ok() || put.error().code() != ErrorCode::exists) return put;
  const std::string& source = manifest.summary.source.id;
  const std::string& id = manifest.summary.id;
  const std::string name = manifest_name(source, id, 1);
  const auto fence = get_object(context_, SealKind::fence, name);
  if (!fence.ok()) return Error(ErrorCode::exists, name + ": the name is taken");
  return Error(ErrorCode::precondition,
               "snapshot " + id + " was fenced: its writer was declared dead",
               "run the backup again; nothing was lost");
}

Status SnapshotCatalog::commit_generation(const Manifest& manifest, std::uint32_t generation) {
  const std::string& source = manifest.summary.source.id;
  const std::string& id = manifest.summary.id;
  HOLDFAST_CHECK(put_manifest(manifest, generation));
  const auto tombstone = context_.store.stat(tombstone_name(source, id));
  if (tombstone.ok()) {  // removed meanwhile; leave nothing behind
    HOLDFAST_CHECK(remove_generations(source, id, generation + 1));
    return Error(ErrorCode::not_found, "there is no snapshot " + id);
  }
  return remove_generations(source, id, generation);
}

Status SnapshotCatalog::set_tags(std::string_view id, const std::vector<std::string>& tags) {
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    HOLDFAST_TRY(const CatalogEntry entry, resolve(id));
    const std::string& source = entry.summary.source.id;
    auto manifest = read(source, entry.summary.id, entry.generation);
    if (!manifest.ok()) {
      if (manifest.error().code() == ErrorCode::not_found) continue;  // changed meanwhile
      return manifest.error();
    }
    manifest->summary.tags = tags;
    const Status committed = commit_generation(*manifest, entry.generation + 1);
    if (committed.ok() || committed.error().code() != ErrorCode::exists) return committed;
  }
  return Error(ErrorCode::busy, "others keep changing snapshot " + std::string(id));
}

Status SnapshotCatalog::remove(std::string_view id) {
  SnapshotTombstone tombstone;
  std::string source;
  const auto entry = resolve(id);
  if (entry.ok()) {
    source = entry->summary.source.id;
    tombstone.id = entry->summary.id;
    tombstone.predecessors = entry->summary.predecessors;
  } else {
    // A manifest that is damaged beyond reading can be removed by its whole id.
    HOLDFAST_TRY(const CatalogListing listing, list("", Reading::cached));
    const auto damaged = std::find_if(listing.damaged.begin(), listing.damaged.end(),
                                      [id](const auto& one) { return one.first.id == id; });
    if (damaged == listing.damaged.end() || damaged->first.generation == 0) return entry.error();
    source = damaged->first.source;
    tombstone.id = damaged->first.id;
  }
  tombstone.source = source;
  tombstone.removed = context_.clock.now();
  const Status put = put_object(context_, SealKind::tombstone, tombstone_name(source, tombstone.id),
                                {encode_tombstone(tombstone)});
  if (!put.ok()) {
    if (put.error().code() != ErrorCode::exists) return put;
    // An earlier removal that was interrupted: go on, if that tombstone is whole.
    HOLDFAST_CHECK(get_object(context_, SealKind::tombstone, tombstone_name(source, tombstone.id)));
  }
  return remove_generations(source, tombstone.id, 0);
}

Status SnapshotCatalog::fence(const std::string& source, const std::string& id) {
  bson::Builder content;
  content.append_string("id", id).append_date("fenced", to_milliseconds(context_.clock.now()));
  HOLDFAST_TRY(const Blobs blobs, context_.store.list(snapshots_prefix(source)));
  for (const blob::BlobInfo& blob : blobs) {
    const auto name = parse_snapshot_blob(blob.name);
    if (name && name->id == id) {
      return Error(ErrorCode::exists, "snapshot " + id + " was committed or fenced before");
    }
  }
  return put_object(context_, SealKind::fence, manifest_name(source, id, 1),
                    {std::move(content).finish().bytes()});
}

/// Removes generations below `below`, or all if it is 0.
Status SnapshotCatalog::remove_generations(const std::string& source, const std::string& id,
                                           std::uint32_t below) {
  HOLDFAST_TRY(const Blobs blobs, context_.store.list(snapshots_prefix(source)));
  for (const blob::BlobInfo& blob : blobs) {
    const auto name = parse_snapshot_blob(blob.name);
    if (!name || name->id != id || name->generation == 0) continue;
    if (below != 0 && name->generation >= below) continue;
    const Status removed = context_.store.remove(blob.name);
    if (!removed.ok() && removed.error().code() != ErrorCode::not_found) return removed;
  }
  return {};
}

}  // namespace holdfast::repository
