#include "repository/snapshot_reader.h"

#include <algorithm>
#include <utility>

namespace holdfast::repository {
namespace {

/// The layer with the most documents: its blocks stand for how keys are spread.
const StoredLayer* largest_layer(const StoredLayers& layers) {
  const auto bytes = [](const StoredLayer& layer) {
    std::uint64_t sum = 0;
    for (const StoredSegment& segment : layer) sum += segment.reference.stored_bytes;
    return sum;
  };
  const auto largest =
      std::max_element(layers.begin(), layers.end(),
                       [&bytes](const auto& a, const auto& b) { return bytes(a) < bytes(b); });
  return largest == layers.end() ? nullptr : &*largest;
}

}  // namespace

std::vector<std::shared_ptr<SegmentFile>> open_files(const Context& context,
                                                     const Manifest& manifest) {
  std::vector<std::shared_ptr<SegmentFile>> files;
  files.reserve(manifest.files.size());
  for (const FileRef& file : manifest.files) {
    files.push_back(std::make_shared<SegmentFile>(context, manifest.summary.source.id, file));
  }
  return files;
}

StoredLayers stored_layers(const SnapshotCollection& collection,
                           const std::vector<std::shared_ptr<SegmentFile>>& files) {
  StoredLayers layers;
  for (const Layer& layer : collection.layers) {
    StoredLayer& stored = layers.emplace_back();
    for (const SegmentRef& segment : layer.segments) {
      stored.push_back({files[segment.file], segment});
    }
  }
  return layers;
}

StoredSnapshotReader::StoredSnapshotReader(Context& context, Manifest manifest)
    : context_(context),
      manifest_(std::move(manifest)),
      files_(open_files(context, manifest_)),
      points_(context) {}

Result<std::vector<CollectionInfo>> StoredSnapshotReader::catalog() {
  std::vector<CollectionInfo> infos;
  infos.reserve(manifest_.collections.size());
  for (const SnapshotCollection& collection : manifest_.collections) {
    infos.push_back(collection.info);
  }
  return infos;
}

Result<std::unique_ptr<DocumentCursor>> StoredSnapshotReader::open(const Namespace& ns) {
  HOLDFAST_TRY(const SnapshotCollection* const found, collection(ns));
  return std::unique_ptr<DocumentCursor>(
      std::make_unique<MergedDocuments>(context_, stored_layers(*found, files_), KeyRange{}));
}

Result<std::size_t> StoredSnapshotReader::part_count(const Namespace& ns, std::size_t parts) {
  HOLDFAST_TRY(const SnapshotCollection* const found, collection(ns));
  HOLDFAST_TRY(const std::shared_ptr<const Cuts> at, cuts(*found, parts));
  return at->size() + 1;
}

Result<std::unique_ptr<DocumentCursor>> StoredSnapshotReader::open_part(const Namespace& ns,
                                                                        std::size_t parts,
                                                                        std::size_t part) {
  HOLDFAST_TRY(const SnapshotCollection* const found, collection(ns));
  HOLDFAST_TRY(const std::shared_ptr<const Cuts> at, cuts(*found, parts));
  if (part > at->size()) {
    return Error(ErrorCode::usage, ns.text() + " does not have so many parts");
  }
  KeyRange range;
  if (part > 0) range.from = (*at)[part - 1];
  if (part < at->size()) range.to = (*at)[part];
  return std::unique_ptr<DocumentCursor>(
      std::make_unique<MergedDocuments>(context_, stored_layers(*found, files_), range));
}

Result<std::optional<bson::Document>> StoredSnapshotReader::find(const Namespace& ns,
                                                                 bson::ValueView key) {
  HOLDFAST_TRY(const SnapshotCollection* const found, collection(ns));
  return points_.find(
      found->layers,
      [this](const SegmentRef& segment) -> Result<std::shared_ptr<SegmentFile>> {
        return files_[segment.file];
      },
      key);
}

Result<const SnapshotCollection*> StoredSnapshotReader::collection(const Namespace& ns) const {
  const auto found = std::lower_bound(
      manifest_.collections.begin(), manifest_.collections.end(), ns,
      [](const SnapshotCollection& one, const Namespace& name) { return one.info.ns < name; });
  if (found == manifest_.collections.end() || found->info.ns != ns) {
    return Error(ErrorCode::not_found,
                 "snapshot " + manifest_.summary.id + " has no collection " + ns.text());
  }
  return &*found;
}

Result<std::shared_ptr<const StoredSnapshotReader::Cuts>> StoredSnapshotReader::cuts(
    const SnapshotCollection& collection, std::size_t parts) {
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<const Cuts>& known = cuts_[{collection.info.ns, parts}];
  if (known) return known;
  const StoredLayers layers = stored_layers(collection, files_);
  Cuts candidates;
  if (const StoredLayer* const layer = largest_layer(layers); layer != nullptr && parts > 1) {
    // Where there are many segments their ends are fine enough; else their blocks are looked at.
    const bool by_segment = layer->size() / 4 >= parts;
    for (const StoredSegment& segment : *layer) {
      if (by_segment) {
        candidates.emplace_back(segment.first_key());
        continue;
      }
      HOLDFAST_TRY(const std::shared_ptr<const BlockIndex> index, load_index(context_, segment));
      for (std::size_t at = 0; at < index->size(); ++at) {
        candidates.emplace_back(index->first_key(at));
      }
    }
  }
  auto chosen = std::make_shared<Cuts>();
  const std::size_t count = std::min(std::max<std::size_t>(parts, 1), candidates.size());
  for (std::size_t part = 1; part < count; ++part) {
    chosen->push_back(candidates[part * candidates.size() / count]);
  }
  known = std::move(chosen);
  return known;
}

}  // namespace holdfast::repository
