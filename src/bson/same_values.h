#pragma once

#include "bson/document.h"

namespace holdfast::bson {

/// Whether two documents have the same fields with the same values, whatever the order of fields,
/// in sub-documents too; the order of array elements and the types of numbers count. Documents
/// that repeat a field's name are the same only if their bytes are.
[[nodiscard]] bool same_values(DocumentView a, DocumentView b);

}  // namespace holdfast::bson
