#include "interop/text_records.h"

#include <cstring>

namespace holdfast::interop {

ObjectIdSource::ObjectIdSource(const Clock& clock, RandomSource& random) {
  const auto seconds = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count());
  const std::uint32_t big_endian = __builtin_bswap32(seconds);
  std::memcpy(id_.data(), &big_endian, sizeof(big_endian));
  random.fill(std::span(id_).subspan(4, 5));
  std::array<std::uint8_t, 3> start{};
  random.fill(start);
  counter_ = start[0] | (std::uint32_t{start[1]} << 8U) | (std::uint32_t{start[2]} << 16U);
}

std::array<std::uint8_t, 12> ObjectIdSource::next() {
  counter_ = (counter_ + 1) & 0xffffffU;
  id_[9] = static_cast<std::uint8_t>(counter_ >> 16U);
  id_[10] = static_cast<std::uint8_t>(counter_ >> 8U);
  id_[11] = static_cast<std::uint8_t>(counter_);
  // The counter went around: another random part keeps ids unique.
  if (counter_ == 0) ++id_[8];
  return id_;
}

}  // namespace holdfast::interop
