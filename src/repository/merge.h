#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dataset/reader.h"
#include "repository/repository.h"
#include "repository/segment_reader.h"

namespace holdfast::repository {

/// Layers, oldest first.
using StoredLayers = std::vector<StoredLayer>;

/// The newest entry of each key, in order. Not thread-safe.
class MergeCursor final : public EntryCursor {
 public:
  MergeCursor(Context& context, const StoredLayers& layers, const KeyRange& range,
              bool with_removes);
  Result<std::optional<Entry>> next() override;

 private:
  struct Source {
    std::unique_ptr<LayerCursor> cursor;
    std::size_t age = 0;  ///< Larger is newer.
  };
  /// Whether `a` comes later than `b`: a heap's order.
  static bool later(const Source& a, const Source& b);
  [[nodiscard]] Status start();
  [[nodiscard]] Status advance_front();
  [[nodiscard]] Result<std::optional<Entry>> next_merged();

  const bool with_removes_;
  bool started_ = false;
  bool finished_ = false;
  /// The sources of `heap_[0]`'s key that were passed: to be advanced at the next call, because
  /// the caller still looks at the entry.
  bool front_is_used_ = false;
  std::vector<Source> heap_;
};

/// The documents of a merge.
class MergedDocuments final : public DocumentCursor {
 public:
  MergedDocuments(Context& context, const StoredLayers& layers, const KeyRange& range)
      : entries_(context, layers, range, false) {}
  Result<std::optional<bson::DocumentView>> next() override;

 private:
  MergeCursor entries_;
};

/// Finds single documents. Keeps the blocks that were used last, so that keys near each other cost
/// one read. Thread-safe, one at a time.
class PointReader {
 public:
  /// Gives the file that a segment is in.
  using OpenFile = std::function<Result<std::shared_ptr<SegmentFile>>(const SegmentRef&)>;

  explicit PointReader(Context& context) : context_(context) {}
  /// The newest document with this key in `layers` (oldest first), or nothing.
  [[nodiscard]] Result<std::optional<bson::Document>> find(const std::vector<Layer>& layers,
                                                           const OpenFile& open_file,
                                                           bson::ValueView key);

 private:
  struct CachedBlock {
    std::string blob;
    std::uint64_t number = 0;
    BlockBuffer raw;
    std::vector<std::uint32_t> offsets;  ///< Of its entries.
    std::uint64_t used = 0;
  };
  /// The entry with this key in one layer, into a cached block.
  [[nodiscard]] Result<std::optional<Entry>> find_in(const Layer& layer, const OpenFile& open_file,
                                                     bson::ValueView key);
  /// Valid until the next call.
  [[nodiscard]] Result<const CachedBlock*> block(const StoredSegment& segment,
                                                 const std::shared_ptr<const BlockIndex>& index,
                                                 std::size_t at);

  Context& context_;
  std::mutex mutex_;
  BlockDecoder decoder_;
  std::uint64_t uses_ = 0;
  std::vector<CachedBlock> cached_;
  std::size_t cached_bytes_ = 0;
};

}  // namespace holdfast::repository
