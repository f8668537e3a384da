#include "repository/merge.h"

#include <algorithm>

namespace holdfast::repository {
namespace {

/// Enough for a block of each layer, of ordinary size; of the largest documents fewer are kept.
constexpr std::size_t max_cached_blocks = 256;
constexpr std::size_t max_cached_bytes = 24U * 1024 * 1024;

}  // namespace

MergeCursor::MergeCursor(Context& context, const StoredLayers& layers, const KeyRange& range,
                         bool with_removes)
    : with_removes_(with_removes) {
  for (std::size_t age = 0; age < layers.size(); ++age) {
    if (layers[age].empty()) continue;
    heap_.push_back({std::make_unique<LayerCursor>(context, layers[age], range), age});
  }
}

bool MergeCursor::later(const Source& a, const Source& b) {
  const auto order = compare_keys(a.cursor->current().key, b.cursor->current().key);
  return order != 0 ? order > 0 : a.age < b.age;
}

Result<std::optional<Entry>> MergeCursor::next() {
  if (finished_) return std::optional<Entry>();
  auto entry = next_merged();
  finished_ = !entry.ok() || !entry->has_value();
  return entry;
}

Result<std::optional<Entry>> MergeCursor::next_merged() {
  if (!started_) HOLDFAST_CHECK(start());
  while (true) {
    if (front_is_used_) HOLDFAST_CHECK(advance_front());
    if (heap_.empty()) return std::optional<Entry>();
    front_is_used_ = true;
    const Entry& entry = heap_.front().cursor->current().entry;
    if (with_removes_ || entry.kind != Entry::Kind::remove) return std::optional<Entry>(entry);
  }
}

Status MergeCursor::start() {
  started_ = true;
  std::vector<Source> filled;
  for (Source& source : heap_) {
    HOLDFAST_TRY(const bool more, source.cursor->advance());
    if (more) filled.push_back(std::move(source));
  }
  heap_ = std::move(filled);
  std::make_heap(heap_.begin(), heap_.end(), later);
  return {};
}

Status MergeCursor::advance_front() {
  front_is_used_ = false;
  if (heap_.size() == 1) {  // nothing to merge: no heap, no comparisons
    HOLDFAST_TRY(const bool more, heap_.front().cursor->advance());
    if (!more) heap_.clear();
    return {};
  }
  // Older entries of the same key are behind the newest; it goes last, since its key is compared.
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Source newest = std::move(heap_.back());
  heap_.pop_back();
  while (!heap_.empty() &&
         compare_keys(heap_.front().cursor->current().key, newest.cursor->current().key) == 0) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    HOLDFAST_TRY(const bool more, heap_.back().cursor->advance());
    if (!more) {
      heap_.pop_back();
    } else {
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
  }
  HOLDFAST_TRY(const bool more, newest.cursor->advance());
  if (more) {
    heap_.push_back(std::move(newest));
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  return {};
}

Result<std::optional<bson::DocumentView>> MergedDocuments::next() {
  HOLDFAST_TRY(const std::optional<Entry> entry, entries_.next());
  if (!entry) return std::optional<bson::DocumentView>();
  return std::optional<bson::DocumentView>(entry->document);
}

Result<std::optional<bson::Document>> PointReader::find(const std::vector<Layer>& layers,
                                                        const OpenFile& open_file,
                                                        bson::ValueView key) {
  const std::scoped_lock lock(mutex_);
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    HOLDFAST_TRY(const std::optional<Entry> entry, find_in(*layer, open_file, key));
    if (!entry) continue;
    if (entry->kind == Entry::Kind::remove) break;
    return std::optional<bson::Document>(bson::Document(entry->document));
  }
  return std::optional<bson::Document>();
}

Result<std::optional<Entry>> PointReader::find_in(const Layer& layer, const OpenFile& open_file,
                                                  bson::ValueView key) {
  const auto found = std::partition_point(
      layer.segments.begin(), layer.segments.end(),
      [key](const SegmentRef& segment) { return compare_keys(last_key_of(segment), key) < 0; });
  if (found == layer.segments.end() || compare_keys(key, first_key_of(*found)) < 0) {
    return std::optional<Entry>();
  }
  HOLDFAST_TRY(std::shared_ptr<SegmentFile> file, open_file(*found));
  const StoredSegment segment{std::move(file), *found};
  HOLDFAST_TRY(const std::shared_ptr<const BlockIndex> index, load_index(context_, segment));
  HOLDFAST_TRY(const CachedBlock* const cached, block(segment, index, index->find(key)));
  const auto entry_at = [cached](std::uint32_t offset) {
    ByteView rest = cached->raw.view().subspan(offset);
    return take_entry(rest);
  };
  const auto& offsets = cached->offsets;
  const auto at = std::partition_point(offsets.begin(), offsets.end(), [&](std::uint32_t offset) {
    return compare_keys(entry_at(offset).key, key) < 0;
  });
  if (at == offsets.end()) return std::optional<Entry>();
  const KeyedEntry candidate = entry_at(*at);
  if (compare_keys(candidate.key, key) != 0) return std::optional<Entry>();
  return std::optional<Entry>(candidate.entry);
}

Result<const PointReader::CachedBlock*> PointReader::block(
    const StoredSegment& segment, const std::shared_ptr<const BlockIndex>& index, std::size_t at) {
  const std::string& blob = segment.file->blob_name();
  const std::uint64_t number = index->number(at);
  for (CachedBlock& cached : cached_) {
    if (cached.number == number && cached.blob == blob) {
      cached.used = ++uses_;
      return &cached;
    }
  }
  CachedBlock fresh;
  const std::size_t expected = index->block(at).raw_bytes;
  while (!cached_.empty() &&
         (cached_.size() >= max_cached_blocks || cached_bytes_ + expected > max_cached_bytes)) {
    const auto oldest = std::min_element(
        cached_.begin(), cached_.end(),
        [](const CachedBlock& a, const CachedBlock& b) { return a.used < b.used; });
    cached_bytes_ -= oldest->raw.size();
    fresh = std::move(*oldest);  // for its memory
    cached_.erase(oldest);
  }
  BlockReader reader(context_, segment, index);
  reader.set_end(at + 1);
  HOLDFAST_CHECK(reader.read(at, decoder_, fresh.raw));
  fresh.blob = blob;
  fresh.number = number;
  fresh.used = ++uses_;
  fresh.offsets.clear();
  const ByteView all = fresh.raw.view();
  for (ByteView rest = all; !rest.empty();) {
    fresh.offsets.push_back(static_cast<std::uint32_t>(all.size() - rest.size()));
    static_cast<void>(take_entry(rest));
  }
  cached_bytes_ += fresh.raw.size();
  cached_.push_back(std::move(fresh));
  return &cached_.back();
}

}  // namespace holdfast::repository
