#pragma once

#include <memory>

#include "blob/blob_store.h"

namespace holdfast::blob {

/// A store that refuses every change with `denied` before it reaches `inner`, which it owns. For
/// commands that must not change a repository, and for media that cannot. Thread-safe.
[[nodiscard]] std::unique_ptr<BlobStore> make_read_only_store(std::unique_ptr<BlobStore> inner);

}  // namespace holdfast::blob
