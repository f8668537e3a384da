#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "repository/block_buffer.h"
#include "repository/block_codec.h"
#include "repository/sealing.h"

namespace holdfast::repository {

/// A sealed object: a manifest, fence, tombstone, lease or log segment. One blob: a header, then
/// blocks, each compressed and sealed; see docs/format/repository.md, "Objects". Whoever reads only
/// the first block still knows that it is this blob's first of so many.

/// What reads of the front fetch at first: the summaries of ordinary snapshots fit.
inline constexpr std::size_t object_front_bytes = 8U * 1024;
/// A manifest of a million segments has about 300 MiB before compression; no object may be
/// larger than this, before it or after (its headers aside).
inline constexpr std::uint64_t max_object_bytes = 1024ULL * 1024 * 1024;

/// Who seals: shared by all objects of a repository.
struct ObjectSealer {
  const RepositoryId& repository;
  const Sealer& sealer;
};

/// Seals `blocks` (each at most max_block_bytes) for the blob `name`, and checks that they open
/// to the same again.
[[nodiscard]] Result<Bytes> seal_object(const ObjectSealer& by, SealKind kind,
                                        std::string_view name, const std::vector<Bytes>& blocks,
                                        RandomSource& random);

/// The kind that an object says it is; only opening it proves that. Errors: corrupt.
[[nodiscard]] Result<SealKind> object_kind(ByteView front);

/// All blocks of a whole object. Errors: corrupt, with the name.
[[nodiscard]] Result<std::vector<Bytes>> open_object(const ObjectSealer& by, SealKind kind,
                                                     std::string_view name, ByteView bytes);

/// How many bytes from the front hold the first block. `front` has at least
/// object_front_bytes, or is the whole object. Errors: corrupt.
[[nodiscard]] Result<std::uint64_t> first_block_end(std::string_view name, ByteView front);
/// The first block alone, of at least first_block_end() bytes. Errors: corrupt.
[[nodiscard]] Result<Bytes> open_first_block(const ObjectSealer& by, SealKind kind,
                                             std::string_view name, ByteView front);

/// What is in front of an object's first block.
inline constexpr std::size_t object_header_bytes = 8 + 1 + 3 + 4 + 4 + nonce_prefix_bytes;
inline constexpr std::size_t object_length_bytes = 4;
/// 1 MiB each: as many as fill max_object_bytes, and some.
inline constexpr std::uint32_t max_object_blocks = 1U << 16U;

/// Seals an object block by block, for those that need not fit into memory. How many blocks there
/// are must be known beforehand (1 … max_object_blocks). Not thread-safe.
class ObjectSealing {
 public:
  ObjectSealing(const ObjectSealer& by, SealKind kind, std::string_view name,
                std::uint32_t block_count, RandomSource& random);
  [[nodiscard]] Bytes header() const;
  /// The next block, to be stored behind its length; valid until the next call.
  [[nodiscard]] Result<ByteView> seal(ByteView block);

 private:
  const Sealer& sealer_;
  const SealKind kind_;
  const std::uint32_t block_count_;
  const NoncePrefix prefix_;
  BlockIdentity identity_;
  BlockEncoder encoder_;
  std::uint32_t number_ = 0;
};

/// Opens an object block by block. Not thread-safe.
class ObjectOpening {
 public:
  /// `front`: at least object_header_bytes. Errors: corrupt.
  [[nodiscard]] static Result<ObjectOpening> begin(const ObjectSealer& by, SealKind kind,
                                                   std::string_view name, ByteView front);
  [[nodiscard]] bool done() const { return number_ == block_count_; }
  /// Opens the next block, as it is stored behind its length; valid until the next call.
  /// Requires that it is not done. Errors: corrupt.
  [[nodiscard]] Result<ByteView> open(ByteView stored);

 private:
  ObjectOpening(const Sealer& sealer, std::string_view name, std::uint32_t block_count,
                const NoncePrefix& prefix, BlockIdentity identity);

  const Sealer* sealer_;
  std::string name_;
  std::uint32_t block_count_;
  NoncePrefix prefix_;
  BlockIdentity identity_;
  BlockDecoder decoder_;
  BlockBuffer raw_;
  std::uint32_t number_ = 0;
};

}  // namespace holdfast::repository
