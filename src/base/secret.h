#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace holdfast {

/// Key material or a password: bytes in memory that is locked (never swapped, left out of core
/// dumps, between guard pages; see libsodium's sodium_malloc) and wiped when it is freed.
/// Owns its bytes; move-only, so that copies are deliberate (`clone`). A moved-from one is empty.
/// Threads may read one at once, as a std::vector. Where the system denies locking
/// (RLIMIT_MEMLOCK), the bytes are still guarded and wiped. Throws std::bad_alloc only when
/// there is no memory.
class SecretBytes {
 public:
  SecretBytes() = default;
  /// `size` zero bytes, to be filled through `span`.
  explicit SecretBytes(std::size_t size);
  /// A copy; the caller wipes the original where it can.
  explicit SecretBytes(ByteView bytes);
  ~SecretBytes();
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Valid until this is destroyed, assigned to or moved from.
  [[nodiscard]] std::span<std::uint8_t> span() { return {data_, size_}; }
  [[nodiscard]] ByteView view() const { return {data_, size_}; }
  [[nodiscard]] SecretBytes clone() const { return SecretBytes(view()); }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Whether both hold the same bytes, in a time that depends on their lengths only.
[[nodiscard]] bool same_secret(ByteView a, ByteView b);
/// Overwrites bytes that held a secret, in a way that compilers leave in place.
void wipe(std::span<std::uint8_t> bytes);

}  // namespace holdfast
