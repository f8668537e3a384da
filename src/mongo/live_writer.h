#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "dataset/writer.h"
#include "mongo/client.h"

namespace holdfast::mongo {

/// A server as a target. Thread-safe as DatasetWriter says. Inserts are unordered `insert`
/// commands of documents as they are (bypassDocumentValidation, majority at the end, batches
/// split below 48 MB and 100,000 documents); Timestamp(0,0) fields survive
/// (bypassEmptyTsReplacement where the server knows it, else insert and $replaceRoot with
/// $literal). Network errors are retried; documents that a lost reply may already have stored are
/// recognised by `_id` and equal bytes and not counted as refused.
class LiveWriter : public DatasetWriter {
 public:
  /// Drops a collection or view. Errors: not_found.
  [[nodiscard]] virtual Status drop(const Namespace& ns) = 0;
  /// Renames within one database; `replace` drops what stands at `to` in the same step.
  [[nodiscard]] virtual Status rename(const Namespace& from, const Namespace& to, bool replace) = 0;
  /// Inserts or replaces by `_id`.
  [[nodiscard]] virtual Result<std::vector<RefusedDocument>> replace(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) = 0;
  /// collMod with the validator fields of `options` (put back after a restore).
  [[nodiscard]] virtual Status set_validator(const Namespace& ns, bson::DocumentView options) = 0;
};

[[nodiscard]] std::unique_ptr<LiveWriter> make_live_writer(Client& client);

}  // namespace holdfast::mongo
