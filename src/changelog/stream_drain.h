#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
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
#include "changelog/boundary_tracker.h"
#include "changelog/event.h"
#include "changelog/event_sequence.h"
#include "mongo/change_stream.h"
#include "mongo/client.h"
#include "repository/log_segment.h"

namespace holdfast::changelog {

/// How a drain behaves that is to run for long.
struct DrainOptions {
  /// The stream is not read on while so much of the spool was not discarded: then the server's log
  /// is the buffer. 0: no bound.
  std::uint64_t most_live_bytes = 0;
  /// Passing trouble (network, elections) beyond what the stream itself waits for is tried again
  /// without an end; `trouble()` tells of it.
  bool keep_trying = false;
};

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
      RandomSource& random, const DrainOptions& drain_options = {});
  ~StreamDrain() override;
  StreamDrain(const StreamDrain&) = delete;
  StreamDrain& operator=(const StreamDrain&) = delete;

  [[nodiscard]] const Boundary& start_boundary() const { return tracker_.start(); }
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

  /// The newest boundary that needs no marker: none on servers whose tokens do not tell a time.
  [[nodiscard]] std::optional<Boundary> boundary_without_marker() const;
  /// Whether the server's tokens tell times, so that boundaries come without markers.
  [[nodiscard]] bool tells_times() const;
  /// Whether events of the data, not only markers, lie behind a boundary.
  [[nodiscard]] bool data_behind(const Boundary& boundary) const;
  /// Behind all events so far; a transaction may be open there.
  [[nodiscard]] Boundary newest() const;
  /// Frees what lies before a boundary; it can no longer be visited. False where the file system
  /// does not give space back: then the spool only grows.
  bool discard(const Boundary& boundary);
  [[nodiscard]] std::uint64_t live_bytes() const { return spool_->live_bytes(); }
  /// Why the stream ended for good, or what it is waiting to get over; empty while all is well.
  [[nodiscard]] std::optional<Error> failure() const;
  [[nodiscard]] std::optional<Error> trouble() const;

 private:
  StreamDrain(mongo::Client& client, std::unique_ptr<mongo::ChangeStream> stream,
              std::unique_ptr<EncryptedSpool> spool, Boundary start, const DrainOptions& options);
  void run(const std::stop_token& stop);
  void wait_for_space(const std::stop_token& stop);
  /// Notes trouble and waits, or ends the drain; false if it ended.
  bool get_over(const Error& error, const std::stop_token& stop);
  Status take(bson::DocumentView raw);
  Result<Boundary> wait_for(const std::function<std::optional<Boundary>()>& found,
                            std::chrono::seconds patience, ProgressSink& progress,
                            const std::stop_token& stop);
  Result<Boundary> marker_barrier(const std::string& database, std::chrono::seconds patience,
                                  ProgressSink& progress, const std::stop_token& stop);

  mongo::Client& client_;
  std::unique_ptr<mongo::ChangeStream> stream_;  ///< The thread's alone.
  std::unique_ptr<EncryptedSpool> spool_;
  const DrainOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::condition_variable_any freed_;
  BoundaryTracker tracker_;
  std::optional<Error> failure_;
  std::optional<Error> trouble_;
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
