#pragma once

#include "base/result.h"
#include "bson/document.h"
#include "bson/update_description.h"

namespace holdfast::bson {

/// Applies the `o` of an update entry of mongod's oplog to a document. Three forms:
///  - a document without `$v`: a replacement;
///  - `{$v: 1, $set: {path: value}, $unset: {path: true}}` with dotted paths (servers up to 4.4);
///  - `{$v: 2, diff: Doc}` (mongod's src/mongo/db/update/document_diff_serialization.h):
///    Doc = sections, each at most once, in the order d, u, i, b, then s<field>…
///      d: {field: false}  removed;  u: {field: value}  set in place, appended if it is missing;
///      i: {field: value}  any old copy removed, appended;  s<field>: Doc or Arr, a difference of
///      the value there;
///    Arr = {a: true, l?: new length, u<index>: value, s<index>: Doc or Arr, …}, indexes ascending.
/// Idempotent as entries are: replayed over a state that already holds them (fuzzy), they lead to
/// the same document in the end, the order of fields included.
/// Errors: corrupt (malformed; with strict, anything that does not fit), unsupported (a binary
/// difference, a `$v` that nobody knows).
[[nodiscard]] Result<Document> apply_oplog_update(DocumentView document, DocumentView update,
                                                  UpdateFit fit);

/// Whether this is such an update with `$v` or modifiers, and not an updateDescription.
[[nodiscard]] bool is_oplog_update(DocumentView update);

}  // namespace holdfast::bson
