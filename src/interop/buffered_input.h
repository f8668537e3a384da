#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "bson/document.h"
#include "dataset/reader.h"
#include "interop/byte_stream.h"

namespace holdfast::interop {

/// A source with a look ahead: what every parser of this module reads from. Holds at most what was
/// asked to be seen at once and one step of reading. Not thread-safe.
class BufferedInput {
 public:
  explicit BufferedInput(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  /// What comes next: at least `wanted` bytes, fewer only at the end; often more. Valid until the
  /// next call. Errors: those of the source.
  [[nodiscard]] Result<ByteView> ahead(std::size_t wanted);
  /// Goes on behind the next `count` bytes, which `ahead` must have shown.
  void consume(std::size_t count);
  /// Goes on behind the next `count` bytes. Errors: corrupt (the input ends before).
  [[nodiscard]] Status skip(std::uint64_t count);
  /// Bytes consumed so far.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  /// The next BSON document, validated and consumed; nothing at the end of the input. Valid until
  /// the next call of anything. Errors: corrupt, with the offset (and not consumed).
  [[nodiscard]] Result<std::optional<bson::DocumentView>> next_document();

 private:
  std::unique_ptr<ByteSource> source_;
  Bytes buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
};

/// A stream of concatenated BSON documents as a cursor.
[[nodiscard]] std::unique_ptr<DocumentCursor> make_bson_cursor(std::unique_ptr<ByteSource> source);

}  // namespace holdfast::interop
