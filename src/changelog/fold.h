#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "bson/document.h"
#include "bson/update_description.h"
#include "changelog/change_record.h"

namespace holdfast::changelog {

/// What becomes of one document when its changes, in order, are folded over its base.
struct FoldedDocument {
  /// The document afterwards; nothing if it is deleted (or never was).
  std::optional<bson::Document> document;
  /// The order of some fields could not be told; the values are right.
  bool order_uncertain = false;
  /// Only updates came and the base had no document: it must be read again. Fuzzy only.
  bool unsettled = false;
};

/// Folds the changes of one key. A pure function, one change at a time:
/// `DocumentFold fold(base, fit); for (change) fold.apply(change); fold.finish()`.
/// Rules: docs/decisions/0006-fold.md. Fuzzy: an insert of what exists replaces, an update or
/// delete of what is missing is skipped. Strict: both are corruption. Not thread-safe.
class DocumentFold {
 public:
  DocumentFold(std::optional<bson::Document> base, bson::UpdateFit fit)
      : document_(std::move(base)), fit_(fit) {}

  /// Errors: corrupt (strict: the change does not fit; either: it is malformed).
  [[nodiscard]] Status apply(const ChangeRecord& change);
  [[nodiscard]] FoldedDocument finish() &&;

 private:
  Status apply_update(const ChangeRecord& change);

  std::optional<bson::Document> document_;
  bson::UpdateFit fit_;
  bool order_uncertain_ = false;
  bool unsettled_ = false;
};

/// Whether a change decides the document by itself, so that what was before need not be read.
[[nodiscard]] inline bool is_self_contained(EventKind kind) { return kind != EventKind::update; }

}  // namespace holdfast::changelog
