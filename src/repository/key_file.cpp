#include "repository/key_file.h"

#include <sodium.h>

#include <algorithm>
#include <limits>

#include "base/sodium.h"
#include "repository/checked_json.h"
#include "repository/header.h"
#include "repository/names.h"
#include "repository/recovery_text.h"

namespace holdfast::repository {
namespace {

constexpr std::int64_t key_format = 1;
constexpr std::size_t wrapping_key_bytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
/// Bounds on what a stored file may make us compute: ten minutes and a gigabyte at most.
constexpr std::int64_t max_operations = 64;
constexpr std::int64_t max_memory_kib = 1024 * 1024;
constexpr std::int64_t min_memory_kib = 8;
constexpr std::size_t max_label_bytes = 1024;

using Salt = std::array<std::uint8_t, crypto_pwhash_SALTBYTES>;

Result<SecretBytes> wrapping_key(const KeySecret& secret, const Salt& salt,
                                 const PasswordCost& cost) {
  ensure_sodium();
  SecretBytes key(wrapping_key_bytes);
  if (secret.kind == KeyKind::password) {
    const int failed = crypto_pwhash(key.span().data(), key.size(),
                                     reinterpret_cast<const char*>(secret.bytes.view().data()),
                                     secret.bytes.size(), salt.data(), cost.operations,
                                     cost.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13);
    if (failed != 0) {
      return Error(ErrorCode::io, "there is not enough memory to try the password",
                   "it takes " + std::to_string(cost.memory_kib / 1024) + " MiB");
    }
    return key;
  }
  std::array<std::uint8_t, crypto_generichash_blake2b_PERSONALBYTES> personal{};
  const std::string_view name = name_of(secret.kind);
  std::copy(name.begin(), name.end(), personal.begin());
  crypto_generichash_blake2b_salt_personal(key.span().data(), key.size(),
                                           secret.bytes.view().data(), secret.bytes.size(), nullptr,
                                           0, salt.data(), personal.data());
  return key;
}

Error damaged(std::string_view name, std::string_view member) {
  return {ErrorCode::corrupt,
          std::string(name) + ": \"" + std::string(member) + "\" is missing or wrong"};
}

/// Fills `out` from the member's hexadecimal digits.
Status read_hex(std::string_view name, const Json& json, const char* member,
                std::span<std::uint8_t> out) {
  HOLDFAST_TRY(const std::string text, json_text(name, json, member));
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != out.size()) return damaged(name, member);
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return {};
}

std::optional<KeyKind> kind_of(std::string_view name) {
  for (const KeyKind kind : {KeyKind::password, KeyKind::key_file, KeyKind::recovery}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

Status read_cost(std::string_view name, const Json& json, PasswordCost& cost) {
  HOLDFAST_TRY(const std::int64_t operations,
               json_integer(name, json, "operations", 1, max_operations));
  HOLDFAST_TRY(const std::int64_t memory,
               json_integer(name, json, "memory_kib", min_memory_kib, max_memory_kib));
  cost.operations = static_cast<std::uint64_t>(operations);
  cost.memory_kib = static_cast<std::uint64_t>(memory);
  return {};
}

}  // namespace

std::string_view name_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::password: return "password";
    case KeyKind::key_file: return "key-file";
    case KeyKind::recovery: return "recovery";
  }
  return "unknown";
}

Result<std::optional<KeySecret>> secret_of(const Unlock& unlock) {
  const int given =
      (unlock.password ? 1 : 0) + (unlock.key_file ? 1 : 0) + (unlock.recovery_key ? 1 : 0);
  if (given == 0) return std::optional<KeySecret>();
  if (given > 1) return Error(ErrorCode::usage, "more than one key was given");
  if (unlock.password) {
    if (unlock.password->empty()) return Error(ErrorCode::usage, "the password is empty");
    return std::optional(KeySecret{KeyKind::password, unlock.password->clone()});
  }
  if (unlock.key_file) {
    if (unlock.key_file->size() < min_key_file_bytes) {
      return Error(ErrorCode::usage, "the key file is too short: it needs 32 bytes or more",
                   "make one with: head -c 64 /dev/urandom > FILE");
    }
    return std::optional(KeySecret{KeyKind::key_file, unlock.key_file->clone()});
  }
  HOLDFAST_TRY(SecretBytes key, parse_recovery_text(unlock.recovery_key->view()));
  return std::optional(KeySecret{KeyKind::recovery, std::move(key)});
}

