#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"
#include "mongo/client_internal.h"

namespace holdfast::mongo {

/// Inserts go beside the command's body (OP_MSG document sequence), byte for byte as they are; a
/// message may have 48 MB, but 16 are as fast and cost less memory (measured, see bench/).
inline constexpr std::size_t most_batch_bytes = 16U * 1024 * 1024;
/// Below the server's maxWriteBatchSize of 100,000: bounds what the driver keeps per document.
inline constexpr std::size_t most_batch_documents = 20'000;
/// What a server stores at most.
inline constexpr std::size_t most_stored_bytes = 16U * 1024 * 1024;

/// Documents from the front that go into one insert command; at least one.
[[nodiscard]] std::span<const bson::DocumentView> next_insert_batch(
    std::span<const bson::DocumentView> documents);

struct InsertFlags {
  /// Timestamp(0,0) stays as it is (`bypassEmptyTsReplacement`).
  bool keep_empty_timestamps = false;
};

/// One entry of writeErrors.
struct WriteError {
  std::size_t index = 0;
  int code = 0;
  std::string reason;
};
[[nodiscard]] std::vector<WriteError> write_errors(bson::DocumentView reply);

/// One unordered insert command, validators bypassed, write concern majority. Returns what was
/// refused; an error means that the batch may be there in part or whole. The batch must be one
/// that next_insert_batch gave, and no document larger than most_stored_bytes.
[[nodiscard]] Result<std::vector<WriteError>> send_insert(DriverClient& client, const Namespace& ns,
                                                          std::span<const bson::DocumentView> batch,
                                                          InsertFlags flags);

/// One statement of an update command: `document` inserted or put in the place of the one with
/// its `_id`. `as_pipeline`: by $replaceRoot and $literal, which takes everything literally:
/// Timestamp(0,0) and names that start with '$'.
struct Replacement {
  bson::DocumentView document;
  bool as_pipeline = false;
};
[[nodiscard]] bson::Document replace_command(std::string_view collection,
                                             std::span<const Replacement> replacements,
                                             bool upsert);

/// Whether a server would put the current time in place of a Timestamp(0,0): fields of the first
/// level, but `_id` (https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps).
[[nodiscard]] bool has_empty_timestamp(bson::DocumentView document);
/// Whether a plain replacement may be taken for update operators.
[[nodiscard]] bool has_dollar_name(bson::DocumentView document);

}  // namespace holdfast::mongo
