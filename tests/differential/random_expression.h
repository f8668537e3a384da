#pragma once

#include <random>
#include <string>

namespace holdfast::differential {

/// Documents with fields a … f of every type that rules work on, as Extended JSON, and expressions
/// over them. Servers choose how to fail in cases that the documentation leaves open, so the
/// expressions mostly make sense; what a server refuses is compared as a refusal.
class RandomExpression {
 public:
  explicit RandomExpression(std::mt19937_64& random) : random_(random) {}

  [[nodiscard]] std::string document();
  /// Any expression, nested at most `depth` deep.
  [[nodiscard]] std::string expression(int depth);

 private:
  [[nodiscard]] std::size_t below(std::size_t bound) { return random_() % bound; }
  template <std::size_t size>
  [[nodiscard]] std::string pick(const char* const (&list)[size]) {
    return list[below(size)];
  }
  [[nodiscard]] std::string value(int depth);
  [[nodiscard]] std::string number(int depth);
  [[nodiscard]] std::string truth(int depth);
  [[nodiscard]] std::string array(int depth);
  [[nodiscard]] std::string text(int depth);
  [[nodiscard]] std::string date(int depth);

  std::mt19937_64& random_;
  int loops_ = 0;  ///< How deep inside $map, $filter or $reduce.
};

}  // namespace holdfast::differential
