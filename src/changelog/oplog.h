#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "changelog/event.h"
#include "dataset/types.h"

namespace holdfast::changelog {

/// Operations of transactions that wait for their end are kept in memory up to here; a server
/// ends a transaction after a minute.
inline constexpr std::uint64_t max_waiting_oplog_bytes = 512ULL * 1024 * 1024;
/// applyOps inside of applyOps; servers refuse more.
inline constexpr int max_apply_ops_depth = 10;

/// A change that an oplog tells, with the time at which it became visible: an entry's own, or a
/// transaction's commit. Views into bytes that are valid during the call that gives it.
struct OplogChange {
  /// For update its `body` is the entry's `o`, as bson::apply_oplog_update takes it.
  Event event;
  /// The command's own document for a change of the catalog ({create: …}, {createIndexes: …}).
  std::optional<bson::DocumentView> command;
};

/// Reads mongod's oplog entries, one after another, as a mongodump's oplog.bson holds them
/// (mongod's src/mongo/db/repl/oplog_entry.idl): inserts, updates, deletes, commands; transactions
/// in one entry or several, prepared, committed, aborted; vectored inserts; applyOps. What says
/// nothing of the data is passed over (no-ops, index builds that start or fail, `config`, the
/// server's own collections). Nothing else is skipped silently. Not thread-safe.
class OplogReader {
 public:
  using Visit = std::function<Status(const OplogChange&)>;

  /// Takes the next entry and calls `visit` with each change that is visible now.
  /// Errors: corrupt (malformed; a transaction whose beginning is missing), unsupported (a command
  /// that nobody knows, named with its namespace), those of `visit`.
  [[nodiscard]] Status take(bson::DocumentView entry, const Visit& visit);

  /// Transactions that have begun and neither ended nor been aborted: none of their changes was
  /// visited, since they never became visible.
  [[nodiscard]] std::size_t open_transactions() const { return waiting_.size(); }
  /// The time of the last entry taken.
  [[nodiscard]] ClusterTime last_time() const { return last_time_; }

 private:
  struct Waiting {
    std::vector<bson::Document> operations;  ///< The arrays of applyOps, in order.
    std::uint64_t bytes = 0;
    bool prepared = false;
  };
  struct Entry;
  [[nodiscard]] Status take_command(const Entry& entry, int depth, const Visit& visit);
  [[nodiscard]] Status take_apply_ops(const Entry& entry, int depth, const Visit& visit);
  [[nodiscard]] Status take_transaction(const Entry& entry, bson::DocumentView operations,
                                        const Visit& visit);
  [[nodiscard]] Status end_transaction(const Entry& entry, ClusterTime visible, const Visit& visit);
  [[nodiscard]] Status unroll(bson::DocumentView operations, ClusterTime visible, int depth,
                              const Visit& visit);
  [[nodiscard]] Status take_operation(bson::DocumentView operation, ClusterTime visible, int depth,
                                      const Visit& visit);
  [[nodiscard]] Status keep(const Entry& entry, bson::DocumentView operations);

  std::map<TransactionId, Waiting> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  ClusterTime last_time_;
};

}  // namespace holdfast::changelog
