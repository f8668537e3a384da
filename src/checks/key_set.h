#pragma once

#include <cstdint>
#include <vector>

#include "checks/join_key.h"

namespace holdfast::checks {

/// A set of keys in memory, sixteen bytes each, by open addressing. Not thread-safe for writing.
class KeySet {
 public:
  /// Returns whether it is new.
  bool insert(const ShortKey& key) {
    if ((size_ + 1) * 3 > slots_.size() * 2) grow();
    return place(key);
  }
  [[nodiscard]] bool contains(const ShortKey& key) const {
    if (slots_.empty()) return false;
    for (std::size_t at = position(key);; at = (at + 1) & (slots_.size() - 1)) {
      if (!used_[at]) return false;
      if (slots_[at] == key) return true;
    }
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// What one more key may need at the next growth.
  [[nodiscard]] std::uint64_t bytes() const { return slots_.size() * (sizeof(ShortKey) + 1); }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t at = 0; at < slots_.size(); ++at) {
      if (used_[at]) visit(slots_[at]);
    }
  }
  void clear() { *this = KeySet(); }

 private:
  [[nodiscard]] std::size_t position(const ShortKey& key) const {
    // Fibonacci hashing spreads the counters in which ObjectIds end.
    const std::uint64_t mixed = (key.low ^ (key.high * 0xff51afd7ed558ccdU)) * 0x9e3779b97f4a7c15U;
    return static_cast<std::size_t>((mixed ^ (mixed >> 32U)) & (slots_.size() - 1));
  }
  bool place(const ShortKey& key) {
    for (std::size_t at = position(key);; at = (at + 1) & (slots_.size() - 1)) {
      if (!used_[at]) {
        slots_[at] = key;
        used_[at] = true;
        ++size_;
        return true;
      }
      if (slots_[at] == key) return false;
    }
  }
  void grow() {
    KeySet wider;
    const std::size_t slots = slots_.empty() ? 1024 : slots_.size() * 2;
    wider.slots_.resize(slots);
    wider.used_.resize(slots);
    for_each([&wider](const ShortKey& key) { wider.place(key); });
    *this = std::move(wider);
  }

  std::vector<ShortKey> slots_;
  std::vector<std::uint8_t> used_;
  std::size_t size_ = 0;
};

}  // namespace holdfast::checks
