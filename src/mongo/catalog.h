#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/types.h"
#include "mongo/client.h"

namespace holdfast::mongo {

/// Names of all databases but admin, config and local, sorted.
[[nodiscard]] Result<std::vector<std::string>> list_databases(Client& client);

/// Collections, views and time series of one database with options and indexes, sorted by name.
/// Left out: `system.*` (but `system.js`), the buckets behind time series, and Holdfast's own
/// marker collection. Indexes still being built are left out.
[[nodiscard]] Result<std::vector<CollectionInfo>> read_catalog(Client& client,
                                                               const std::string& database);
/// One entry, read again. Errors: not_found.
[[nodiscard]] Result<CollectionInfo> read_catalog_entry(Client& client, const Namespace& ns);

/// Count and average size from collection statistics; 0 where the server tells none. An estimate.
struct CollectionStatistics {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;  ///< of documents
};
/// `max_time_ms` > 0: how long the server may take; after that the error is `busy`.
[[nodiscard]] Result<CollectionStatistics> read_statistics(Client& client, const Namespace& ns,
                                                           std::uint32_t max_time_ms = 0);

}  // namespace holdfast::mongo
