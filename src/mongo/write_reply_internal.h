#pragma once

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::mongo {

/// The first of a write command's writeErrors, else its writeConcernError, as an Error; ok if
/// there are none.
[[nodiscard]] Status first_failure(bson::DocumentView reply);
/// The writeConcernError alone.
[[nodiscard]] Status write_concern_failure(bson::DocumentView reply);

}  // namespace holdfast::mongo
