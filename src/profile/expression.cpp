#include "profile/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "profile/expression_parser_internal.h"

namespace holdfast::profile {

struct Expression::Parsed {
  explicit Parsed(bson::Value value) : source(std::move(value)) {}
  bson::Value source;
  NodePointer root;
};

Expression::Expression(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

Result<Expression> Expression::parse(bson::ValueView value, FieldNames& fields,
                                     const std::vector<std::string>& variables,
                                     ExpressionError* where) {
  auto parsed = std::make_unique<Parsed>(bson::Value(value));
  ExpressionParser parser(fields, variables);
  auto root = parser.parse(parsed->source.view());
  if (!root.ok()) {
    if (where != nullptr) *where = {root.error().message(), parser.error_path()};
    return root.error();
  }
  parsed->root = std::move(*root);
  return Expression(std::move(parsed));
}

Datum Expression::evaluate(Evaluation& evaluation) const {
  return parsed_->root->evaluate(evaluation);
}

bson::ValueView Expression::source() const { return parsed_->source.view(); }

}  // namespace holdfast::profile
