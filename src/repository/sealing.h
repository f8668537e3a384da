#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"
#include "dataset/types.h"

namespace holdfast::repository {

/// What a sealed block is; part of what its tag covers, so that none passes for another.
enum class SealKind : std::uint8_t {
  segment_data = 1,
  segment_index = 2,
  manifest = 3,
  fence = 4,
  tombstone = 5,
  lease = 6,
  key_tombstone = 7,
  log_segment = 8,
};

inline constexpr std::size_t tag_bytes = 16;
inline constexpr std::size_t nonce_prefix_bytes = 16;
inline constexpr std::size_t master_key_bytes = 32;
/// Every object names the epoch of the key that sealed it; so far there is one.
inline constexpr std::uint32_t key_epoch = 1;

using NoncePrefix = std::array<std::uint8_t, nonce_prefix_bytes>;
/// XChaCha20's 192 bits: a file's random prefix and the number of the block, little-endian.
using Nonce = std::array<std::uint8_t, 24>;
[[nodiscard]] Nonce block_nonce(const NoncePrefix& prefix, std::uint64_t block);

/// Identity of a repository: 16 random bytes, shown as hexadecimal digits.
using RepositoryId = std::array<std::uint8_t, 16>;

/// The additional data of one blob's blocks: everything about a block that is not in its bytes.
/// Made once a blob; only the number changes from block to block. Not thread-safe.
class BlockIdentity {
 public:
  /// `block_count` is 0 where the number of blocks is not known beforehand (segments).
  BlockIdentity(const RepositoryId& repository, SealKind kind, std::string_view blob_name,
                std::uint32_t epoch, std::uint32_t block_count);
  /// Valid until the next call.
  [[nodiscard]] ByteView of_block(std::uint64_t block);
  void set_kind(SealKind kind);

 private:
  Bytes bytes_;
};

/// Seals and opens bytes with one key: XChaCha20-Poly1305, or in a repository without encryption
/// a keyless BLAKE2b tag that shows damage in the same way. Thread-safe.
class Sealer {
 public:
  /// No key: tags only.
  Sealer() = default;
  explicit Sealer(SecretBytes key);

  /// Seals in place all but the last `tag_bytes`, which receive the tag.
  void seal(std::span<std::uint8_t> data_and_tag, const Nonce& nonce, ByteView identity) const;
  /// Writes sealed.size() - tag_bytes bytes to `out`. False if the tag does not fit.
  [[nodiscard]] bool open(ByteView sealed, const Nonce& nonce, ByteView identity,
                          std::uint8_t* out) const;

 private:
  SecretBytes key_;
};

/// The keys of an open repository, one a purpose, all derived from its master key.
struct RepositoryKeys {
  Sealer segments;
  Sealer objects;
  DocumentHasher hasher;
};

/// From the master key of an encrypted repository.
[[nodiscard]] RepositoryKeys derive_keys(const SecretBytes& master);
/// For a repository without encryption: fingerprints are keyed by its id, nothing is secret.
[[nodiscard]] RepositoryKeys plain_keys(const RepositoryId& id);

}  // namespace holdfast::repository
