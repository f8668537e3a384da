#include "repository/object_envelope.h"

#include <array>
#include <string>

#include "repository/block_codec.h"

namespace holdfast::repository {
namespace {

constexpr std::array<std::uint8_t, 8> object_magic = {'H', 'F', 'O', 'B', 'J', 0, 1, 0};
constexpr std::size_t header_bytes = 8 + 1 + 3 + 4 + 4 + nonce_prefix_bytes;
constexpr std::size_t length_bytes = 4;
/// 1 MiB each: as many as fill max_object_bytes, and some.
constexpr std::uint32_t max_blocks = 1U << 16U;

struct Header {
  SealKind kind;
  std::uint32_t epoch = 0;
  std::uint32_t block_count = 0;
  NoncePrefix prefix{};
};

Error damaged(std::string_view name, std::string_view why) {
  return {ErrorCode::corrupt, std::string(name) + ": " + std::string(why)};
}

Result<Header> read_header(std::string_view name, ByteReader& reader) {
  const auto magic = reader.take(object_magic.size());
  const auto kind = reader.number<std::uint8_t>();
  const auto zeros = reader.take(3);
  const auto epoch = reader.number<std::uint32_t>();
  const auto block_count = reader.number<std::uint32_t>();
  const auto prefix = reader.take(nonce_prefix_bytes);
  if (!prefix) return damaged(name, "it is cut off");
  constexpr std::array<std::uint8_t, 3> three_zeros{};
  if (!same_bytes(*magic, object_magic) || !same_bytes(*zeros, three_zeros)) {
    return damaged(name, "it does not begin as Holdfast's objects do");
  }
  if (*epoch != key_epoch) return damaged(name, "it names a key that does not exist");
  if (*block_count == 0 || *block_count > max_blocks) {
    return damaged(name, "its number of blocks is impossible");
  }
  Header header{static_cast<SealKind>(*kind), *epoch, *block_count, {}};
  std::copy(prefix->begin(), prefix->end(), header.prefix.begin());
  return header;
}

/// Opens the next block at the front of `reader`.
Result<Bytes> read_block(const ObjectSealer& by, std::string_view name, const Header& header,
                         BlockIdentity& identity, std::uint32_t number, ByteReader& reader,
                         BlockDecoder& decoder) {
  const auto length = reader.number<std::uint32_t>();
  const auto stored = length ? reader.take(*length) : std::nullopt;
  if (!stored) return damaged(name, "it is cut off");
  BlockBuffer raw;
  const Status decoded = decoder.decode(by.sealer, block_nonce(header.prefix, number),
                                        identity.of_block(number), *stored, raw);
  if (!decoded.ok()) return decoded.error().with_context(name);
  return to_bytes(raw.view());
}

Result<Header> read_header_of(SealKind kind, std::string_view name, ByteReader& reader) {
  HOLDFAST_TRY(const Header header, read_header(name, reader));
  if (header.kind != kind) return damaged(name, "it is another kind of object than it should be");
  return header;
}

}  // namespace

Result<Bytes> seal_object(const ObjectSealer& by, SealKind kind, std::string_view name,
                          const std::vector<Bytes>& blocks, RandomSource& random) {
  if (blocks.empty() || blocks.size() > max_blocks) {
    return Error(ErrorCode::precondition, std::string(name) + ": too large for one object");
  }
  std::uint64_t raw_bytes = 0;
  for (const Bytes& block : blocks) raw_bytes += block.size();
  if (raw_bytes > max_object_bytes) {
    return Error(ErrorCode::precondition, std::string(name) + ": too large for one object");
  }
  const auto block_count = static_cast<std::uint32_t>(blocks.size());
  const auto prefix = random.bytes<nonce_prefix_bytes>();
  Bytes out(object_magic.begin(), object_magic.end());
  append_little_endian(out, static_cast<std::uint8_t>(kind));
  out.insert(out.end(), 3, 0);
  append_little_endian(out, key_epoch);
  append_little_endian(out, block_count);
  append_bytes(out, prefix);

  BlockIdentity identity(by.repository, kind, name, key_epoch, block_count);
  BlockEncoder encoder(Compression::standard);
  for (std::uint32_t number = 0; number < block_count; ++number) {
    HOLDFAST_TRY(const ByteView stored, encoder.encode(by.sealer, block_nonce(prefix, number),
                                                       identity.of_block(number), blocks[number]));
    append_little_endian(out, static_cast<std::uint32_t>(stored.size()));
    append_bytes(out, stored);
  }
  return out;
}

Result<SealKind> object_kind(ByteView front) {
  ByteReader reader(front);
  HOLDFAST_TRY(const Header header, read_header("object", reader));
  return header.kind;
}

Result<std::vector<Bytes>> open_object(const ObjectSealer& by, SealKind kind, std::string_view name,
                                       ByteView bytes) {
  ByteReader reader(bytes);
  HOLDFAST_TRY(const Header header, read_header_of(kind, name, reader));
  BlockIdentity identity(by.repository, kind, name, header.epoch, header.block_count);
  BlockDecoder decoder;
  std::vector<Bytes> blocks;
  std::uint64_t raw_bytes = 0;
  for (std::uint32_t number = 0; number < header.block_count; ++number) {
    HOLDFAST_TRY(Bytes block, read_block(by, name, header, identity, number, reader, decoder));
    raw_bytes += block.size();
    if (raw_bytes > max_object_bytes) return damaged(name, "it is larger than any that is written");
    blocks.push_back(std::move(block));
  }
  if (reader.remaining() > 0) return damaged(name, "there are bytes after its end");
  return blocks;
}

Result<std::uint64_t> first_block_end(std::string_view name, ByteView front) {
  if (front.size() < header_bytes + length_bytes) return damaged(name, "it is cut off");
  const auto length = load_little_endian<std::uint32_t>(front.data() + header_bytes);
  if (length > max_stored_block_bytes) return damaged(name, "a block of an impossible length");
  return std::uint64_t{header_bytes} + length_bytes + length;
}

Result<Bytes> open_first_block(const ObjectSealer& by, SealKind kind, std::string_view name,
                               ByteView front) {
  ByteReader reader(front);
  HOLDFAST_TRY(const Header header, read_header_of(kind, name, reader));
  BlockIdentity identity(by.repository, kind, name, header.epoch, header.block_count);
  BlockDecoder decoder;
  return read_block(by, name, header, identity, 0, reader, decoder);
}

}  // namespace holdfast::repository
