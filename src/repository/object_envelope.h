#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "repository/sealing.h"

namespace holdfast::repository {

/// A sealed object: a manifest, fence, tombstone or lease. One blob: a header, then blocks, each
/// compressed and sealed; see docs/format/repository.md, "Objects". Whoever reads only the first
/// block still knows that it is this blob's first of so many.

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

}  // namespace holdfast::repository
