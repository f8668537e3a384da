#pragma once

#include <string>

#include "base/bytes.h"

namespace holdfast::interop {

/// What the fuzz target checks: arbitrary bytes, taken for a dump of any kind, are read or refused;
/// what is read holds valid documents only. The first byte chooses how. Returns what is wrong, or
/// nothing.
[[nodiscard]] std::string check_dump(ByteView bytes);

}  // namespace holdfast::interop
