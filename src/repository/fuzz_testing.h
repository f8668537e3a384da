#pragma once

#include <string>

#include "base/bytes.h"

namespace holdfast::repository {

// What the fuzz targets check, and what the test that replays their corpus checks. The first byte
// says as what the others are taken. Each returns what is wrong, or nothing.

/// Bytes as a segment has them behind encryption: an index, entries, a block, shredded parts.
[[nodiscard]] std::string check_segment_bytes(ByteView input);

/// Bytes of manifests and of the files that are readable without a key.
[[nodiscard]] std::string check_manifest_bytes(ByteView input);

}  // namespace holdfast::repository
