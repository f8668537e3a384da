#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "repository/block_codec.h"
#include "repository/block_index.h"
#include "repository/context.h"
#include "repository/entry_codec.h"
#include "repository/segment.h"

namespace holdfast::repository {

/// A file of segments, open for reading. Thread-safe.
class SegmentFile {
 public:
  SegmentFile(const Context& context, const std::string& source, FileRef reference);

  [[nodiscard]] const std::string& blob_name() const { return blob_name_; }
  [[nodiscard]] const FileRef& reference() const { return reference_; }
  /// From the file's header, which is read once. Errors: corrupt, not_found, …
  [[nodiscard]] Result<NoncePrefix> prefix();
  [[nodiscard]] Result<Bytes> read(std::uint64_t offset, std::uint64_t length) const;

 private:
  const Context& context_;
  const FileRef reference_;
  const std::string blob_name_;
  std::mutex mutex_;
  std::optional<NoncePrefix> prefix_;
};

/// Keys of a reference that `check_reference` accepted, or that was made here.
[[nodiscard]] bson::ValueView first_key_of(const SegmentRef& reference);
[[nodiscard]] bson::ValueView last_key_of(const SegmentRef& reference);

/// A segment and the file that it is in.
struct StoredSegment {
  std::shared_ptr<SegmentFile> file;
  SegmentRef reference;

  [[nodiscard]] bson::ValueView first_key() const { return first_key_of(reference); }
  [[nodiscard]] bson::ValueView last_key() const { return last_key_of(reference); }
};

/// Segments of one layer, sorted by key, not overlapping.
using StoredLayer = std::vector<StoredSegment>;

/// Checks what the manifest says of one segment by itself: that its parts lie inside the file, and
/// its keys are keys. Everything that reads segments relies on it. Errors: corrupt.
[[nodiscard]] Status check_reference(const SegmentRef& reference, const FileRef& file);
/// Errors: corrupt (segments that overlap or are not sorted).
[[nodiscard]] Status check_layer(const Layer& layer);

/// The segment's index, from the store. Errors: corrupt (names the file), …
[[nodiscard]] Result<BlockIndex> read_index(const Context& context, const StoredSegment& segment);
/// The same, from the cache if it is there.
[[nodiscard]] Result<std::shared_ptr<const BlockIndex>> load_index(Context& context,
                                                                   const StoredSegment& segment);

/// "blob, block 7 (_id from 3 to 9)": where damage is, and what it costs.
[[nodiscard]] std::string describe_block(const StoredSegment& segment, const BlockIndex& index,
                                         std::size_t block);
[[nodiscard]] std::string key_text(bson::ValueView key);

/// Reads blocks of one segment, mostly forward, several with one request. Not thread-safe.
class BlockReader {
 public:
  BlockReader(const Context& context, StoredSegment segment,
              std::shared_ptr<const BlockIndex> index);

  [[nodiscard]] const BlockIndex& index() const { return *index_; }
  [[nodiscard]] const StoredSegment& segment() const { return segment_; }
  /// Blocks from `end` on will not be asked for.
  void set_end(std::size_t end) { end_ = end; }
  /// Decodes and checks a block into `raw`; returns the bytes of its documents. Errors: corrupt
  /// (names file, block and keys), …
  [[nodiscard]] Result<std::uint64_t> read(std::size_t block, BlockDecoder& decoder,
                                           BlockBuffer& raw);

 private:
  [[nodiscard]] Result<ByteView> stored(std::size_t block);

  const Context& context_;
  StoredSegment segment_;
  std::shared_ptr<const BlockIndex> index_;
  BlockIdentity identity_;
  std::size_t end_;
  Bytes window_;  ///< Stored bytes of blocks [window_from_, window_to_).
  std::size_t window_from_ = 0;
  std::size_t window_to_ = 0;
};

/// The entries of one layer in a range, in order. Not thread-safe.
class LayerCursor {
 public:
  LayerCursor(Context& context, StoredLayer layer, KeyRange range);

  /// Moves to the next entry. False at the end. Errors: corrupt, …
  [[nodiscard]] Result<bool> advance();
  /// Valid until the next advance(), which must have returned true before.
  [[nodiscard]] const KeyedEntry& current() const { return *current_; }

 private:
  [[nodiscard]] Result<bool> next_block();
  [[nodiscard]] Result<bool> open_segment();
  [[nodiscard]] bool beyond_range(bson::ValueView key) const;

  Context& context_;
  StoredLayer layer_;
  KeyRange range_;
  std::size_t next_segment_ = 0;
  std::optional<BlockReader> reader_;
  std::size_t next_block_ = 0;
  std::size_t end_block_ = 0;
  BlockDecoder decoder_;
  BlockBuffer raw_;
  ByteView rest_;
  std::optional<KeyedEntry> current_;
  bool before_range_ = false;  ///< Entries below `from` may still come.
};

}  // namespace holdfast::repository
