#pragma once

#include <string>
#include <vector>

#include "bson/document.h"

namespace holdfast::restore {

/// Indexes of a collection in the order in which a restore builds them: those that delete
/// (expireAfterSeconds) come last, after everything was compared.
struct IndexSplit {
  std::vector<bson::Document> ordinary;
  std::vector<bson::Document> expiring;
};

/// Without the `_id` index and that of a clustered collection.
[[nodiscard]] IndexSplit split_indexes(const std::vector<bson::Document>& indexes);

/// The same indexes, whatever the order: compared by name, without the fields that a server
/// adds by itself (`ns`, `background`). Returns what differs, in words.
[[nodiscard]] std::vector<std::string> compare_indexes(const std::vector<bson::Document>& wanted,
                                                       const std::vector<bson::Document>& actual);

}  // namespace holdfast::restore