Result<NewKey> wrap_master_key(const SecretBytes& master, const RepositoryId& repository,
                               const KeySecret& secret, std::string_view label, WallTime created,
                               const PasswordCost& cost, RandomSource& random) {
  NewKey made;
  made.info = {to_hex(random.bytes<8>()), std::string(name_of(secret.kind)),
               std::string(label.substr(0, max_label_bytes)), created};
  const auto salt = random.bytes<crypto_pwhash_SALTBYTES>();
  const auto nonce = random.bytes<crypto_aead_xchacha20poly1305_ietf_NPUBBYTES>();

  Json json;
  json["format"] = key_format;
  json["repository"] = to_hex(repository);
  json["id"] = made.info.id;
  json["kind"] = made.info.kind;
  json["label"] = made.info.label;
  json["created"] = to_milliseconds(created);
  json["epoch"] = key_epoch;
  if (secret.kind == KeyKind::password) {
    json["operations"] = cost.operations;
    json["memory_kib"] = cost.memory_kib;
  }
  json["salt"] = to_hex(salt);
  json["nonce"] = to_hex(nonce);
  const std::string identity = json.dump(-1, ' ', false, Json::error_handler_t::replace);

  HOLDFAST_TRY(SecretBytes key, wrapping_key(secret, salt, cost));
  const Sealer sealer(std::move(key));
  Bytes wrapped(master.size() + tag_bytes);
  std::copy(master.view().begin(), master.view().end(), wrapped.begin());
  sealer.seal(wrapped, nonce, as_bytes(identity));
  json["wrapped"] = to_hex(wrapped);
  made.json = encode_checked_json(json);
  return made;
}

Result<KeyFile> decode_key_file(std::string_view key_id, ByteView bytes) {
  const std::string name = key_name(key_id);
  HOLDFAST_TRY(Json json, decode_checked_json(name, bytes));
  HOLDFAST_TRY(const std::int64_t format,
               json_integer(name, json, "format", 1, std::numeric_limits<std::int64_t>::max()));
  HOLDFAST_TRY(const std::string kind, json_text(name, json, "kind"));
  const auto known_kind = kind_of(kind);
  if (format != key_format || !known_kind) {
    return Error(ErrorCode::unsupported, name + ": a kind of key unknown to this version",
                 "use a newer holdfast");
  }
  KeyFile file;
  file.kind = *known_kind;
  file.info.kind = kind;
  HOLDFAST_TRY(file.repository, json_text(name, json, "repository"));
  HOLDFAST_TRY(file.info.id, json_text(name, json, "id"));
  if (file.info.id != key_id) return damaged(name, "id");
  HOLDFAST_TRY(file.info.label, json_text(name, json, "label"));
  HOLDFAST_TRY(const std::int64_t created,
               json_integer(name, json, "created", -max_milliseconds, max_milliseconds));
  file.info.created = from_milliseconds(created);
  HOLDFAST_CHECK(json_integer(name, json, "epoch", key_epoch, key_epoch));
  if (file.kind == KeyKind::password) HOLDFAST_CHECK(read_cost(name, json, file.cost));
  HOLDFAST_CHECK(read_hex(name, json, "salt", file.salt));
  HOLDFAST_CHECK(read_hex(name, json, "nonce", file.nonce));
  file.wrapped.resize(master_key_bytes + tag_bytes);
  HOLDFAST_CHECK(read_hex(name, json, "wrapped", file.wrapped));
  json.erase("wrapped");
  file.identity = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return file;
}

Result<SecretBytes> unwrap_master_key(const KeyFile& file, const KeySecret& secret) {
  if (file.kind != secret.kind) {
    return Error(ErrorCode::wrong_key, "key " + file.info.id + " is of another kind");
  }
  HOLDFAST_TRY(SecretBytes key, wrapping_key(secret, file.salt, file.cost));
  const Sealer sealer(std::move(key));
  SecretBytes master(master_key_bytes);
  if (!sealer.open(file.wrapped, file.nonce, as_bytes(file.identity), master.span().data())) {
    return Error(ErrorCode::wrong_key, "key " + file.info.id + " does not open with this");
  }
  return master;
}

}  // namespace holdfast::repository
