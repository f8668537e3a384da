#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profile/datum.h"
#include "profile/evaluation.h"

namespace holdfast::profile {

/// A part of a parsed expression. Immutable.
class Node {
 public:
  Node() = default;
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  [[nodiscard]] virtual Datum evaluate(Evaluation& evaluation) const = 0;
  /// The value of a literal, else nothing.
  [[nodiscard]] virtual const Datum* constant() const { return nullptr; }
};

using NodePointer = std::unique_ptr<Node>;
/// A call's arguments; one that was left out is null.
using Arguments = std::span<const NodePointer>;
using Function = Datum (*)(Evaluation&, Arguments);

/// An operator whose arguments are evaluated in its own scope, no more.
struct Operator {
  std::string_view name;
  Function function;
  std::size_t least = 1;
  std::size_t most = 1;  ///< `any_number`: no limit.
  /// Names of arguments, in order, where the operator takes an object; required ones first.
  std::vector<std::string_view> names = {};
};

inline constexpr std::size_t any_number = static_cast<std::size_t>(-1);

// One table a group of operators.
[[nodiscard]] std::span<const Operator> arithmetic_operators();
[[nodiscard]] std::span<const Operator> rounding_operators();
[[nodiscard]] std::span<const Operator> logic_operators();
[[nodiscard]] std::span<const Operator> array_operators();
[[nodiscard]] std::span<const Operator> set_operators();
[[nodiscard]] std::span<const Operator> string_operators();
[[nodiscard]] std::span<const Operator> date_operators();
[[nodiscard]] std::span<const Operator> type_operators();

/// Adds what `$sum` adds: an array's numbers, or those among the arguments.
[[nodiscard]] Datum add_up(Evaluation& evaluation, std::span<const Datum> items);

/// All arguments' values, in the arena.
[[nodiscard]] std::span<const Datum> evaluate_all(Evaluation& evaluation, Arguments arguments);
/// "$add only supports numeric or date types, not string": the type's name is added.
[[nodiscard]] Datum wrong_type(Evaluation& evaluation, std::string_view message,
                               const Datum& found);

}  // namespace holdfast::profile
