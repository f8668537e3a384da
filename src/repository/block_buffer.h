#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "base/bytes.h"

namespace holdfast::repository {

/// Memory that is used again for every block: grows, shrinks only when told, is not cleared.
class BlockBuffer {
 public:
  /// Beyond it a block is a single large document, of which as few copies as can be are kept.
  static constexpr std::size_t most_kept_bytes = 4U * 1024 * 1024;

  /// Makes room for `size` bytes; the content is undefined.
  std::span<std::uint8_t> reset(std::size_t size) {
    size_ = 0;
    extend(size);
    return {bytes_.get(), size_};
  }
  void clear() { size_ = 0; }
  /// Adds `size` undefined bytes at the end and returns where they are; the rest stays.
  std::uint8_t* extend(std::size_t size) {
    if (size > capacity_ - size_) grow(size);
    std::uint8_t* const at = bytes_.get() + size_;
    size_ += size;
    return at;
  }
  void append(const std::uint8_t* bytes, std::size_t size) {
    if (size > 0) std::memcpy(extend(size), bytes, size);
  }
  void append(ByteView bytes) { append(bytes.data(), bytes.size()); }
  void push(std::uint8_t byte) { *extend(1) = byte; }
  /// LEB128: seven bits a byte, the lowest first.
  void push_varint(std::uint64_t number) {
    while (number >= 0x80U) {
      push(static_cast<std::uint8_t>(number | 0x80U));
      number >>= 7U;
    }
    push(static_cast<std::uint8_t>(number));
  }
  void shrink(std::size_t size) { size_ = size; }
  /// The content is not needed any more: gives its memory back if that is much.
  void let_go() {
    if (capacity_ > most_kept_bytes) *this = BlockBuffer();
    size_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint8_t* data() { return bytes_.get(); }
  [[nodiscard]] const std::uint8_t* data() const { return bytes_.get(); }
  [[nodiscard]] ByteView view() const { return {bytes_.get(), size_}; }

 private:
  void grow(std::size_t size) {
    const std::size_t capacity = std::max(size_ + size, capacity_ + capacity_ / 2);
    std::unique_ptr<std::uint8_t[]> larger(new std::uint8_t[capacity]);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace holdfast::repository
