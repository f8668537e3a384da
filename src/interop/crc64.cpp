#include "interop/crc64.h"

#include <array>

namespace holdfast::interop {

namespace {

constexpr std::uint64_t polynomial = 0xc96c5795d7870f42ULL;
/// Bytes taken at a time ("slicing by 8"), one table for each.
constexpr std::size_t slices = 8;
using Tables = std::array<std::array<std::uint64_t, 256>, slices>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? polynomial : 0);
    tables[0][byte] = sum;
  }
  for (std::size_t slice = 1; slice < slices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

}  // namespace

void Crc64::add(ByteView bytes) {
  std::uint64_t state = state_;
  while (bytes.size() >= slices) {
    state ^= load_little_endian<std::uint64_t>(bytes.data());
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < slices; ++i) {
      next ^= tables[slices - 1 - i][(state >> (8 * i)) & 0xffU];
    }
    state = next;
    bytes = bytes.subspan(slices);
  }
  for (const std::uint8_t byte : bytes) {
    state = (state >> 8U) ^ tables[0][(state ^ byte) & 0xffU];
  }
  state_ = state;
}

}  // namespace holdfast::interop
