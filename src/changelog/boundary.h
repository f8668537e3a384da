#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "bson/document.h"
#include "changelog/event.h"
#include "dataset/types.h"
#include "repository/log_segment.h"

namespace holdfast::changelog {

/// A place between two events of a drained stream where no transaction is open.
struct Boundary {
  std::uint64_t events = 0;  ///< How many events lie before it (markers counted).
  std::uint64_t offset = 0;  ///< Where the next one begins in the spool.
  ClusterTime time;          ///< Everything visible at or before this time lies before it.
  bson::Document token;      ///< Resuming from it delivers what lies behind.

  [[nodiscard]] repository::LogPosition position() const { return {time, token}; }
};

/// Where an event ends in a drained stream; as in Boundary, but transactions may be open there.
struct EventPlace {
  std::uint64_t events = 0;
  std::uint64_t offset = 0;
};

/// Events that lie between boundaries, each with its place. Thread-safe.
class PlacedEvents {
 public:
  using Visit = std::function<Status(const Event&, const EventPlace& behind)>;
  virtual ~PlacedEvents() = default;
  /// Calls `visit` with each event between two boundaries, markers left out, in order.
  [[nodiscard]] virtual Status visit_placed(const Boundary& from, const Boundary& to,
                                            const Visit& visit) const = 0;
};

}  // namespace holdfast::changelog
