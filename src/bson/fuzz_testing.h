#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::bson {

// What the fuzz targets check, and what the test that replays their corpus checks. Each returns
// what is wrong, or nothing.

/// Arbitrary bytes: if they validate, everything can be read, measured, compared, rebuilt and
/// written as JSON, and canonical JSON brings the same bytes back wherever JSON can.
[[nodiscard]] std::string check_document(ByteView bytes);

/// Arbitrary text: if it parses, the document is valid, and written and read again the same.
[[nodiscard]] std::string check_extended_json(std::string_view text);

}  // namespace holdfast::bson
