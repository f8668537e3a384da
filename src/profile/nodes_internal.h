#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profile/node_internal.h"

namespace re2 {
class RE2;
}

namespace holdfast::profile {

// The nodes that are no plain calls.

class LiteralNode final : public Node {
 public:
  explicit LiteralNode(bson::ValueView value) : value_(value) {}
  [[nodiscard]] Datum evaluate(Evaluation&) const override { return value_; }
  [[nodiscard]] const Datum* constant() const override { return &value_; }

 private:
  Datum value_;
};

enum class Builtin { root, now, remove };

class BuiltinNode final : public Node {
 public:
  explicit BuiltinNode(Builtin which) : which_(which) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  Builtin which_;
};

/// A path of fields below a value; arrays on the way give an array of what their objects hold.
class Path {
 public:
  explicit Path(std::vector<std::string> names) : names_(std::move(names)) {}
  [[nodiscard]] Datum below(Evaluation& evaluation, const Datum& value) const;

 private:
  [[nodiscard]] Datum step(Evaluation& evaluation, const Datum& value, std::size_t index) const;
  std::vector<std::string> names_;
};

/// "$a.b.c"
class FieldNode final : public Node {
 public:
  FieldNode(std::size_t slot, std::vector<std::string> below)
      : slot_(slot), below_(std::move(below)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override {
    return below_.below(evaluation, evaluation.field(slot_));
  }

 private:
  std::size_t slot_;
  Path below_;
};

/// "$$name.b.c"
class VariableNode final : public Node {
 public:
  VariableNode(std::size_t slot, std::vector<std::string> below)
      : slot_(slot), below_(std::move(below)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override {
    return below_.below(evaluation, evaluation.variable(slot_));
  }

 private:
  std::size_t slot_;
  Path below_;
};

class CallNode final : public Node {
 public:
  CallNode(Function function, std::vector<NodePointer> arguments)
      : function_(function), arguments_(std::move(arguments)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override {
    return function_(evaluation, arguments_);
  }

 private:
  Function function_;
  std::vector<NodePointer> arguments_;
};

class ArrayNode final : public Node {
 public:
  explicit ArrayNode(std::vector<NodePointer> items) : items_(std::move(items)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  std::vector<NodePointer> items_;
};

class ObjectNode final : public Node {
 public:
  explicit ObjectNode(std::vector<std::pair<std::string, NodePointer>> fields)
      : fields_(std::move(fields)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  std::vector<std::pair<std::string, NodePointer>> fields_;
};

class LetNode final : public Node {
 public:
  LetNode(std::vector<std::pair<std::size_t, NodePointer>> variables, NodePointer in)
      : variables_(std::move(variables)), in_(std::move(in)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  std::vector<std::pair<std::size_t, NodePointer>> variables_;
  NodePointer in_;
};

/// $map, $filter and $reduce: something for each element of an array.
struct Loop {
  NodePointer input;
  std::size_t variable = 0;
  NodePointer body;
  NodePointer other = nullptr;     ///< $filter's limit, $reduce's initial value.
  std::size_t value_variable = 0;  ///< $reduce's $$value.
};

class MapNode final : public Node {
 public:
  explicit MapNode(Loop loop) : loop_(std::move(loop)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  Loop loop_;
};

class FilterNode final : public Node {
 public:
  explicit FilterNode(Loop loop) : loop_(std::move(loop)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  Loop loop_;
};

class ReduceNode final : public Node {
 public:
  explicit ReduceNode(Loop loop) : loop_(std::move(loop)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  Loop loop_;
};

class SwitchNode final : public Node {
 public:
  SwitchNode(std::vector<std::pair<NodePointer, NodePointer>> branches, NodePointer otherwise)
      : branches_(std::move(branches)), otherwise_(std::move(otherwise)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  std::vector<std::pair<NodePointer, NodePointer>> branches_;
  NodePointer otherwise_;
};

class RegexMatchNode final : public Node {
 public:
  RegexMatchNode(NodePointer input, std::unique_ptr<re2::RE2> pattern);
  ~RegexMatchNode() override;
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  NodePointer input_;
  std::unique_ptr<re2::RE2> pattern_;
};

/// $getField with a name that is no expression.
class GetFieldNode final : public Node {
 public:
  GetFieldNode(std::string name, NodePointer input)
      : name_(std::move(name)), input_(std::move(input)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  std::string name_;
  NodePointer input_;
};

class MergeObjectsNode final : public Node {
 public:
  explicit MergeObjectsNode(std::vector<NodePointer> items) : items_(std::move(items)) {}
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const override;

 private:
  std::vector<NodePointer> items_;
};

}  // namespace holdfast::profile
