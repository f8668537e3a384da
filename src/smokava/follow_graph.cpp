#include "smokava/follow_graph.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "smokava/dice.h"

namespace holdfast::smokava {
namespace {

constexpr std::size_t permutations_of_follows = 18;
constexpr std::size_t permutations_of_strangers = 3;

/// x with a * x = 1 modulo m, by Euclid. Requires gcd(a, m) = 1.
std::uint64_t inverse_modulo(std::uint64_t a, std::uint64_t m) {
  std::int64_t previous = 0;
  std::int64_t current = 1;
  auto large = static_cast<std::int64_t>(m);
  auto small = static_cast<std::int64_t>(a % m);
  while (small > 1) {
    const auto quotient = large / small;
    large = std::exchange(small, large - quotient * small);
    previous = std::exchange(current, previous - quotient * current);
  }
  return static_cast<std::uint64_t>(current < 0 ? current + static_cast<std::int64_t>(m) : current);
}

/// How lively a user is, 0 … 999; few are.
std::uint64_t liveliness(std::uint64_t seed, std::uint64_t user) {
  return (hash_of(seed, Topic::follow, user) >> 20U) % 1000;
}

void add_once(std::vector<std::uint64_t>& list, std::uint64_t user) {
  if (std::ranges::find(list, user) == list.end()) list.push_back(user);
}

}  // namespace

FollowGraph::FollowGraph(std::uint64_t seed, std::uint64_t users) : seed_(seed), users_(users) {
  Dice dice(seed, Topic::follow, ~std::uint64_t{0});
  while (permutations_.size() < permutations_of_follows + permutations_of_strangers) {
    const auto factor = 1 + dice.below(users - 1);
    if (std::gcd(factor, users) != 1) continue;
    permutations_.push_back({factor, inverse_modulo(factor, users), dice.below(users)});
  }
}

std::uint64_t FollowGraph::forward(const Permutation& p, std::uint64_t user) const {
  return (user * p.factor + p.shift) % users_;
}

std::uint64_t FollowGraph::backward(const Permutation& p, std::uint64_t user) const {
  return (user + users_ - p.shift) % users_ * p.inverse % users_;
}

bool FollowGraph::exists(std::size_t permutation, std::uint64_t from, std::uint64_t to) const {
  if (from == to) return false;
  const auto luck = hash_of(seed_, Topic::follow, (from << 8U) | (permutation + 1));
  return luck % 1'000'000 < liveliness(seed_, from) * liveliness(seed_, ~to);
}

std::vector<std::uint64_t> FollowGraph::following(std::uint64_t user) const {
  std::vector<std::uint64_t> list;
  for (std::size_t i = 0; i < permutations_of_follows; ++i) {
    const auto other = forward(permutations_[i], user);
    if (exists(i, user, other)) add_once(list, other);
  }
  return list;
}

std::vector<std::uint64_t> FollowGraph::followers(std::uint64_t user) const {
  std::vector<std::uint64_t> list;
  for (std::size_t i = 0; i < permutations_of_follows; ++i) {
    const auto other = backward(permutations_[i], user);
    if (exists(i, other, user)) add_once(list, other);
  }
  return list;
}

std::vector<std::uint64_t> FollowGraph::strangers(std::uint64_t user) const {
  const auto known = following(user);
  std::vector<std::uint64_t> list;
  for (auto i = permutations_of_follows; i < permutations_.size(); ++i) {
    const auto other = forward(permutations_[i], user);
    if (other != user && std::ranges::find(known, other) == known.end()) add_once(list, other);
  }
  return list;
}

}  // namespace holdfast::smokava
