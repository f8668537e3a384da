#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace holdfast::profile {

/// Memory that lives until the next `reset`, handed out by moving a pointer: what an expression
/// computes for one document costs no allocation once the arena has grown to its needs.
/// Not thread-safe.
class Arena {
 public:
  /// `size` bytes aligned to 8; never null.
  [[nodiscard]] std::uint8_t* allocate(std::size_t size) {
    size = (size + 7U) & ~std::size_t{7};
    if (current_ < chunks_.size() && used_ + size <= chunks_[current_].size) {
      std::uint8_t* at = chunks_[current_].bytes.get() + used_;
      used_ += size;
      return at;
    }
    return allocate_slowly(size);
  }

  template <typename T>
  [[nodiscard]] T* allocate_array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    return reinterpret_cast<T*>(allocate(count * sizeof(T)));
  }

  /// Everything handed out is void; the memory stays for the next use.
  void reset() {
    current_ = 0;
    used_ = 0;
  }

 private:
  struct Chunk {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t size = 0;
  };
  static constexpr std::size_t chunk_bytes = 64UL * 1024;

  std::uint8_t* allocate_slowly(std::size_t size) {
    if (!chunks_.empty()) ++current_;
    while (current_ < chunks_.size() && chunks_[current_].size < size) ++current_;
    if (current_ >= chunks_.size()) {
      const std::size_t wanted = size > chunk_bytes ? size : chunk_bytes;
      chunks_.push_back({std::make_unique<std::uint8_t[]>(wanted), wanted});
      current_ = chunks_.size() - 1;
    }
    used_ = size;
    return chunks_[current_].bytes.get();
  }

  std::vector<Chunk> chunks_;
  std::size_t current_ = 0;
  std::size_t used_ = 0;
};

/// A growing array in an arena.
template <typename T>
class ArenaVector {
 public:
  explicit ArenaVector(Arena& arena) : arena_(arena) {}

  void push_back(const T& value) {
    if (size_ == capacity_) grow();
    items_[size_++] = value;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T& operator[](std::size_t index) { return items_[index]; }
  [[nodiscard]] T* begin() { return items_; }
  [[nodiscard]] T* end() { return items_ + size_; }
  [[nodiscard]] std::span<const T> span() const { return {items_, size_}; }

 private:
  void grow() {
    const std::size_t wider = capacity_ == 0 ? 8 : capacity_ * 2;
    T* moved = arena_.template allocate_array<T>(wider);
    for (std::size_t i = 0; i < size_; ++i) moved[i] = items_[i];
    items_ = moved;
    capacity_ = wider;
  }

  Arena& arena_;
  T* items_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace holdfast::profile
