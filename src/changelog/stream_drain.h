#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "base/spool.h"
#include "changelog/boundary.h"
#include "changelog/event.h"
#include "changelog/event_sequence.h"
#include "mongo/change_stream.h"
#include "mongo/client.h"
#include "repository/log_segment.h"

namespace holdfast::changelog {

/// Reads a change stream on a thread of its own into an encrypted spool, from before a scan until
/// after it, because a long scan could outlive the server's log. Thread-safe.
class StreamDrain final : public PlacedEvents {
 public:
  /// Opens the stream now, or behind `from`; everything committed after `start_boundary()` will be
  /// drained. `databases`: one or several; none means all of the deployment. `client` and `random`
  /// must outlive it. Errors: those of mongo::open_change_stream (gap: `from` is gone from the
  /// server's log).
  [[nodiscard]] static Result<std::unique_ptr<StreamDrain>> start(
      mongo::Client& client, const std::vector<std::string>& databases,
      const std::optional<repository::LogPosition>& from, const std::filesystem::path& spool_folder,
      RandomSource& random);
  ~StreamDrain() override;
  StreamDrain(const StreamDrain&) = delete;
  StreamDrain& operator=(const StreamDrain&) = delete;

  [[nodiscard]] const Boundary& start_boundary() const { return start_; }
  [[nodiscard]] std::uint64_t drained_events() const;

  /// Waits until everything that was committed before this call is in the spool, by a marker
  /// written into `marker_database` (see docs/decisions), and returns a boundary at or behind it.
  /// Where markers may not be written, by a delivered event (or a reliable token) later than
  /// `not_before`. Errors: the stream's own (gap, retry, …), cancelled, precondition (nothing
  /// showed the end of the window within `patience`).
  [[nodiscard]] Result<Boundary> barrier(const std::string& marker_database, ClusterTime not_before,
                                         std::chrono::seconds patience, ProgressSink& progress,
                                         std::stop_token stop);

  /// Calls `visit` with each event between two boundaries, markers left out, in order.
  [[nodiscard]] Status visit(const Boundary& from, const Boundary& to,
                             const std::function<Status(const Event&)>& visit) const;
  [[nodiscard]] Status visit_placed(const Boundary& from, const Boundary& to,
                                    const Visit& visit) const override;

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

  StreamDrain(mongo::Client& client, std::unique_ptr<mongo::ChangeStream> stream,
              std::unique_ptr<EncryptedSpool> spool, Boundary start);
  void run(const std::stop_token& stop);
  Status take(bson::DocumentView raw);
  Result<Boundary> wait_for(const std::function<std::optional<Boundary>()>& found,
                            std::chrono::seconds patience, ProgressSink& progress,
                            const std::stop_token& stop);
  Result<Boundary> marker_barrier(const std::string& database, std::chrono::seconds patience,
                                  ProgressSink& progress, const std::stop_token& stop);
  /// Moves a boundary behind the transactions that are open at it, as far as `known`.
  [[nodiscard]] Boundary behind_open_groups(Boundary boundary) const;
  void forget_groups_before(std::uint64_t events);

  mongo::Client& client_;
  std::unique_ptr<mongo::ChangeStream> stream_;  ///< The thread's alone.
  std::unique_ptr<EncryptedSpool> spool_;
  Boundary start_;

  mutable std::mutex mutex_;
  std::condition_variable_any arrived_;
  Boundary newest_;
  ClusterTime reliable_;
  std::vector<Marker> markers_;
  std::map<TransactionId, Group> groups_;
  std::optional<Error> failure_;
  std::jthread thread_;
};

/// A stretch of a drained stream. The drain must outlive it.
class DrainedEvents final : public EventSequence {
 public:
  DrainedEvents(const StreamDrain& drain, Boundary from, Boundary to)
      : drain_(drain), from_(std::move(from)), to_(std::move(to)) {}
  [[nodiscard]] Status visit(const std::function<Status(const Event&)>& visit) const override {
    return drain_.visit(from_, to_, visit);
  }

 private:
  const StreamDrain& drain_;
  const Boundary from_;
  const Boundary to_;
};

}  // namespace holdfast::changelog
