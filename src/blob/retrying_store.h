#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "blob/blob_store.h"

namespace holdfast::blob {

struct RetrySettings {
  unsigned max_attempts = 6;
  /// The delay before the second attempt; it doubles for each one after, and half of it is left
  /// to chance, so that clients that failed together don't come back together.
  std::chrono::milliseconds first_delay{200};
  std::chrono::milliseconds max_delay{10'000};
  /// No attempt begins later than this after the first.
  std::chrono::milliseconds give_up_after{120'000};
  /// Blobs up to this long are kept in memory until they are committed, and sent again as a
  /// whole; a longer one is passed on as it comes, and its `retry` is the caller's.
  std::uint64_t replay_limit_bytes = 8ULL * 1024 * 1024;
};

/// Waits so long; an error (cancelled) ends the operation with it.
using Sleep = std::function<Status(std::chrono::milliseconds)>;

/// A store that repeats what failed with ErrorCode::retry. It owns `inner`; clock and random must
/// outlive it, and it must outlive its writers. Thread-safe if `sleep` is.
///
/// A commit whose reply was lost may have taken effect: if a later attempt says `exists` and the
/// blob has just this content, the commit counts as done. So a put that decides something (a
/// lease, a fence) must hold something unique to its writer. Likewise a remove that says
/// `not_found` after a lost reply. When attempts run out, the last error is returned (retry), and
/// whether the blob exists is open.
[[nodiscard]] std::unique_ptr<BlobStore> make_retrying_store(std::unique_ptr<BlobStore> inner,
                                                             const RetrySettings& settings,
                                                             const Clock& clock,
                                                             RandomSource& random, Sleep sleep);

}  // namespace holdfast::blob
