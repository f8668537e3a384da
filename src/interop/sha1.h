#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace holdfast::interop {

/// SHA-1 (RFC 3174). Only for the file names that mongodump gives to long collection names; nothing
/// here is safe because of it.
[[nodiscard]] std::array<std::uint8_t, 20> sha1(ByteView bytes);

}  // namespace holdfast::interop
