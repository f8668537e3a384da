#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::bson {

// The text forms inside Extended JSON. Pure functions, independent of the locale.

/// Appends `text` in quotes with JSON's escapes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

/// A regular expression's options in the order that BSON wants. Options that are not ASCII, which
/// no server knows, stay as they are.
[[nodiscard]] std::string sort_options(std::string_view options);

/// RFC 4648 section 4, padded.
[[nodiscard]] std::string encode_base64(ByteView bytes);
/// Nothing unless `text` is exactly what `encode_base64` gives for some bytes.
[[nodiscard]] std::optional<Bytes> decode_base64(std::string_view text);

/// As few digits as read back as the same double, always with a point or an exponent: "1.0",
/// "1e+300", "-0.0"; also "NaN", "Infinity", "-Infinity".
[[nodiscard]] std::string format_double(double value);
/// Reads what `format_double` writes, and any JSON number. What is too small becomes ±0; nothing
/// if it is too large or no number.
[[nodiscard]] std::optional<double> parse_double(std::string_view text);

/// "2012-12-24T12:15:30.501Z" for the years 1970 to 9999, else nothing. Milliseconds only if not 0.
[[nodiscard]] std::optional<std::string> format_date(std::int64_t milliseconds);
/// Reads ISO 8601 with a four-digit year, seconds and fraction optional, and a zone ("Z", "+hh:mm",
/// "+hhmm", "+hh"). Digits beyond milliseconds are dropped.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text);

}  // namespace holdfast::bson
