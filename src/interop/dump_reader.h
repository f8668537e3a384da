#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataset/reader.h"

namespace holdfast::interop {

/// A dump as a dataset. Names of collections and their documents come as they stand in the dump;
/// nobody promises an order. Thread-safe; cursors are not.
class DumpReader : public DatasetReader {
 public:
  /// "mongodump folder", "archive", "tar", "BSON file", "JSON", "CSV".
  [[nodiscard]] virtual std::string format() const = 0;
  /// The server that the dump was made from; empty where it does not say.
  [[nodiscard]] virtual std::string server_version() const { return {}; }
  /// Whether it holds the oplog entries that were written while it was made (mongodump --oplog).
  [[nodiscard]] virtual bool has_oplog() const { return false; }
  /// Errors: not_found.
  [[nodiscard]] virtual Result<std::unique_ptr<DocumentCursor>> open_oplog() {
    return Error(ErrorCode::not_found, "this dump has no oplog");
  }
  /// What the dump holds and this reader leaves out, and what is damaged where it was told to read
  /// on: sentences for people.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
  /// Something is missing or damaged: what is read is not all that the dump should hold.
  [[nodiscard]] virtual bool incomplete() const { return false; }
};

/// Why a collection of a dump is not read, or nothing: the server's own bookkeeping, and buckets of
/// time series, whose measurements only a server can unpack.
[[nodiscard]] std::string reason_to_leave_out(const CollectionInfo& info);
/// Whether such a collection is data of the user, so that without it the dump is not whole.
[[nodiscard]] bool is_missed(const CollectionInfo& info);

}  // namespace holdfast::interop
