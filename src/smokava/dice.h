#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast::smokava {

__extension__ using Wide = unsigned __int128;

/// floor(a * b / c) without overflow in between. Requires c > 0 and a result below 2^64.
[[nodiscard]] constexpr std::uint64_t multiply_divide(std::uint64_t a, std::uint64_t b,
                                                      std::uint64_t c) {
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b / c);
}

/// The finaliser of SplitMix64 (https://prng.di.unimi.it/splitmix64.c): every bit of the input
/// moves every bit of the output, one to one.
[[nodiscard]] constexpr std::uint64_t scramble(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// What a throw of the dice is for: streams of different topics are independent.
enum class Topic : std::uint64_t {
  calendar = 1,
  process,
  restaurant,
  offer,
  admin,
  user,
  user_time,
  follow,
  follow_request,
  user_role,
  purchase,
  purchase_time,
  purchase_owner,
  visit,
  transaction,
  payment,
  rating,
  settlement,
  post,
  post_time,
  comment,
  moderation,
  traffic,
};

[[nodiscard]] constexpr std::uint64_t hash_of(std::uint64_t seed, Topic topic,
                                              std::uint64_t index) {
  return scramble(scramble(seed ^ (static_cast<std::uint64_t>(topic) << 56U)) ^ index);
}

/// A stream of numbers that depends on (seed, topic, index) alone, so that any part of the data
/// can be computed again at any time. Integers only: the same on every machine. Throw once in an
/// expression: C++ leaves the order of a call's arguments to the compiler.
class Dice {
 public:
  Dice(std::uint64_t seed, Topic topic, std::uint64_t index)
      : state_(hash_of(seed, topic, index)) {}

  std::uint64_t next() { return scramble(state_ += 0xd1342543de82ef95U); }
  /// 0 … limit - 1. Requires 0 < limit < 2^32.
  std::uint64_t below(std::uint64_t limit) { return ((next() >> 32U) * limit) >> 32U; }
  /// low … high, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool chance(std::uint64_t per_thousand) { return below(1000) < per_thousand; }
  template <typename T, std::size_t Size>
  const T& pick(const T (&list)[Size]) {
    return list[below(Size)];
  }
  template <typename T>
  const T& pick(std::span<const T> list) {
    return list[below(list.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace holdfast::smokava
