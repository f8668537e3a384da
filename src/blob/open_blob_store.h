#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "blob/blob_store.h"

namespace holdfast::blob {

enum class OpenMode {
  read_only,   ///< Nothing can be changed through the store.
  read_write,  ///< The place must exist.
  create,      ///< The place is made if it is missing.
};

/// Opens the store that a location names: a folder's path, absolute or relative, or
/// file:///absolute/path with %XX escapes. A path with a colon in its first part is written
/// "./a:b". Errors: usage (malformed), unsupported (another kind of place; lists the known ones),
/// and those of open_local_store.
[[nodiscard]] Result<std::unique_ptr<BlobStore>> open_blob_store(std::string_view location,
                                                                 OpenMode mode);

}  // namespace holdfast::blob
