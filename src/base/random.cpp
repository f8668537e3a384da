#include "base/random.h"

#include <sodium.h>

#include "base/sodium.h"

namespace holdfast {

void SystemRandom::fill(std::span<std::uint8_t> out) {
  ensure_sodium();
  randombytes_buf(out.data(), out.size());
}

}  // namespace holdfast
