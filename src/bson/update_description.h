#pragma once

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::bson {

/// How an update meets a document that does not fit it.
enum class UpdateFit {
  /// The document is exactly the one before the update: whatever does not fit is corruption.
  strict,
  /// The document may already hold this or later updates (a scan while writes go on): a path
  /// whose parent is missing or of another type is skipped; a later event settles it.
  fuzzy,
};

struct UpdateOutcome {
  Document document;
  /// The order of some fields could not be told from the event (several fields added to one
  /// parent at once; or, when fuzzy, a field removed that an update of the same window may add
  /// again, or added where it may already have stood elsewhere). Values are right.
  /// Of this event alone: over several, keep it until one brings or removes the whole document.
  bool order_uncertain = false;
};

/// Applies the `updateDescription` of a change event
/// (https://www.mongodb.com/docs/manual/reference/change-events/update/) to a document:
/// truncatedArrays (never lengthens), then removedFields, then updatedFields. A path component is
/// an array index where its parent is an array in the document at hand, else a field name;
/// `disambiguatedPaths` settles names that hold dots or digits. New fields are appended in the
/// order listed; an index past an array's end pads with null.
/// Errors: corrupt (malformed description; with strict, anything that does not fit).
[[nodiscard]] Result<UpdateOutcome> apply_update(DocumentView document,
                                                 DocumentView update_description, UpdateFit fit);

}  // namespace holdfast::bson
