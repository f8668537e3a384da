#include "interop/sha1.h"

#include <bit>

namespace holdfast::interop {

namespace {

constexpr std::size_t chunk_bytes = 64;
using State = std::array<std::uint32_t, 5>;

std::uint32_t load_big_endian(const std::uint8_t* at) {
  return __builtin_bswap32(load_little_endian<std::uint32_t>(at));
}

void add_chunk(State& state, const std::uint8_t* chunk) {
  std::array<std::uint32_t, 80> words{};
  for (std::size_t i = 0; i < 16; ++i) words[i] = load_big_endian(chunk + 4 * i);
  for (std::size_t i = 16; i < words.size(); ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint32_t mixed = 0;
    std::uint32_t constant = 0;
    if (i < 20) {
      mixed = (b & c) | (~b & d);
      constant = 0x5a827999;
    } else if (i < 40) {
      mixed = b ^ c ^ d;
      constant = 0x6ed9eba1;
    } else if (i < 60) {
      mixed = (b & c) | (b & d) | (c & d);
      constant = 0x8f1bbcdc;
    } else {
      mixed = b ^ c ^ d;
      constant = 0xca62c1d6;
    }
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + constant + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const State added = {a, b, c, d, e};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

}  // namespace

std::array<std::uint8_t, 20> sha1(ByteView bytes) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  Bytes padded = to_bytes(bytes);
  padded.push_back(0x80);
  while (padded.size() % chunk_bytes != chunk_bytes - 8) padded.push_back(0);
  append_little_endian(padded, __builtin_bswap64(std::uint64_t{bytes.size()} * 8));
  for (std::size_t at = 0; at < padded.size(); at += chunk_bytes) {
    add_chunk(state, padded.data() + at);
  }
  std::array<std::uint8_t, 20> digest{};
  for (std::size_t i = 0; i < state.size(); ++i) {
    const std::uint32_t word = __builtin_bswap32(state[i]);
    std::memcpy(digest.data() + 4 * i, &word, sizeof(word));
  }
  return digest;
}

}  // namespace holdfast::interop
