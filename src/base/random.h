#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace holdfast {

/// Where names, nonces and keys come from; passed in. Thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  template <std::size_t Size>
  [[nodiscard]] std::array<std::uint8_t, Size> bytes() {
    std::array<std::uint8_t, Size> out{};
    fill(out);
    return out;
  }
};

/// The operating system's cryptographic generator, through libsodium.
class SystemRandom final : public RandomSource {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace holdfast
