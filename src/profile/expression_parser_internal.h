#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "profile/expression.h"
#include "profile/node_internal.h"

namespace holdfast::profile {

/// Turns an expression in BSON into a tree of nodes. One use. The bytes must outlive the tree.
class ExpressionParser {
 public:
  ExpressionParser(FieldNames& fields, const std::vector<std::string>& variables);

  [[nodiscard]] Result<NodePointer> parse(bson::ValueView value);
  /// Where the error was: names and positions from the outside inwards.
  [[nodiscard]] const std::vector<std::string>& error_path() const { return error_path_; }

 private:
  /// What an operator takes as an object: the values of known names.
  using Named = std::vector<std::optional<bson::ValueView>>;
  struct Variable {
    std::string name;
    std::size_t slot;
  };

  [[nodiscard]] Result<NodePointer> expression(bson::ValueView value);
  [[nodiscard]] Result<NodePointer> child(std::string_view name, bson::ValueView value);
  [[nodiscard]] Result<NodePointer> text(std::string_view text, bson::ValueView value);
  [[nodiscard]] Result<NodePointer> variable_path(std::string_view path);
  [[nodiscard]] Result<NodePointer> object(bson::DocumentView document);
  [[nodiscard]] Result<NodePointer> array(bson::DocumentView elements);
  [[nodiscard]] Result<NodePointer> call(std::string_view name, bson::ValueView value);
  [[nodiscard]] Result<NodePointer> call(const Operator& known, bson::ValueView value);
  [[nodiscard]] Result<std::vector<NodePointer>> named_arguments(const Operator& known,
                                                                 bson::DocumentView document);
  [[nodiscard]] Result<std::vector<NodePointer>> positional(const Operator& known,
                                                            bson::ValueView value);
  [[nodiscard]] Result<NodePointer> special(std::string_view name, bson::ValueView value);
  [[nodiscard]] Result<NodePointer> let(bson::ValueView value);
  [[nodiscard]] Result<NodePointer> map(bson::ValueView value);
  [[nodiscard]] Result<NodePointer> filter(bson::ValueView value);
  [[nodiscard]] Result<NodePointer> reduce(bson::ValueView value);
  [[nodiscard]] Result<NodePointer> switch_case(bson::ValueView value);
  [[nodiscard]] Result<NodePointer> regex_match(bson::ValueView value);
  [[nodiscard]] Result<NodePointer> get_field(bson::ValueView value);
  [[nodiscard]] Result<NodePointer> merge_objects(bson::ValueView value);
  /// The values of `names` in an object that has no others; the first `required` must be there.
  [[nodiscard]] Result<Named> take_apart(bson::ValueView value,
                                         const std::vector<std::string_view>& names,
                                         std::size_t required);
  [[nodiscard]] Result<std::string> variable_name(const std::optional<bson::ValueView>& value,
                                                  std::string_view otherwise);
  [[nodiscard]] std::size_t declare(std::string name);
  [[nodiscard]] Error error(std::string message, std::string hint = {});

  FieldNames& fields_;
  std::vector<Variable> scope_;
  std::size_t next_slot_;
  std::vector<std::string> path_;
  std::vector<std::string> error_path_;
};

}  // namespace holdfast::profile
