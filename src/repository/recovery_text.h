#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace holdfast::repository {

inline constexpr std::size_t recovery_key_bytes = 32;

/// A recovery key as people write it down: 56 characters of Crockford's base 32
/// (https://www.crockford.com/base32.html) in groups of four: 32 random bytes and three of their
/// BLAKE2b, so that a typo shows before any key is tried.
[[nodiscard]] SecretBytes recovery_text(ByteView key);
/// Reads it back; blanks, dashes and case don't matter, O is 0, I and L are 1.
/// Errors: wrong_key (not such a text, or mistyped; the message says which).
[[nodiscard]] Result<SecretBytes> parse_recovery_text(ByteView text);

}  // namespace holdfast::repository
