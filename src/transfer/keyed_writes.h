#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/types.h"
#include "dataset/writer.h"
#include "mongo/client.h"
#include "transfer/import_live.h"

namespace holdfast::transfer {

/// What keyed writes did: how many documents they met, and which the server refused.
struct KeyedOutcome {
  std::uint64_t written = 0;
  std::vector<RefusedDocument> refused;
};

/// Upserts, merges or deletes these documents by `key_fields` (none: `_id`), unordered, majority.
/// A document without a key field is refused, and so is a merge of a field whose name an update
/// could not mean ("a.b", "$c"). Errors: those of Client::run.
[[nodiscard]] Result<KeyedOutcome> write_by_key(mongo::Client& client, const Namespace& ns,
                                                ImportMode mode,
                                                const std::vector<std::string>& key_fields,
                                                const std::vector<bson::DocumentView>& batch);

}  // namespace holdfast::transfer
