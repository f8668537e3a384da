#include "repository/object_envelope.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace holdfast::repository {
namespace {

constexpr std::array<std::uint8_t, 8> object_magic = {'H', 'F', 'O', 'B', 'J', 0, 1, 0};

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
  if (*block_count == 0 || *block_count > max_object_blocks) {
    return damaged(name, "its number of blocks is impossible");
  }
  Header header{static_cast<SealKind>(*kind), *epoch, *block_count, {}};
  std::copy(prefix->begin(), prefix->end(), header.prefix.begin());
  return header;
}

Result<Header> read_header_of(SealKind kind, std::string_view name, ByteReader& reader) {
  HOLDFAST_TRY(const Header header, read_header(name, reader));
  if (header.kind != kind) return damaged(name, "it is another kind of object than it should be");
  return header;
}

/// The next block at the front of `reader`, behind its length.
Result<ByteView> take_block(std::string_view name, ByteReader& reader) {
  const auto length = reader.number<std::uint32_t>();
  const auto stored = length ? reader.take(*length) : std::nullopt;
  if (!stored) return damaged(name, "it is cut off");
  return *stored;
}

}  // namespace

ObjectSealing::ObjectSealing(const ObjectSealer& by, SealKind kind, std::string_view name,
                             std::uint32_t block_count, RandomSource& random)
    : sealer_(by.sealer),
      kind_(kind),
      block_count_(block_count),
      prefix_(random.bytes<nonce_prefix_bytes>()),
      identity_(by.repository, kind, name, key_epoch, block_count),
      encoder_(Compression::standard) {}

Bytes ObjectSealing::header() const {
  Bytes out(object_magic.begin(), object_magic.end());
  append_little_endian(out, static_cast<std::uint8_t>(kind_));
  out.insert(out.end(), 3, 0);
  append_little_endian(out, key_epoch);
  append_little_endian(out, block_count_);
  append_bytes(out, prefix_);
  return out;
}

Result<ByteView> ObjectSealing::seal(ByteView block) {
  const std::uint32_t number = number_++;
  return encoder_.encode(sealer_, block_nonce(prefix_, number), identity_.of_block(number), block);
}

ObjectOpening::ObjectOpening(const Sealer& sealer, std::string_view name, std::uint32_t block_count,
                             const NoncePrefix& prefix, BlockIdentity identity)
    : sealer_(&sealer),
      name_(name),
      block_count_(block_count),
      prefix_(prefix),
      identity_(std::move(identity)) {}

Result<ObjectOpening> ObjectOpening::begin(const ObjectSealer& by, SealKind kind,
                                           std::string_view name, ByteView front) {
  ByteReader reader(front);
  HOLDFAST_TRY(const Header header, read_header_of(kind, name, reader));
  return ObjectOpening(by.sealer, name, header.block_count, header.prefix,
                       BlockIdentity(by.repository, kind, name, header.epoch, header.block_count));
}

Result<ByteView> ObjectOpening::open(ByteView stored) {
  const std::uint32_t number = number_++;
  const Status decoded = decoder_.decode(*sealer_, block_nonce(prefix_, number),
                                         identity_.of_block(number), stored, raw_);
  if (!decoded.ok()) return decoded.error().with_context(name_);
  return raw_.view();
}

Result<Bytes> seal_object(const ObjectSealer& by, SealKind kind, std::string_view name,
                          const std::vector<Bytes>& blocks, RandomSource& random) {
  if (blocks.empty() || blocks.size() > max_object_blocks) {
    return Error(ErrorCode::precondition, std::string(name) + ": too large for one object");
  }
  std::uint64_t raw_bytes = 0;
  for (const Bytes& block : blocks) raw_bytes += block.size();
  if (raw_bytes > max_object_bytes) {
    return Error(ErrorCode::precondition, std::string(name) + ": too large for one object");
  }
  const auto block_count = static_cast<std::uint32_t>(blocks.size());
  ObjectSealing sealing(by, kind, name, block_count, random);
  Bytes out = sealing.header();
  for (const Bytes& block : blocks) {
    HOLDFAST_TRY(const ByteView stored, sealing.seal(block));
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
  HOLDFAST_TRY(ObjectOpening opening, ObjectOpening::begin(by, kind, name, bytes));
  ByteReader reader(bytes.subspan(object_header_bytes));
  std::vector<Bytes> blocks;
  std::uint64_t raw_bytes = 0;
  while (!opening.done()) {
    HOLDFAST_TRY(const ByteView stored, take_block(name, reader));
    HOLDFAST_TRY(const ByteView block, opening.open(stored));
    raw_bytes += block.size();
    if (raw_bytes > max_object_bytes) return damaged(name, "it is larger than any that is written");
    blocks.push_back(to_bytes(block));
  }
  if (reader.remaining() > 0) return damaged(name, "there are bytes after its end");
  return blocks;
}

Result<std::uint64_t> first_block_end(std::string_view name, ByteView front) {
  if (front.size() < object_header_bytes + object_length_bytes) {
    return damaged(name, "it is cut off");
  }
  const auto length = load_little_endian<std::uint32_t>(front.data() + object_header_bytes);
  if (length > max_stored_block_bytes) return damaged(name, "a block of an impossible length");
  return std::uint64_t{object_header_bytes} + object_length_bytes + length;
}

Result<Bytes> open_first_block(const ObjectSealer& by, SealKind kind, std::string_view name,
                               ByteView front) {
  HOLDFAST_TRY(ObjectOpening opening, ObjectOpening::begin(by, kind, name, front));
  ByteReader reader(front.subspan(object_header_bytes));
  HOLDFAST_TRY(const ByteView stored, take_block(name, reader));
  HOLDFAST_TRY(const ByteView block, opening.open(stored));
  return to_bytes(block);
}

}  // namespace holdfast::repository
