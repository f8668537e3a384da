#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::repository {

/// The few files that must be readable without a key are one line of JSON whose last member is a
/// checksum: the BLAKE2b-256 of all text before `,"checksum":`. So every changed byte is noticed,
/// in this version's files and in those of any later one. It tells damage, not forgery.
using Json = nlohmann::ordered_json;

/// Larger than any such file: a limit for reading.
inline constexpr std::size_t max_checked_json_bytes = 64U * 1024;

/// `members` must be a non-empty object; text that is not UTF-8 in it becomes U+FFFD.
[[nodiscard]] std::string encode_checked_json(const Json& members);
/// The members without the checksum. Errors: corrupt, with `name`.
[[nodiscard]] Result<Json> decode_checked_json(std::string_view name, ByteView bytes);

/// The member's text, or corrupt.
[[nodiscard]] Result<std::string> json_text(std::string_view name, const Json& json,
                                            const char* member);
/// The member's number if it is an integer in [least, most], or corrupt.
[[nodiscard]] Result<std::int64_t> json_integer(std::string_view name, const Json& json,
                                                const char* member, std::int64_t least,
                                                std::int64_t most);

}  // namespace holdfast::repository
