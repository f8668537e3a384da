#include "changelog/fold.h"

#include <fmt/format.h>

#include "bson/extended_json.h"
#include "bson/oplog_update.h"

namespace holdfast::changelog {

namespace {

Error misfit(std::string_view what, const ChangeRecord& change) {
  return Error(ErrorCode::corrupt,
               fmt::format("the log does not fit the documents: {} (_id {})", what,
                           bson::to_json(change.key, bson::JsonMode::canonical)));
}

}  // namespace

Status DocumentFold::apply(const ChangeRecord& change) {
  const bool strict = fit_ == bson::UpdateFit::strict;
  switch (change.kind) {
    case EventKind::insert:
      if (strict && document_) return misfit("an insert of a document that is there", change);
      [[fallthrough]];
    case EventKind::replace:
      if (strict && change.kind == EventKind::replace && !document_) {
        return misfit("a replacement of a document that is not there", change);
      }
      document_.emplace(change.body);
      order_uncertain_ = false;
      unsettled_ = false;
      return {};
    case EventKind::remove:
      if (strict && !document_) return misfit("a deletion of what is not there", change);
      document_.reset();
      order_uncertain_ = false;
      unsettled_ = false;
      return {};
    case EventKind::update: return apply_update(change);
    default: return misfit("a change of the catalog among those of documents", change);
  }
}

Status DocumentFold::apply_update(const ChangeRecord& change) {
  if (!document_) {
    if (fit_ == bson::UpdateFit::strict) {
      return misfit("an update of a document that is not there", change);
    }
    unsettled_ = true;
    return {};
  }
  const auto apply = [&]() -> Result<bson::UpdateOutcome> {
    if (!bson::is_oplog_update(change.body)) {
      return bson::apply_update(document_->view(), change.body, fit_);
    }
    // mongod's own entries tell the order of fields.
    HOLDFAST_TRY(bson::Document after,
                 bson::apply_oplog_update(document_->view(), change.body, fit_));
    return bson::UpdateOutcome{std::move(after), false};
  };
  auto outcome = apply();
  if (!outcome.ok()) {
    return outcome.error().with_context(
        fmt::format("update of _id {}", bson::to_json(change.key, bson::JsonMode::canonical)));
  }
  document_ = std::move(outcome->document);
  order_uncertain_ = order_uncertain_ || outcome->order_uncertain;
  return {};
}

FoldedDocument DocumentFold::finish() && {
  return {std::move(document_), order_uncertain_, unsettled_};
}

}  // namespace holdfast::changelog
