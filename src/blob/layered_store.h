#pragma once

#include <memory>

#include "blob/blob_store.h"

namespace holdfast::blob {

/// Shows the blobs of two stores as one: what is written goes to `upper`, and `lower` is only read.
/// A name that `lower` has cannot be written or removed. Owns `upper`; `lower` must outlive it.
/// Thread-safe.
[[nodiscard]] std::unique_ptr<BlobStore> make_layered_store(const BlobReader& lower,
                                                            std::unique_ptr<BlobStore> upper);

}  // namespace holdfast::blob
