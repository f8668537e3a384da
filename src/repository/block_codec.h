#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "repository/sealing.h"
#include "repository/settings.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace holdfast::repository {

/// Bytes of a block before compression. A document of the largest size makes a block of its own;
/// a segment's index may hold keys of that size, so it gets room for a few.
inline constexpr std::size_t max_block_bytes = 64U * 1024 * 1024;
/// What a block has besides its compressed bytes: codec, raw length, tag.
inline constexpr std::size_t block_overhead_bytes = 1 + 4 + tag_bytes;
inline constexpr std::size_t max_stored_block_bytes = max_block_bytes + block_overhead_bytes;

/// Memory that is used again for every block: grows, never shrinks, is not cleared.
class BlockBuffer {
 public:
  /// Makes room for `size` bytes; the content is undefined.
  std::span<std::uint8_t> reset(std::size_t size);
  void clear() { size_ = 0; }
  /// Adds `size` undefined bytes at the end and returns where they are; the rest stays.
  std::uint8_t* extend(std::size_t size);
  void shrink(std::size_t size) { size_ = size; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint8_t* data() { return bytes_.get(); }
  [[nodiscard]] ByteView view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Opens and decompresses blocks. Not thread-safe; its memory is used again.
class BlockDecoder {
 public:
  BlockDecoder();
  ~BlockDecoder();
  BlockDecoder(BlockDecoder&&) noexcept;
  BlockDecoder& operator=(BlockDecoder&&) noexcept;

  /// Replaces `raw` by the block's bytes. Errors: corrupt (says why, not where).
  [[nodiscard]] Status decode(const Sealer& sealer, const Nonce& nonce, ByteView identity,
                              ByteView stored, BlockBuffer& raw);

 private:
  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> context_;
  BlockBuffer opened_;
};

/// Compresses and seals blocks. Not thread-safe; its memory is used again.
class BlockEncoder {
 public:
  explicit BlockEncoder(Compression compression);
  ~BlockEncoder();

  /// The block as it is to be stored; valid until the next call. It has been opened,
  /// decompressed and compared with `raw`. Errors: corrupt (this machine computed wrongly),
  /// precondition (too large).
  [[nodiscard]] Result<ByteView> encode(const Sealer& sealer, const Nonce& nonce, ByteView identity,
                                        ByteView raw);

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;
  BlockBuffer stored_;
  BlockBuffer compared_;
  BlockDecoder decoder_;
};

}  // namespace holdfast::repository
