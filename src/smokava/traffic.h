#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "mongo/client.h"

namespace holdfast::smokava {

/// Edits on a seeded database: single writes, never a transaction. They are of every kind that
/// an application makes ($set, $inc, $push, positional, $unset, pipeline, replace, insert,
/// delete, upsert, …), they keep every `_id`, and they don't care for the invariants.
struct TrafficOptions {
  /// Over all threads together; 0 means as fast as the server takes them.
  double writes_per_second = 100;
  /// Ends at whichever comes first; without both it runs until stopped.
  std::optional<std::chrono::milliseconds> duration;
  std::optional<std::uint64_t> writes;
  /// Same seed and same database: the same kinds on the same documents, if threads is 1.
  std::uint64_t seed = 1;
  /// Connections that write at once. A document belongs to one of them. 1 … 64.
  unsigned threads = 2;
  /// Where to record every acknowledged write (see below); empty: nowhere. Overwritten.
  std::string record_path;
  /// Also create, fill, index, rename and drop scratch collections (`scratch_*`), a few times a
  /// second, from one more connection. Those there at the start are dropped.
  bool ddl = false;
};

struct TrafficSummary {
  std::uint64_t writes = 0;          ///< acknowledged, DDL left out
  std::uint64_t without_effect = 0;  ///< nothing matched, or the document took no such update
  std::uint64_t ddl = 0;
  std::map<std::string, std::uint64_t, std::less<>> by_operation;
  double seconds = 0;
  /// operationTime of the last acknowledged write: {seconds, increment}.
  std::uint32_t last_seconds = 0;
  std::uint32_t last_increment = 0;
};

/// Edits until the options say so or `stop` is asked (which is a normal end).
/// Errors: usage, precondition (no seeded documents), io (the record), and the client's: after a
/// lost reply the record ends with an `unknown` entry for that document, and traffic stops.
///
/// The record is a sequence of BSON documents without anything between them, flushed at least
/// every 200 ms, one for each acknowledged write, in the order of acknowledgement:
///   seq     int64      1, 2, … without holes
///   thread  int32      which connection; entries of one thread are in the order of its writes
///   ns      string     "database.collection"
///   _id     any        the document's key; absent for DDL
///   op      string     "set", "push", "replace", "insert", "delete", …
///   after   document   the whole document as the server has it after this write; null: gone
///   time    Timestamp  operationTime of the reply: the write's cluster time is at most this
///   since   Timestamp  the newest operationTime that this thread had before it sent the write:
///                      the write's cluster time is later than this
///   ddl     document   only for DDL: the command that was run
///   unknown true       only where the reply was lost: the write may or may not have happened
/// So the write took place in (since, time]; where time is the next ordinal after since, exactly
/// then. All writes of one document (and of the scratch collections) come from one thread and
/// their intervals don't overlap, so at a cluster time C everything is known but what each thread
/// was just writing: an entry with since < C < time may or may not have happened by C. A standalone
/// tells no times: there they are Timestamp(0, 0). An entry for a write that left its document as
/// it was is possible, and harmless.
[[nodiscard]] Result<TrafficSummary> run_traffic(mongo::Client& client, const std::string& database,
                                                 const TrafficOptions& options,
                                                 ProgressSink& progress, std::stop_token stop);

}  // namespace holdfast::smokava
