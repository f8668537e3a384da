#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/reader.h"
#include "dataset/types.h"
#include "mongo/client.h"

namespace holdfast::mongo {

/// Half-open range of `_id`: lower <= _id < upper; a missing bound is open.
struct KeyRange {
  std::optional<bson::Value> lower;
  std::optional<bson::Value> upper;
};

struct ScanOptions {
  /// Replica sets: read concern majority, not older than this. Null: plain reads (standalone).
  ClusterTime not_before = {};
  std::int32_t batch_size = 0;  ///< documents a batch; 0: as many as make about 2 MiB
};

/// A cursor over a range of a collection, ascending by `_id` (capped, time series: natural order).
class ScanCursor : public DocumentCursor {
 public:
  /// The largest operationTime of this cursor's replies so far; null on a standalone.
  [[nodiscard]] virtual ClusterTime operation_time() const = 0;
};

/// Opens a range scan. A network error in mid-scan is resumed once or more behind the last `_id`
/// delivered, whatever the types of keys; capped and natural
/// scans start over, which the caller sees as ErrorCode::retry. A dropped or renamed collection is
/// ErrorCode::precondition.
[[nodiscard]] Result<std::unique_ptr<ScanCursor>> open_scan(Client& client,
                                                            const CollectionInfo& collection,
                                                            const KeyRange& range,
                                                            const ScanOptions& options);

/// Splits a collection into key ranges that cover it, in key order, about `parts` of them:
/// several only when the first and last `_id` have one type out of ObjectId, binary of one length
/// and subtype, date, or string without collation; else one open range. Reads the first and last
/// `_id` with `options` (after the window's start).
[[nodiscard]] Result<std::vector<KeyRange>> split_ranges(Client& client,
                                                         const CollectionInfo& collection,
                                                         std::size_t parts,
                                                         const ScanOptions& options);

/// Reads documents by `_id`, in no particular order; absent ones are simply not there.
[[nodiscard]] Result<std::vector<bson::Document>> read_by_id(Client& client,
                                                             const CollectionInfo& collection,
                                                             const std::vector<bson::Value>& ids,
                                                             const ScanOptions& options,
                                                             ClusterTime& operation_time);

/// A live server as a dataset. `databases`: which; empty means all but admin, config, local.
/// The client must outlive it.
[[nodiscard]] std::unique_ptr<DatasetReader> make_live_reader(Client& client,
                                                              std::vector<std::string> databases);

}  // namespace holdfast::mongo
