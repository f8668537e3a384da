#pragma once

#include <cstdint>
#include <vector>

namespace holdfast::smokava {

/// Who follows whom, without storing it: a dozen and a half permutations of all users that can
/// be run both ways, each of whose arrows exists or not by the throw of a die. So both ends of
/// an arrow can be listed from either end. Immutable.
class FollowGraph {
 public:
  /// Requires 2 <= users < 2^32.
  FollowGraph(std::uint64_t seed, std::uint64_t users);

  /// Each without duplicates and without the user; v is in following(u) exactly if u is in
  /// followers(v).
  [[nodiscard]] std::vector<std::uint64_t> following(std::uint64_t user) const;
  [[nodiscard]] std::vector<std::uint64_t> followers(std::uint64_t user) const;
  /// Some users whom `user` does not follow, without duplicates: to be asked.
  [[nodiscard]] std::vector<std::uint64_t> strangers(std::uint64_t user) const;

 private:
  struct Permutation {
    std::uint64_t factor;
    std::uint64_t inverse;
    std::uint64_t shift;
  };
  [[nodiscard]] std::uint64_t forward(const Permutation& p, std::uint64_t user) const;
  [[nodiscard]] std::uint64_t backward(const Permutation& p, std::uint64_t user) const;
  [[nodiscard]] bool exists(std::size_t permutation, std::uint64_t from, std::uint64_t to) const;

  std::uint64_t seed_;
  std::uint64_t users_;
  std::vector<Permutation> permutations_;
};

}  // namespace holdfast::smokava
