#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "repository/block_buffer.h"
#include "repository/sealing.h"
#include "repository/settings.h"
#include "repository/shredder.h"
#include "repository/unshredder.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace holdfast::repository {

/// Bytes of a block before compression. A document of the largest size makes a block of its own;
/// a segment's index may hold keys of that size, so it gets room for a few.
inline constexpr std::size_t max_block_bytes = 64U * 1024 * 1024;
/// What a block has besides its compressed bytes: codec, raw length, tag.
inline constexpr std::size_t block_overhead_bytes = 1 + 4 + tag_bytes;
inline constexpr std::size_t max_stored_block_bytes = max_block_bytes + block_overhead_bytes;

/// What a block's bytes are, so that the best way to compress them is found.
enum class BlockContent {
  any,
  entries,  ///< Of a segment, their documents valid.
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
  [[nodiscard]] Status open_and_decode(const Sealer& sealer, const Nonce& nonce, ByteView identity,
                                       ByteView stored, BlockBuffer& raw);
  [[nodiscard]] Status decode_shredded(ByteView payload, std::span<std::uint8_t> out);
  [[nodiscard]] bool decompress(ByteView compressed, std::span<std::uint8_t> out);

  std::unique_ptr<ZSTD_DCtx_s, FreeContext> context_;
  BlockBuffer opened_;
  std::array<BlockBuffer, 3> parts_;
  Unshredder unshredder_;
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
                                        ByteView raw, BlockContent content = BlockContent::any);

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  /// Adds the compressed bytes to `stored_`, and says how many; 0 if they would not be fewer.
  [[nodiscard]] std::size_t compress(ByteView bytes, int level);
  [[nodiscard]] bool encode_shredded(ByteView raw);
  [[nodiscard]] bool encode_plain(ByteView raw);

  const Compression compression_;
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;
  Shredder shredder_;
  BlockBuffer stored_;
  BlockBuffer compared_;
  BlockDecoder decoder_;
};

}  // namespace holdfast::repository
