#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "profile/datum.h"
#include "profile/evaluation.h"

namespace holdfast::profile {

class Node;

/// Why an expression was refused, and where in it: the names of fields and positions of array
/// elements that lead there.
struct ExpressionError {
  std::string message;
  std::vector<std::string> path;
};

/// An aggregation expression of MongoDB over one document, parsed once and evaluated often. The
/// subset and its limits stand in docs/profile.md; meaning follows
/// https://www.mongodb.com/docs/v7.0/reference/operator/aggregation/ . Immutable; thread-safe.
class Expression {
 public:
  /// `value` is the expression as BSON. Names of fields go to `fields`, which every Evaluation of
  /// it must be made with. `variables` ($$name) are set by the caller: slot = index.
  /// Errors: usage. `where`, if given, tells the place of the error.
  [[nodiscard]] static Result<Expression> parse(bson::ValueView value, FieldNames& fields,
                                                const std::vector<std::string>& variables = {},
                                                ExpressionError* where = nullptr);
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  /// Missing if it gives nothing. After it, `evaluation.failed()` tells whether it could be
  /// evaluated at all (the server would have refused the document with an error).
  [[nodiscard]] Datum evaluate(Evaluation& evaluation) const;
  /// The expression as it was given.
  [[nodiscard]] bson::ValueView source() const;

 private:
  struct Parsed;
  explicit Expression(std::unique_ptr<Parsed> parsed);
  std::unique_ptr<Parsed> parsed_;
};

/// The operators that `parse` knows, "$abs" … , sorted.
[[nodiscard]] std::vector<std::string_view> expression_operators();

}  // namespace holdfast::profile
