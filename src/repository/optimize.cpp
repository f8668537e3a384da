#include "repository/optimize.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "repository/entry_codec.h"
#include "repository/snapshot_reader.h"
#include "repository/snapshot_writer.h"

namespace holdfast::repository {
namespace {

constexpr int max_attempts = 8;
/// Entries between two looks at the stop request.
constexpr std::uint64_t look_every = 1000;

/// A stretch of a base layer's key space: a segment, and the keys up to the next one.
struct Stretch {
  KeyRange range;
  std::uint64_t document_bytes = 0;
  std::uint64_t patch_bytes = 0;
  bool rewrite = false;
};

class SnapshotOptimizer {
 public:
  SnapshotOptimizer(Context& context, const OptimizeSettings& settings, ProgressSink& progress,
                    const std::stop_token& stop)
      : context_(context), settings_(settings), progress_(progress), stop_(stop) {}

  /// Changes the layers of whatever is due. Whether anything was.
  Result<bool> run(Manifest& manifest, StoredSnapshotWriter& writer);
  [[nodiscard]] const OptimizeOutcome& outcome() const { return outcome_; }

 private:
  [[nodiscard]] Result<bool> plan(const SnapshotCollection& collection);
  Status weigh_patch(const StoredSegment& patch);
  Status rebuild(SnapshotCollection& collection, StoredSnapshotWriter& writer);
  /// Writes what a cursor gives as segments at the end of `layer`.
  Status write(EntryCursor& entries, SegmentStream& stream, Layer& layer);
  [[nodiscard]] std::vector<KeyRange> kept_ranges() const;

