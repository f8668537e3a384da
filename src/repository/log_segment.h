#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast::repository {

/// A place in a source's stream of changes where no transaction is open: everything visible at or
/// before `time` lies before it, and resuming the stream from `token` delivers what lies behind.
struct LogPosition {
  ClusterTime time;
  bson::Document token;
};

/// Why a log begins anew instead of going on where the one before ended.
struct LogGap {
  ClusterTime since;  ///< Where the log before ended; null if there was none.
  std::string cause;  ///< One sentence for people.
};

/// One stored piece of a source's log. Segments are immutable and named by where they start alone
/// (and by what they cover), so a successor is unique and a log cannot fork.
struct LogSegmentInfo {
  std::string name;  ///< Blob name.
  std::string source;
  /// Whose events are in it, sorted; empty means every database.
  std::vector<std::string> databases;
  LogPosition start;
  LogPosition end;
  std::uint64_t events = 0;
  std::uint64_t event_bytes = 0;
  std::uint64_t stored_bytes = 0;
  WallTime written{};
  std::string writer;  ///< "capture", "backup"
  /// Set where this segment does not go on from another one on purpose.
  std::optional<LogGap> gap_before;
};

/// Receives one raw change event; its error ends the reading and is passed on.
using LogEventVisitor = std::function<Status(bson::DocumentView)>;
/// Calls a visitor with each event of a stretch, in order; the same ones whenever it is called.
using LogEventSource = std::function<Status(const LogEventVisitor&)>;

}  // namespace holdfast::repository
