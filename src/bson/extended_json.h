#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::bson {

/// Extended JSON v2
/// (https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md).
enum class JsonMode {
  canonical,  ///< Every type survives the round trip.
  relaxed,    ///< Plain numbers and ISO dates where the specification allows; for reading.
};

/// One line, no trailing line break; `indent` > 0 spreads it over lines. Bytes that are not
/// UTF-8 become U+FFFD (JSON has no other way).
[[nodiscard]] std::string to_json(DocumentView document, JsonMode mode, int indent = 0);
[[nodiscard]] std::string to_json(ValueView value, JsonMode mode);

/// Reads one JSON object: canonical, relaxed, and the legacy v1 forms that old dumps hold
/// ($date as a number, $binary with $type, $uuid, $numberLong …). Nothing is guessed: an unknown
/// $-key in a wrapper position is an ordinary field; a malformed wrapper is an error with line and
/// column. Integers become int32 where they fit, else int64; other numbers double. Errors: usage.
/// Limits: max_document_bytes, max_nesting.
[[nodiscard]] Result<Document> from_json(std::string_view text);

}  // namespace holdfast::bson
