#include "repository/sealing.h"

#include <sodium.h>

#include <cassert>
#include <cstring>

#include "base/sodium.h"

namespace holdfast::repository {
namespace {

constexpr std::string_view identity_magic = "holdfast";
constexpr std::uint16_t identity_version = 1;
constexpr std::size_t kind_offset = 10;

/// libsodium's key derivation: BLAKE2b with a number and these eight characters.
constexpr char derivation_context[crypto_kdf_CONTEXTBYTES + 1] = "holdfast";
constexpr std::uint64_t segments_subkey = 1;
constexpr std::uint64_t objects_subkey = 2;
constexpr std::uint64_t fingerprint_subkey = 3;  // 3, 4 and 5: 64 bytes each

std::array<std::uint8_t, tag_bytes> plain_tag(ByteView data, const Nonce& nonce,
                                              ByteView identity) {
  static constexpr std::array<std::uint8_t, crypto_generichash_blake2b_PERSONALBYTES> personal = {
      'h', 'o', 'l', 'd', 'f', 'a', 's', 't', '-', 'p', 'l', 'a', 'i', 'n', 0, 0};
  static constexpr std::array<std::uint8_t, crypto_generichash_blake2b_SALTBYTES> salt{};
  crypto_generichash_blake2b_state state;
  crypto_generichash_blake2b_init_salt_personal(&state, nullptr, 0, tag_bytes, salt.data(),
                                                personal.data());
  const std::uint64_t identity_size = identity.size();
  crypto_generichash_blake2b_update(&state, reinterpret_cast<const std::uint8_t*>(&identity_size),
                                    sizeof(identity_size));
  crypto_generichash_blake2b_update(&state, identity.data(), identity.size());
  crypto_generichash_blake2b_update(&state, nonce.data(), nonce.size());
  crypto_generichash_blake2b_update(&state, data.data(), data.size());
  std::array<std::uint8_t, tag_bytes> tag{};
  crypto_generichash_blake2b_final(&state, tag.data(), tag.size());
  return tag;
}

SecretBytes subkey(const SecretBytes& master, std::uint64_t number, std::size_t size) {
  SecretBytes key(size);
  crypto_kdf_derive_from_key(key.span().data(), size, number, derivation_context,
                             master.view().data());
  return key;
}

DocumentHasher derive_hasher(const SecretBytes& master) {
  std::array<std::uint8_t, 192> secret{};
  for (std::size_t part = 0; part < 3; ++part) {
    const SecretBytes piece = subkey(master, fingerprint_subkey + part, crypto_kdf_BYTES_MAX);
    std::memcpy(secret.data() + part * crypto_kdf_BYTES_MAX, piece.view().data(), piece.size());
  }
  DocumentHasher hasher(secret);
  wipe(secret);
  return hasher;
}

}  // namespace

Nonce block_nonce(const NoncePrefix& prefix, std::uint64_t block) {
  Nonce nonce;
  std::memcpy(nonce.data(), prefix.data(), prefix.size());
  std::memcpy(nonce.data() + prefix.size(), &block, sizeof(block));
  return nonce;
}

BlockIdentity::BlockIdentity(const RepositoryId& repository, SealKind kind,
                             std::string_view blob_name, std::uint32_t epoch,
                             std::uint32_t block_count) {
  append_bytes(bytes_, as_bytes(identity_magic));
  append_little_endian(bytes_, identity_version);
  append_little_endian(bytes_, static_cast<std::uint8_t>(kind));
  append_bytes(bytes_, repository);
  append_little_endian(bytes_, epoch);
  append_little_endian(bytes_, block_count);
  append_little_endian(bytes_, static_cast<std::uint16_t>(blob_name.size()));
  append_bytes(bytes_, as_bytes(blob_name));
  append_little_endian(bytes_, std::uint64_t{0});
}

ByteView BlockIdentity::of_block(std::uint64_t block) {
  std::memcpy(bytes_.data() + bytes_.size() - sizeof(block), &block, sizeof(block));
  return bytes_;
}

void BlockIdentity::set_kind(SealKind kind) {
  bytes_[kind_offset] = static_cast<std::uint8_t>(kind);
}

Sealer::Sealer(SecretBytes key) : key_(std::move(key)) {
  assert(key_.size() == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
}

void Sealer::seal(std::span<std::uint8_t> data_and_tag, const Nonce& nonce,
                  ByteView identity) const {
  assert(data_and_tag.size() >= tag_bytes);
  const std::size_t size = data_and_tag.size() - tag_bytes;
  if (key_.empty()) {
    const auto tag = plain_tag(data_and_tag.first(size), nonce, identity);
    std::memcpy(data_and_tag.data() + size, tag.data(), tag.size());
    return;
  }
  crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
      data_and_tag.data(), data_and_tag.data() + size, nullptr, data_and_tag.data(), size,
      identity.data(), identity.size(), nullptr, nonce.data(), key_.view().data());
}

bool Sealer::open(ByteView sealed, const Nonce& nonce, ByteView identity, std::uint8_t* out) const {
  if (sealed.size() < tag_bytes) return false;
  const std::size_t size = sealed.size() - tag_bytes;
  if (key_.empty()) {
    const auto tag = plain_tag(sealed.first(size), nonce, identity);
    if (!same_bytes(tag, sealed.subspan(size))) return false;
    if (size > 0) std::memcpy(out, sealed.data(), size);
    return true;
  }
  return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
             out, nullptr, sealed.data(), size, sealed.data() + size, identity.data(),
             identity.size(), nonce.data(), key_.view().data()) == 0;
}

RepositoryKeys derive_keys(const SecretBytes& master) {
  ensure_sodium();
  assert(master.size() == master_key_bytes);
  return {Sealer(subkey(master, segments_subkey, crypto_aead_xchacha20poly1305_ietf_KEYBYTES)),
          Sealer(subkey(master, objects_subkey, crypto_aead_xchacha20poly1305_ietf_KEYBYTES)),
          derive_hasher(master)};
}

RepositoryKeys plain_keys(const RepositoryId& id) {
  ensure_sodium();
  SecretBytes seed(master_key_bytes);
  crypto_generichash(seed.span().data(), seed.size(), id.data(), id.size(), nullptr, 0);
  return {Sealer(), Sealer(), derive_hasher(seed)};
}

}  // namespace holdfast::repository
