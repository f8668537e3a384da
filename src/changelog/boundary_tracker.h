#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bson/document.h"
#include "changelog/boundary.h"
#include "changelog/event.h"

namespace holdfast::changelog {

/// Knows, of the events that a stream delivered, where boundaries lie: behind markers, behind
/// transactions, and on servers whose tokens tell a time, between cluster times. See
/// docs/decisions/0007. Not thread-safe.
class BoundaryTracker {
 public:
  explicit BoundaryTracker(Boundary start) : start_(start), newest_(std::move(start)) {}

  /// The next event, where it ends in the spool, and the token that resumes behind it.
  void take(const Event& event, bool marker, std::uint64_t offset, bson::Document token);
  /// All that the server had is delivered. `reliable`: up to which time that is certain, null
  /// where the server's tokens do not tell; `token` resumes there.
  void settle(ClusterTime reliable, bson::Document token);

  [[nodiscard]] const Boundary& start() const { return start_; }
  /// Behind all events so far. A transaction may be open there.
  [[nodiscard]] const Boundary& newest() const { return newest_; }
  [[nodiscard]] ClusterTime reliable() const { return reliable_; }
  /// Behind the marker with this `_id`, once it was delivered.
  [[nodiscard]] std::optional<Boundary> behind_marker(bson::ValueView id) const;
  [[nodiscard]] bool saw_transactions() const { return !groups_.empty(); }
  /// Moves a boundary behind the transactions that are open at it, as far as known.
  [[nodiscard]] Boundary behind_open_groups(Boundary boundary) const;
  /// The newest boundary that needs no marker, on servers whose tokens tell a time (mongod): there
  /// all events of a transaction have one time, so any place where time moves on is a boundary.
  [[nodiscard]] std::optional<Boundary> without_marker() const;
  /// Whether events of the data, not only markers, lie behind a boundary.
  [[nodiscard]] bool data_behind(const Boundary& boundary) const {
    return last_data_event_ > boundary.events;
  }
  /// Forgets markers and transactions that lie before a boundary.
  void forget_before(const Boundary& boundary);

 private:
  struct Marker {
    bson::Value id;
    Boundary boundary;
  };
  /// First and last event of a transaction, as ordinals, and the boundary behind the last.
  struct Group {
    std::uint64_t first = 0;
    Boundary behind_last;
  };

  const Boundary start_;
  Boundary newest_;
  ClusterTime reliable_;
  std::optional<Boundary> settled_;      ///< All that was delivered, at a time that is certain.
  std::optional<Boundary> before_time_;  ///< Before the first event of the newest time.
  std::vector<Marker> markers_;
  std::map<TransactionId, Group> groups_;
  std::uint64_t last_data_event_ = 0;
};

}  // namespace holdfast::changelog
