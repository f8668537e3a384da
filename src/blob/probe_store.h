#pragma once

#include "base/result.h"
#include "blob/blob_store.h"

namespace holdfast::blob {

/// Tries whether a store keeps what safety rests on: a second put of a name is refused with
/// `exists` and changes nothing; a blob is listed, and read whole and in part, at once after it
/// was put; it is gone after its removal. Writes below "probe/" and removes it; a crash leaves
/// some bytes there, which no reader looks at.
/// Errors: unsupported (says what the store doesn't keep), and those of the store.
[[nodiscard]] Status probe_store(BlobStore& store);

}  // namespace holdfast::blob
