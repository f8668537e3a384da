#include "repository/snapshot_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "repository/key_store.h"
#include "repository/names.h"

namespace holdfast::repository {
namespace {

class StoredSegmentStream final : public SegmentStream {
 public:
  explicit StoredSegmentStream(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {}
  Result<std::unique_ptr<SegmentWriter>> begin() override { return StreamCore::begin(core_); }
  Status close() override { return core_->close_file(); }

 private:
  std::shared_ptr<StreamCore> core_;
};

Status check_collections(const Manifest& manifest) {
  for (std::size_t at = 0; at < manifest.collections.size(); ++at) {
    const SnapshotCollection& collection = manifest.collections[at];
    if (at > 0 && manifest.collections[at - 1].info.ns == collection.info.ns) {
      return Error(ErrorCode::precondition, collection.info.ns.text() + " is there twice");
    }
    for (const Layer& layer : collection.layers) {
      const Status checked = check_layer(layer);
      if (!checked.ok()) return checked.error().with_context(collection.info.ns.text());
    }
  }
  return {};
}

/// What a summary says about its own manifest.
void count_collections(Manifest& manifest) {
  SnapshotSummary& summary = manifest.summary;
  summary.collections = manifest.collections.size();
  summary.documents = 0;
  summary.document_bytes = 0;
  for (const SnapshotCollection& collection : manifest.collections) {
    summary.documents += collection.fingerprint.documents;
    summary.document_bytes += collection.document_bytes;
  }
}

}  // namespace

Result<std::uint64_t> resolve_files(Manifest& manifest, const std::vector<FileRef>& parent,
                                    const OwnFiles& own) {
  std::vector<FileRef> files;
  std::map<std::uint32_t, std::uint32_t> renumbered;
  std::uint64_t own_bytes = 0;
  for (SnapshotCollection& collection : manifest.collections) {
    for (Layer& layer : collection.layers) {
      for (SegmentRef& segment : layer.segments) {
        const auto [at, fresh] =
            renumbered.try_emplace(segment.file, static_cast<std::uint32_t>(files.size()));
        if (fresh) {
          FileRef file;
          if (segment.file >= own_file_handle) {
            HOLDFAST_TRY(file, own.find(segment.file));
            own_bytes += file.length;
          } else if (segment.file < parent.size()) {
            file = parent[segment.file];
          } else {
            return Error(ErrorCode::precondition, "a segment of a file that the parent lacks");
          }
          files.push_back(std::move(file));
        }
        segment.file = at->second;
        HOLDFAST_CHECK(check_reference(segment, files[segment.file]));
      }
    }
  }
  manifest.files = std::move(files);
  return own_bytes;
}

Result<std::unique_ptr<StoredSnapshotWriter>> StoredSnapshotWriter::begin(
    Context& context, SnapshotCatalog& catalog, const SourceIdentity& source,
    const LayoutSettings& layout, std::vector<FileRef> parent) {
  if (!is_source_id(source.id)) {
    return Error(ErrorCode::usage, "\"" + source.id + "\" cannot be a source's id",
                 "use up to 64 of a-z, 0-9 and -");
  }
  std::string id = to_hex(context.random.bytes<8>());
  HOLDFAST_TRY(std::unique_ptr<Lease> lease, Lease::open(context, source.id, id));
  return std::unique_ptr<StoredSnapshotWriter>(new StoredSnapshotWriter(
      context, catalog, source, layout, std::move(parent), std::move(id), std::move(lease)));
}

StoredSnapshotWriter::StoredSnapshotWriter(Context& context, SnapshotCatalog& catalog,
                                           const SourceIdentity& source,
                                           const LayoutSettings& layout,
                                           std::vector<FileRef> parent, std::string id,
                                           std::unique_ptr<Lease> lease)
    : context_(context),
      catalog_(catalog),
      source_(source),
      layout_(layout),
      parent_files_(std::move(parent)),
      id_(std::move(id)),
      started_(context.clock.now()),
      points_(context),
      lease_(std::move(lease)) {}

Result<std::unique_ptr<SegmentStream>> StoredSnapshotWriter::open_stream() {
  auto core = std::make_shared<StreamCore>(context_, source_.id, layout_, files_);
  const std::scoped_lock lock(mutex_);
  if (committed_) return Error(ErrorCode::precondition, "the snapshot was committed");
  streams_.push_back(core);
  return std::unique_ptr<SegmentStream>(std::make_unique<StoredSegmentStream>(std::move(core)));
}

Result<std::unique_ptr<EntryCursor>> StoredSnapshotWriter::read_back(
    const std::vector<Layer>& layers, const KeyRange& range, bool with_removes) {
  HOLDFAST_TRY(const StoredLayers stored, open_layers(layers));
  return std::unique_ptr<EntryCursor>(
      std::make_unique<MergeCursor>(context_, stored, range, with_removes));
}

Result<std::optional<bson::Document>> StoredSnapshotWriter::find(const std::vector<Layer>& layers,
                                                                 bson::ValueView key) {
  return points_.find(
      layers, [this](const SegmentRef& segment) { return open_file(segment); }, key);
}

Result<std::uint64_t> StoredSnapshotWriter::prepare(Manifest& manifest) {
  if (committed_) return Error(ErrorCode::precondition, "the snapshot was committed");
  committed_ = true;
  HOLDFAST_CHECK(close_streams());
  std::sort(manifest.collections.begin(), manifest.collections.end(),
            [](const SnapshotCollection& a, const SnapshotCollection& b) {
              return a.info.ns < b.info.ns;
            });
  HOLDFAST_TRY(const std::uint64_t own_bytes, resolve_files(manifest, parent_files_, *files_));
  HOLDFAST_CHECK(check_collections(manifest));
  return own_bytes;
}

Result<std::uint64_t> StoredSnapshotWriter::commit_generation(Manifest manifest,
                                                              std::uint32_t generation) {
  const std::scoped_lock lock(mutex_);
  HOLDFAST_TRY(const std::uint64_t own_bytes, prepare(manifest));
  manifest.summary.stored_bytes += own_bytes;
  HOLDFAST_CHECK(catalog_.commit_generation(manifest, generation));
  lease_.reset();
  return own_bytes;
}

Result<SnapshotSummary> StoredSnapshotWriter::commit(Manifest manifest) {
  const std::scoped_lock lock(mutex_);
  HOLDFAST_TRY(const std::uint64_t own_bytes, prepare(manifest));

  SnapshotSummary& summary = manifest.summary;
  summary.id = id_;
  summary.source = source_;
  if (summary.started == WallTime{}) summary.started = started_;
  if (summary.finished == WallTime{}) summary.finished = context_.clock.now();
  summary.stored_bytes = own_bytes;
  count_collections(manifest);
  if (context_.encrypted) {
    HOLDFAST_TRY(manifest.keys, expected_key_ids(context_));
  }
  HOLDFAST_TRY(summary.predecessors, catalog_.heads(source_.id));
  HOLDFAST_CHECK(catalog_.commit(manifest));
  lease_.reset();
  return summary;
}

Status StoredSnapshotWriter::close_streams() {
  for (const std::shared_ptr<StreamCore>& stream : streams_) HOLDFAST_CHECK(stream->close());
  streams_.clear();
  return {};
}

Result<StoredLayers> StoredSnapshotWriter::open_layers(const std::vector<Layer>& layers) {
  StoredLayers stored;
  for (const Layer& layer : layers) {
    HOLDFAST_CHECK(check_layer(layer));
    StoredLayer& segments = stored.emplace_back();
    for (const SegmentRef& segment : layer.segments) {
      HOLDFAST_TRY(std::shared_ptr<SegmentFile> file, open_file(segment));
      segments.push_back({std::move(file), segment});
    }
  }
  return stored;
}

Result<FileRef> StoredSnapshotWriter::find_file(std::uint32_t file) const {
  if (file >= own_file_handle) return files_->find(file);
  if (file < parent_files_.size()) return parent_files_[file];
  return Error(ErrorCode::precondition, "a segment of a file that the parent lacks");
}

Result<std::shared_ptr<SegmentFile>> StoredSnapshotWriter::open_file(const SegmentRef& segment) {
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<SegmentFile>& file = open_files_[segment.file];
  if (!file) {
    HOLDFAST_TRY(FileRef reference, find_file(segment.file));
    file = std::make_shared<SegmentFile>(context_, source_.id, std::move(reference));
  }
  HOLDFAST_CHECK(check_reference(segment, file->reference()));
  return file;
}

}  // namespace holdfast::repository
