#pragma once

#include <optional>

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::mongo {

/// Puts the parts of a change event above 16 MB together again
/// ($changeStreamSplitLargeEvent in MongoDB's manual): each part has its own `_id`, `splitEvent:
/// {fragment, of}` and some of the event's fields. The result has all fields, and the last part's
/// `_id`. Not thread-safe.
class FragmentJoiner {
 public:
  /// A whole event passes through untouched; a part gives nothing until the last one. The view
  /// is valid as long as `event`, or until the next call. Errors: corrupt (parts out of order).
  [[nodiscard]] Result<std::optional<bson::DocumentView>> add(bson::DocumentView event);
  [[nodiscard]] bool incomplete() const { return expected_ > 1; }
  /// Forgets the parts at hand: the stream starts again before the first.
  void reset();

 private:
  std::int64_t expected_ = 1;
  Bytes elements_;
  bson::Document whole_;
};

}  // namespace holdfast::mongo
