#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::profile {

class SchemaNode;

/// Where a document breaks its schema.
struct SchemaViolation {
  std::string path;      ///< "history.2.count"; empty for the document itself.
  std::string keyword;   ///< "bsonType", "required", …
  std::string expected;  ///< "one of int, long", "at least 1"
  /// What is there; nothing when the point is that something is missing.
  std::optional<bson::Value> actual;
};

/// MongoDB's `$jsonSchema` (https://www.mongodb.com/docs/v7.0/reference/operator/query/jsonSchema/)
/// as its validator applies it. Known words: bsonType, type, enum, required, properties,
/// additionalProperties, minProperties, maxProperties, minimum, maximum, exclusiveMinimum,
/// exclusiveMaximum, multipleOf, minLength, maxLength (code points), pattern (RE2), items,
/// additionalItems, minItems, maxItems, uniqueItems, allOf, anyOf, oneOf, not, title, description.
/// Others are refused, as the server does. Immutable; thread-safe.
class Schema {
 public:
  /// Errors: usage. `where`, if given, tells the names that lead to what is wrong.
  [[nodiscard]] static Result<Schema> parse(bson::DocumentView schema,
                                            std::vector<std::string>* where = nullptr);
  ~Schema();
  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;

  /// The first violation, or nothing. Does not allocate where there is none.
  [[nodiscard]] std::optional<SchemaViolation> violation(bson::DocumentView document) const;
  [[nodiscard]] bson::DocumentView source() const { return source_.view(); }

 private:
  Schema(bson::Document source, std::unique_ptr<SchemaNode> root);
  bson::Document source_;
  std::unique_ptr<SchemaNode> root_;
};

}  // namespace holdfast::profile
