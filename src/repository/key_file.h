#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "repository/repository.h"
#include "repository/sealing.h"

namespace holdfast::repository {

enum class KeyKind { password, key_file, recovery };
[[nodiscard]] std::string_view name_of(KeyKind kind);

/// What argon2id costs an attacker, and us, for each try.
struct PasswordCost {
  std::uint64_t operations = 3;
  std::uint64_t memory_kib = 64U * 1024;
};

/// Contents of key files are hashed without stretching, so they need this much of their own.
inline constexpr std::size_t min_key_file_bytes = 32;

/// What somebody unlocks with, checked for form: a password, the content of a key file, or the 32
/// bytes of a recovery key.
struct KeySecret {
  KeyKind kind;
  SecretBytes bytes;
};
/// Nothing if nothing is set. Errors: usage (several are set; an empty password; a key file that
/// is too short), wrong_key (a mistyped recovery key).
[[nodiscard]] Result<std::optional<KeySecret>> secret_of(const Unlock& unlock);

/// One `keys/<id>.json`, decoded.
struct KeyFile {
  KeyInfo info;
  KeyKind kind = KeyKind::password;
  std::string repository;  ///< Its id as text.
  PasswordCost cost;       ///< For passwords.
  std::array<std::uint8_t, 16> salt{};
  Nonce nonce{};
  Bytes wrapped;         ///< The master key and a tag.
  std::string identity;  ///< What the tag covers besides: all other members as JSON.
};

struct NewKey {
  KeyInfo info;
  std::string json;
};
/// Wraps `master` under a secret. Errors: no memory for argon2 (io).
[[nodiscard]] Result<NewKey> wrap_master_key(const SecretBytes& master,
                                             const RepositoryId& repository,
                                             const KeySecret& secret, std::string_view label,
                                             WallTime created, const PasswordCost& cost,
                                             RandomSource& random);
/// Errors: corrupt (its checksum, a member, or its cost is beyond bounds), unsupported.
[[nodiscard]] Result<KeyFile> decode_key_file(std::string_view key_id, ByteView bytes);
/// Errors: wrong_key, io (no memory for argon2).
[[nodiscard]] Result<SecretBytes> unwrap_master_key(const KeyFile& file, const KeySecret& secret);

}  // namespace holdfast::repository
