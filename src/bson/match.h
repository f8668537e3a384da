#pragma once

#include <memory>

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::bson {

/// A query that was read once and is asked of many documents. Follows what MongoDB's manual says of
/// its operators (https://www.mongodb.com/docs/manual/reference/operator/query/): $eq $ne $gt $gte
/// $lt $lte $in $nin $and $or $nor $not $exists $type $regex (with $options i, m, s) $elemMatch
/// $size $all $comment, and dotted paths through documents and arrays. Comparisons are bracketed by
/// type; `null` also means missing; strings compare by bytes (no collation). Immutable;
/// thread-safe.
class Matcher {
 public:
  /// Errors: usage (a malformed query, an unknown operator), unsupported (one of MongoDB's that
  /// needs a server: $where, $text, $expr, …; a regular expression beyond RE2's, e.g. lookahead).
  [[nodiscard]] static Result<Matcher> parse(DocumentView query);

  ~Matcher();
  Matcher(Matcher&& other) noexcept;
  Matcher& operator=(Matcher&& other) noexcept;

  [[nodiscard]] bool matches(DocumentView document) const;

 private:
  struct Impl;
  explicit Matcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::bson
