#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast::mongo {

/// The body of a command is one BSON document and so bound to the limit of documents, 16 MiB and
/// 16 KiB; only the driver's own bulk calls can send the batch beside the body, up to 48 MB.
/// Batches of 16 MiB are as fast (bench/), and every field of the command is ours.
inline constexpr std::size_t most_batch_bytes = 16U * 1024 * 1024;
/// The server's maxWriteBatchSize.
inline constexpr std::size_t most_batch_documents = 100'000;

/// Documents from `from` on that fit one insert command; at least one.
[[nodiscard]] std::span<const bson::DocumentView> next_insert_batch(
    std::span<const bson::DocumentView> documents);

struct InsertFlags {
  /// Timestamp(0,0) stays as it is (`bypassEmptyTsReplacement`).
  bool keep_empty_timestamps = false;
};

/// An unordered insert command, validators bypassed, write concern majority: documents copied
/// once, into the command.
[[nodiscard]] bson::Document insert_command(std::string_view collection,
                                            std::span<const bson::DocumentView> documents,
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
