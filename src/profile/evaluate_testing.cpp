#include "profile/evaluate_testing.h"

#include "bson/extended_json.h"
#include "bson/generate_testing.h"
#include "profile/expression.h"

namespace holdfast::profile {

std::string evaluate_text(std::string_view expression, std::string_view document,
                          std::int64_t now_ms) {
  const bson::Value source = bson::value_from_json(expression);
  const bson::Document root = bson::document_from_json(document);
  FieldNames fields;
  const auto parsed = Expression::parse(source.view(), fields);
  if (!parsed.ok()) return "refused: " + parsed.error().message();
  Evaluation evaluation(fields, now_ms);
  evaluation.set_root(root.view());
  const Datum result = parsed->evaluate(evaluation);
  if (evaluation.failed()) return "error: " + evaluation.failure();
  if (result.missing()) return "missing";
  return bson::to_json(result.to_value().view(), bson::JsonMode::canonical);
}

}  // namespace holdfast::profile
