#include "repository/block_codec.h"

#include <zstd.h>

#include <cstring>
#include <new>
#include <utility>

namespace holdfast::repository {
namespace {

constexpr std::uint8_t codec_raw = 0;
constexpr std::uint8_t codec_zstd = 1;
constexpr std::size_t inner_header_bytes = 1 + 4;

constexpr std::uint8_t codec_shredded = 2;
/// In front of the three parts: their lengths before and after compression.
constexpr std::size_t part_header_bytes = 3 * (4 + 4);
/// Smaller blocks don't earn the headers; larger ones are single documents, and would need much
/// memory for little.
constexpr std::size_t min_shredded_bytes = 1024;
constexpr std::size_t max_shredded_bytes = max_block_bytes_setting + 4096;

/// zstd's levels. Numbers hardly profit from searching for repetitions.
struct Levels {
  int any;
  int structure;
  int text;
  int planes;
};
Levels levels_of(Compression compression) {
  switch (compression) {
    case Compression::fast: return {1, 1, 1, 1};
    case Compression::standard: return {3, 3, 3, 1};
    case Compression::max: return {6, 5, 5, 3};
  }
  return {3, 3, 3, 1};
}

Error damaged(std::string_view why) { return {ErrorCode::corrupt, std::string(why)}; }

}  // namespace

void BlockDecoder::FreeContext::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

BlockDecoder::BlockDecoder() : context_(ZSTD_createDCtx()) {
  if (!context_) throw std::bad_alloc();
}
BlockDecoder::~BlockDecoder() = default;
BlockDecoder::BlockDecoder(BlockDecoder&&) noexcept = default;
BlockDecoder& BlockDecoder::operator=(BlockDecoder&&) noexcept = default;

Status BlockDecoder::decode(const Sealer& sealer, const Nonce& nonce, ByteView identity,
                            ByteView stored, BlockBuffer& raw) {
  Status decoded = open_and_decode(sealer, nonce, identity, stored, raw);
  opened_.let_go();
  return decoded;
}

Status BlockDecoder::open_and_decode(const Sealer& sealer, const Nonce& nonce, ByteView identity,
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
  if (codec == codec_shredded) return decode_shredded(payload, out);
  if (codec != codec_zstd) return damaged("a block compressed in an unknown way");
  if (!decompress(payload, out)) return damaged("a block that does not decompress");
  return {};
}

Status BlockDecoder::decode_shredded(ByteView payload, std::span<std::uint8_t> out) {
  ByteReader reader(payload);
  std::array<std::uint32_t, 3> raw_sizes{};
  std::array<std::uint32_t, 3> sizes{};
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    raw_sizes[part] = reader.number<std::uint32_t>().value_or(0);
    sizes[part] = reader.number<std::uint32_t>().value_or(0);
  }
  std::array<ByteView, 3> views;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    const auto stored = reader.take(sizes[part]);
    if (!stored || raw_sizes[part] > max_block_bytes || sizes[part] > raw_sizes[part]) {
      return damaged("a block whose parts have impossible lengths");
    }
    views[part] = *stored;
    if (sizes[part] == raw_sizes[part]) continue;  // was not worth compressing
    if (!decompress(*stored, parts_[part].reset(raw_sizes[part]))) {
      return damaged("a block that does not decompress");
    }
    views[part] = parts_[part].view();
  }
  if (reader.remaining() > 0) return damaged("a block with bytes after its end");
  return unshredder_.unshred(views[0], views[1], views[2], out);
}

bool BlockDecoder::decompress(ByteView compressed, std::span<std::uint8_t> out) {
  const std::size_t size = ZSTD_decompressDCtx(context_.get(), out.data(), out.size(),
                                               compressed.data(), compressed.size());
  return ZSTD_isError(size) == 0 && size == out.size();
}

void BlockEncoder::FreeContext::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

BlockEncoder::BlockEncoder(Compression compression)
    : compression_(compression), context_(ZSTD_createCCtx()) {
  if (!context_) throw std::bad_alloc();
}
BlockEncoder::~BlockEncoder() = default;

Result<ByteView> BlockEncoder::encode(const Sealer& sealer, const Nonce& nonce, ByteView identity,
                                      ByteView raw, BlockContent content) {
  if (raw.size() > max_block_bytes) {
    return Error(ErrorCode::precondition, "a block of more than 64 MiB cannot be written");
  }
  const bool shreds = content == BlockContent::entries && raw.size() >= min_shredded_bytes &&
                      raw.size() <= max_shredded_bytes;
  if (!(shreds && encode_shredded(raw)) && !encode_plain(raw)) {
    stored_.reset(inner_header_bytes);
    stored_.data()[0] = codec_raw;
    stored_.append(raw);
  }
  const auto raw_size = static_cast<std::uint32_t>(raw.size());
  std::memcpy(stored_.data() + 1, &raw_size, sizeof(raw_size));
  stored_.extend(tag_bytes);
  sealer.seal({stored_.data(), stored_.size()}, nonce, identity);

  const Status reread = decoder_.decode(sealer, nonce, identity, stored_.view(), compared_);
  const bool same = reread.ok() && same_bytes(compared_.view(), raw);
  compared_.let_go();
  if (!same) {
    return Error(ErrorCode::corrupt,
                 "a block that was just made does not decode to what went into it",
                 "this machine computes wrongly: check its memory and processor");
  }
  return stored_.view();
}

std::size_t BlockEncoder::compress(ByteView bytes, int level) {
  const std::size_t before = stored_.size();
  const std::size_t room = ZSTD_compressBound(bytes.size());
  std::uint8_t* const out = stored_.extend(room);
  const std::size_t size =
      ZSTD_compressCCtx(context_.get(), out, room, bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size) != 0 || size >= bytes.size()) {
    stored_.shrink(before);
    return 0;
  }
  stored_.shrink(before + size);
  return size;
}

bool BlockEncoder::encode_plain(ByteView raw) {
  stored_.reset(inner_header_bytes);
  stored_.data()[0] = codec_zstd;
  return compress(raw, levels_of(compression_).any) > 0;
}

bool BlockEncoder::encode_shredded(ByteView raw) {
  const Shredded* const shredded = shredder_.shred(raw);
  if (shredded == nullptr) return false;
  stored_.reset(inner_header_bytes + part_header_bytes);
  stored_.data()[0] = codec_shredded;
  const Levels levels = levels_of(compression_);
  const std::array<std::pair<ByteView, int>, 3> parts = {
      std::pair(shredded->structure.view(), levels.structure),
      std::pair(shredded->text.view(), levels.text),
      std::pair(shredded->planes.view(), levels.planes)};
  std::size_t header_at = inner_header_bytes;
  for (const auto& [bytes, level] : parts) {
    const auto raw_size = static_cast<std::uint32_t>(bytes.size());
    auto size = static_cast<std::uint32_t>(compress(bytes, level));
    if (size == 0) {
      stored_.append(bytes);
      size = raw_size;
    }
    std::memcpy(stored_.data() + header_at, &raw_size, sizeof(raw_size));
    std::memcpy(stored_.data() + header_at + sizeof(raw_size), &size, sizeof(size));
    header_at += sizeof(raw_size) + sizeof(size);
  }
  return stored_.size() < raw.size();
}

}  // namespace holdfast::repository