  Context& context_;
  const OptimizeSettings& settings_;
  ProgressSink& progress_;
  const std::stop_token& stop_;
  std::vector<std::shared_ptr<SegmentFile>> files_;
  std::vector<Stretch> stretches_;  ///< Of the collection at hand.
  OptimizeOutcome outcome_;
};

Status SnapshotOptimizer::weigh_patch(const StoredSegment& patch) {
  HOLDFAST_TRY(const std::shared_ptr<const BlockIndex> index, load_index(context_, patch));
  for (std::size_t at = 0; at < index->size(); ++at) {
    const bson::ValueView key = index->first_key(at);
    // The last stretch that begins at or below the block's first key; the first has no beginning.
    const auto after = std::partition_point(
        stretches_.begin() + 1, stretches_.end(),
        [&](const Stretch& one) { return compare_keys(one.range.from->view(), key) <= 0; });
    std::prev(after)->patch_bytes += index->block(at).raw_bytes;
  }
  return {};
}

Result<bool> SnapshotOptimizer::plan(const SnapshotCollection& collection) {
  stretches_.clear();
  const bool positional =
      collection.info.capped() || collection.info.type == CollectionType::timeseries;
  if (positional || collection.layers.size() < 2) return false;
  const auto& base = collection.layers.front().segments;
  for (std::size_t at = 0; at < base.size(); ++at) {
    Stretch stretch;
    if (at > 0) stretch.range.from.emplace(first_key_of(base[at]));
    if (at + 1 < base.size()) stretch.range.to.emplace(first_key_of(base[at + 1]));
    stretch.document_bytes = base[at].document_bytes;
    stretches_.push_back(std::move(stretch));
  }
  const bool no_base = stretches_.empty();
  if (no_base) stretches_.emplace_back();
  for (std::size_t layer = 1; layer < collection.layers.size(); ++layer) {
    for (const SegmentRef& segment : collection.layers[layer].segments) {
      HOLDFAST_CHECK(weigh_patch({files_[segment.file], segment}));
    }
  }
  bool due = collection.layers.size() > settings_.max_patch_layers + 1;
  for (Stretch& stretch : stretches_) {
    const double allowed = settings_.patch_share * static_cast<double>(stretch.document_bytes);
    stretch.rewrite = no_base || static_cast<double>(stretch.patch_bytes) > allowed;
    due = due || stretch.rewrite;
  }
  return due;
}

std::vector<KeyRange> SnapshotOptimizer::kept_ranges() const {
  std::vector<KeyRange> ranges;
  bool open = false;
  for (const Stretch& stretch : stretches_) {
    if (!stretch.rewrite && open) {
      ranges.back().to = stretch.range.to;
    } else if (!stretch.rewrite) {
      ranges.push_back(stretch.range);
    }
    open = !stretch.rewrite;
  }
  return ranges;
}

Status SnapshotOptimizer::write(EntryCursor& entries, SegmentStream& stream, Layer& layer) {
  std::unique_ptr<SegmentWriter> segment;
  const auto finish = [&]() -> Status {
    if (!segment) return {};
    HOLDFAST_TRY(auto reference, segment->finish());
    if (reference) layer.segments.push_back(std::move(*reference));
    segment.reset();
    return {};
  };
  for (std::uint64_t count = 1;; ++count) {
    if (count % look_every == 0 && stop_.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    HOLDFAST_TRY(const std::optional<Entry> entry, entries.next());
    if (!entry) break;
    if (segment && segment->full()) HOLDFAST_CHECK(finish());
    if (!segment) {
      HOLDFAST_TRY(segment, stream.begin());
    }
    HOLDFAST_CHECK(segment->add(*entry));
    progress_.advance(1, entry->document.bytes().size());
  }
  return finish();
}

Status SnapshotOptimizer::rebuild(SnapshotCollection& collection, StoredSnapshotWriter& writer) {
  HOLDFAST_TRY(const auto stream, writer.open_stream());
  Layer base;
  auto& old_base = collection.layers.front().segments;
  for (std::size_t at = 0; at < stretches_.size(); ++at) {
    if (!stretches_[at].rewrite) {
      base.segments.push_back(old_base[at]);
      continue;
    }
    ++outcome_.rewritten_segments;
    HOLDFAST_TRY(const auto merged,
                 writer.read_back(collection.layers, stretches_[at].range, false));
    HOLDFAST_CHECK(write(*merged, *stream, base));
  }
  const std::vector<Layer> patches(collection.layers.begin() + 1, collection.layers.end());
  Layer patch;
  for (const KeyRange& range : kept_ranges()) {
    HOLDFAST_TRY(const auto merged, writer.read_back(patches, range, true));
    HOLDFAST_CHECK(write(*merged, *stream, patch));
  }
  HOLDFAST_CHECK(stream->close());
  collection.layers.clear();
  if (!base.segments.empty()) collection.layers.push_back(std::move(base));
  if (!patch.segments.empty()) collection.layers.push_back(std::move(patch));
  return {};
}

Result<bool> SnapshotOptimizer::run(Manifest& manifest, StoredSnapshotWriter& writer) {
  outcome_ = {};
  files_ = open_files(context_, manifest);
  progress_.stage("optimize", 0, 0);
  for (SnapshotCollection& collection : manifest.collections) {
    outcome_.layers_before = std::max(outcome_.layers_before, collection.layers.size());
    HOLDFAST_TRY(const bool due, plan(collection));
    if (due) {
      ++outcome_.collections;
      HOLDFAST_CHECK(rebuild(collection, writer));
    }
    outcome_.layers_after = std::max(outcome_.layers_after, collection.layers.size());
  }
  return outcome_.collections > 0;
}

}  // namespace

Result<OptimizeOutcome> optimize_snapshot(Context& context, SnapshotCatalog& catalog,
                                          std::string_view id, const OptimizeSettings& settings,
                                          ProgressSink& progress, const std::stop_token& stop) {
  SnapshotOptimizer optimizer(context, settings, progress, stop);
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    HOLDFAST_TRY(const CatalogEntry entry, catalog.resolve(id));
    auto manifest = catalog.read(entry.summary.source.id, entry.summary.id, entry.generation);
    if (!manifest.ok()) {
      if (manifest.error().code() == ErrorCode::not_found) continue;  // changed meanwhile
      return manifest.error();
    }
    HOLDFAST_TRY(const auto writer,
                 StoredSnapshotWriter::begin(context, catalog, entry.summary.source,
                                             settings.layout, manifest->files));
    HOLDFAST_TRY(const bool changed, optimizer.run(*manifest, *writer));
    OptimizeOutcome outcome = optimizer.outcome();
    if (!changed) return outcome;
    auto committed = writer->commit_generation(std::move(*manifest), entry.generation + 1);
    if (committed.ok()) {
      outcome.stored_bytes = *committed;
      return outcome;
    }
    if (committed.error().code() != ErrorCode::exists) return committed.error();
  }
  return Error(ErrorCode::busy, "others keep changing snapshot " + std::string(id));
}

}  // namespace holdfast::repository
