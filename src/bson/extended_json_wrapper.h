#pragma once

#include <optional>

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::bson {

/// What a JSON object stands for that was read as a document, if its first name makes it one of
/// the wrappers of Extended JSON ({"$oid": …}, {"$date": …}, …): the value; nothing if it is an
/// ordinary document, e.g. a query's {"$type": 2}. Objects inside it are already unwrapped.
/// Errors: usage (a wrapper that is malformed), without a position.
[[nodiscard]] Result<std::optional<Value>> unwrap(DocumentView object);

}  // namespace holdfast::bson
