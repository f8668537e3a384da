#include "repository/block_codec.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace holdfast::repository {
namespace {

constexpr std::uint8_t codec_raw = 0;
constexpr std::uint8_t codec_zstd = 1;
constexpr std::size_t inner_header_bytes = 1 + 4;

int level_of(Compression compression) {
  switch (compression) {
    case Compression::fast: return 1;
    case Compression::standard: return 3;
    case Compression::max: return 6;
  }
  return 3;
}

Error damaged(std::string_view why) { return {ErrorCode::corrupt, std::string(why)}; }

}  // namespace

std::span<std::uint8_t> BlockBuffer::reset(std::size_t size) {
  size_ = 0;
  extend(size);
  return {bytes_.get(), size_};
}

std::uint8_t* BlockBuffer::extend(std::size_t size) {
  const std::size_t old_size = size_;
  const std::size_t needed = old_size + size;
  if (needed > capacity_) {
    const std::size_t capacity = std::max(needed, capacity_ + capacity_ / 2);
    std::unique_ptr<std::uint8_t[]> larger(new std::uint8_t[capacity]);
    if (old_size > 0) std::memcpy(larger.get(), bytes_.get(), old_size);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  size_ = needed;
  return bytes_.get() + old_size;
}

void BlockDecoder::FreeContext::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

BlockDecoder::BlockDecoder() : context_(ZSTD_createDCtx()) {
  if (!context_) throw std::bad_alloc();
}
BlockDecoder::~BlockDecoder() = default;
BlockDecoder::BlockDecoder(BlockDecoder&&) noexcept = default;
BlockDecoder& BlockDecoder::operator=(BlockDecoder&&) noexcept = default;

Status BlockDecoder::decode(const Sealer& sealer, const Nonce& nonce, ByteView identity,
                            ByteView stored, BlockBuffer& raw) {
  if (stored.size() < block_overhead_bytes || stored.size() > max_stored_block_bytes) {
    return damaged("a block of an impossible length");
  }
  const auto opened = opened_.reset(stored.size() - tag_bytes);
  if (!sealer.open(stored, nonce, identity, opened.data())) {
    return damaged("the bytes are not those that were written");
  }
  const std::uint8_t codec = opened[0];
  const auto raw_size = load_little_endian<std::uint32_t>(opened.data() + 1);
  const ByteView payload = opened.subspan(inner_header_bytes);
  if (raw_size > max_block_bytes) return damaged("a block larger than any that is written");

  const auto out = raw.reset(raw_size);
  if (codec == codec_raw) {
    if (payload.size() != raw_size) return damaged("a block's length does not fit its content");
    if (raw_size > 0) std::memcpy(out.data(), payload.data(), raw_size);
    return {};
  }
  if (codec != codec_zstd) return damaged("a block compressed in an unknown way");
  const std::size_t size =
      ZSTD_decompressDCtx(context_.get(), out.data(), out.size(), payload.data(), payload.size());
  if (ZSTD_isError(size) != 0 || size != raw_size) {
    return damaged("a block that does not decompress");
  }
  return {};
}

void BlockEncoder::FreeContext::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

BlockEncoder::BlockEncoder(Compression compression) : context_(ZSTD_createCCtx()) {
  if (!context_) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level_of(compression));
}
BlockEncoder::~BlockEncoder() = default;

Result<ByteView> BlockEncoder::encode(const Sealer& sealer, const Nonce& nonce, ByteView identity,
                                      ByteView raw) {
  if (raw.size() > max_block_bytes) {
    return Error(ErrorCode::precondition, "a block of more than 64 MiB cannot be written");
  }
  const std::size_t room = std::max(ZSTD_compressBound(raw.size()), raw.size());
  std::uint8_t* const out = stored_.reset(inner_header_bytes + room + tag_bytes).data();
  std::size_t size =
      ZSTD_compress2(context_.get(), out + inner_header_bytes, room, raw.data(), raw.size());
  out[0] = codec_zstd;
  if (ZSTD_isError(size) != 0 || size >= raw.size()) {
    out[0] = codec_raw;
    size = raw.size();
    if (size > 0) std::memcpy(out + inner_header_bytes, raw.data(), size);
  }
  const auto raw_size = static_cast<std::uint32_t>(raw.size());
  std::memcpy(out + 1, &raw_size, sizeof(raw_size));
  stored_.shrink(inner_header_bytes + size + tag_bytes);
  sealer.seal({out, stored_.size()}, nonce, identity);

  const Status reread = decoder_.decode(sealer, nonce, identity, stored_.view(), compared_);
  if (!reread.ok() || !same_bytes(compared_.view(), raw)) {
    return Error(ErrorCode::corrupt,
                 "a block that was just made does not decode to what went into it",
                 "this machine computes wrongly: check its memory and processor");
  }
  return stored_.view();
}

}  // namespace holdfast::repository
