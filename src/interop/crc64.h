#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace holdfast::interop {

/// CRC-64/XZ (ECMA-182 polynomial, reflected; https://reveng.sourceforge.io/crc-catalogue/): the
/// sum that archives of mongodump carry. "123456789" gives 995dc9bbdf1939fa. A value.
class Crc64 {
 public:
  void add(ByteView bytes);
  /// The sum of all bytes so far; 0 for none.
  [[nodiscard]] std::uint64_t value() const { return ~state_; }

 private:
  std::uint64_t state_ = ~std::uint64_t{0};
};

}  // namespace holdfast::interop
