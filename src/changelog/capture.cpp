#include "changelog/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/text.h"
#include "bson/builder.h"
#include "changelog/capture_start.h"

namespace holdfast::changelog {

namespace {

using repository::LogGap;
using repository::LogPosition;
using std::chrono::milliseconds;

/// How often it looks whether there is something to do.
constexpr milliseconds look_interval{100};
/// Between attempts to store while the repository is away; doubles up to the longest.
constexpr milliseconds first_pause{500};
constexpr milliseconds longest_pause{15'000};
/// How long a boundary may take; then the next interval tries again.
constexpr std::chrono::seconds barrier_patience{60};
/// The same when asked to stop: what is not stored stays in the server's log.
constexpr std::chrono::seconds last_patience{5};
/// So often a pause is made and the store tried again before a run that ends gives up.
constexpr int last_attempts = 3;

/// Trouble that may pass by itself, or by somebody freeing space or mounting a disk.
bool may_pass(ErrorCode code) {
  switch (code) {
    case ErrorCode::retry:
    case ErrorCode::no_space:
    case ErrorCode::io:
    case ErrorCode::denied:
    case ErrorCode::not_found:
    case ErrorCode::no_repository:
    case ErrorCode::busy: return true;
    default: return false;
  }
}

/// Sleeps until asked to stop.
void pause_for(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

class Capture {
 public:
  Capture(mongo::Client& client, repository::Repository& repository, const CaptureOptions& options,
          const Clock& clock, RandomSource& random, ProgressSink& progress,
          const CaptureReport& report, std::stop_token stop)
      : source_{client, options.databases, options.spool_folder, random,
                DrainOptions{options.most_spool_bytes, true}},
        repository_(repository),
        options_(options),
        target_{options.source, options.databases, std::string(capture_writer)},
        clock_(clock),
        progress_(progress),
        report_(report),
        stop_(std::move(stop)) {}

  Result<CaptureOutcome> run() {
    const SteadyTime begun = clock_.steady_now();
    HOLDFAST_TRY(CaptureStart start, start_capture(source_, repository_, options_.source));
    if (start.lost) tell_gap(*start.gap);
    take_over(std::move(start.drain), std::move(start.gap));
    outcome_.begin = stored_.position();
    outcome_.end = outcome_.begin;
    for (;;) {
      const bool over = options_.duration && clock_.steady_now() - begun >= *options_.duration;
      if (over || stop_.stop_requested()) break;
      HOLDFAST_CHECK(step());
      pause_for(look_interval, stop_);
    }
    outcome_.stopped = stop_.stop_requested();
    const Status finished = finish();
    if (drain_ && !drain_->trouble()) drop_markers();
    if (!finished.ok()) return finished.error();
    return std::move(outcome_);
  }

 private:
  void take_over(std::unique_ptr<StreamDrain> drain, std::optional<LogGap> gap) {
    drain_ = std::move(drain);
    stored_ = drain_->start_boundary();
    pending_.reset();
    gap_ = std::move(gap);
    cut_now_ = gap_.has_value();  // where a log begins is stored soon
    last_cut_ = clock_.steady_now();
  }

  void tell_gap(const LogGap& gap) {
    outcome_.gaps.push_back(gap);
    progress_.note(fmt::format(
        "GAP: what happened after {} is lost ({}). The log goes on behind it; to restore later "
        "times, take a backup",
        gap.since.text(), gap.cause));
  }

  /// Tells of trouble when it begins and when it changes, not each time.
  void tell_trouble(const std::optional<Error>& error, std::string_view what) {
    const std::string text = error ? fmt::format("{}: {}", what, error->message()) : std::string();
    if (text == told_trouble_) return;
    if (error) {
      progress_.note(text);
    } else {
      progress_.note("all is well again");
    }
    told_trouble_ = text;
  }

  Status step() {
    if (const auto failure = drain_->failure()) return recover(*failure);
    if (!pending_) {
      if (!store_failed_) tell_trouble(drain_->trouble(), "the change stream waits");
      if (!due()) return {};
      HOLDFAST_CHECK(find_boundary(barrier_patience, stop_));
      if (!pending_) return {};
    } else if (clock_.steady_now() < next_attempt_) {
      return {};
    }
    Status stored = store();
    if (stored.ok()) return {};
    if (!may_pass(stored.error().code()) || rival_) return stored;
    // The same stretch again: part of it may be stored, and is then known as ours.
    store_failed_ = true;
    tell_trouble(stored.error(), "the repository cannot be written to; changes wait");
    pause_ = std::min(std::max(pause_ * 2, first_pause), longest_pause);
    next_attempt_ = clock_.steady_now() + pause_;
    return {};
  }

  /// Whether it is time for a segment.
  bool due() {
    if (cut_now_) return true;
    const auto since = clock_.steady_now() - last_cut_;
    if (since >= options_.idle_interval) return true;
    if (!drain_->data_behind(stored_)) return false;
    return since >= options_.segment_interval ||
           drain_->newest().offset - stored_.offset >= log_segment_bytes;
  }

  /// Sets `pending_`, if a boundary behind what is stored shows up.
  Status find_boundary(std::chrono::seconds patience, const std::stop_token& stop) {
    last_cut_ = clock_.steady_now();
    std::optional<Boundary> found = drain_->boundary_without_marker();
    if (!found && !drain_->trouble()) {
      SilentProgress silent;  // open transactions are nothing to tell of here
      auto barrier =
          drain_->barrier(options_.marker_database, drain_->newest().time, patience, silent, stop);
      wrote_markers_ = true;
      if (barrier.ok()) {
        found = std::move(*barrier);
      } else if (barrier.error().code() != ErrorCode::cancelled &&
                 barrier.error().code() != ErrorCode::precondition &&
                 barrier.error().code() != ErrorCode::gap && !may_pass(barrier.error().code())) {
        return barrier.error();
      }
    }
    if (!found) return {};
    const bool further = found->time > stored_.time || found->events > stored_.events;
    if (further) pending_ = std::move(found);
    return {};
  }

  Status store() {
    HOLDFAST_TRY(StoredStretch stored,
                 store_stretch(repository_, target_, *drain_, stored_, *pending_, gap_));
    outcome_.segments += stored.segments;
    outcome_.events += stored.events;
    outcome_.event_bytes += stored.event_bytes;
    outcome_.stored_bytes += stored.stored_bytes;
    if (stored.rival) {
      rival_ = true;
      return Error(ErrorCode::busy,
                   fmt::format("another capture writes this log: it stored the segment {}, {}",
                               stored.rival->name, format_time(stored.rival->written)),
                   "only one capture of a source may run; 'holdfast capture status' shows the log");
    }
    store_failed_ = false;
    tell_trouble(std::nullopt, "");
    pause_ = milliseconds(0);
    gap_.reset();
    cut_now_ = false;
    outcome_.end = stored.end;
    const Boundary reached = *std::exchange(pending_, std::nullopt);
    const bool elsewhere = stored.end.time != reached.time || stored.end.token != reached.token;
    const bool freed = drain_->discard(reached);
    stored_ = reached;
    if (report_) report_(stored);
    // A backup stored more than this; or the file system gives no space back, so that the spool
    // must be begun anew.
    if (elsewhere || (!freed && drain_->live_bytes() >= options_.most_spool_bytes / 2)) {
      return open_again(stored.end);
    }
    return {};
  }

  Status open_again(const LogPosition& at) {
    drain_.reset();
    auto drain = source_.open(at);
    if (drain.ok()) {
      take_over(std::move(*drain), std::nullopt);
      return {};
    }
    return lost_or_later(drain.error(), at);
  }

  /// The stream ended for good, at least this one.
  Status recover(const Error& error) {
    // The position behind which everything is stored; what was drained since is read again.
    return lost_or_later(error, stored_.position());
  }

  /// History is lost: a gap, and on from now. Passing trouble: again, as long as it takes.
  Status lost_or_later(Error error, const LogPosition& at) {
    for (milliseconds pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
      std::optional<LogGap> gap;
      if (error.code() == ErrorCode::gap) {
        gap = LogGap{at.time, error.message()};
      } else if (!may_pass(error.code())) {
        return error;
      } else {
        tell_trouble(error, "the change stream cannot be read");
        pause_for(pause, stop_);
        if (stop_.stop_requested()) return {};
      }
      drain_.reset();
      auto drain = gap ? source_.open(std::nullopt) : source_.open(at);
      if (drain.ok()) {
        // A gap that was not stored yet began earlier.
        if (gap && gap_) gap->since = std::min(gap->since, gap_->since);
        if (gap) tell_gap(*gap);
        take_over(std::move(*drain), gap ? gap : std::exchange(gap_, std::nullopt));
        if (!gap) tell_trouble(std::nullopt, "");
        return {};
      }
      // A gap stays one, whatever keeps the new stream from opening.
      if (!gap || drain.error().code() == ErrorCode::gap) error = drain.error();
      if (gap) pause_for(pause, stop_);
      if (stop_.stop_requested()) return {};
    }
  }

  /// Only tidiness: without the right to drop it an empty collection stays.
  void drop_markers() {
    if (!wrote_markers_) return;
    bson::Builder command;
    command.append_string("drop", mongo::marker_collection);
    const bson::Document document = std::move(command).finish();
    [[maybe_unused]] const auto dropped =
        source_.client.run(options_.marker_database, document.view());
  }

  /// Stores what was drained, as far as a boundary shows up soon. With a duration, all up to now
  /// must be stored.
  Status finish() {
    if (!drain_) return {};
    const bool complete = !outcome_.stopped;
    if (const auto failure = drain_->failure(); failure && complete) {
      HOLDFAST_CHECK(recover(*failure));
      if (!drain_ || stop_.stop_requested()) return {};
    }
    for (int attempt = 1;; ++attempt) {
      if (!pending_) {
        HOLDFAST_CHECK(find_boundary(complete ? barrier_patience : last_patience,
                                     complete ? stop_ : std::stop_token()));
      }
      if (!pending_ && complete && drain_->trouble()) return *drain_->trouble();
      if (!pending_) return {};
      const bool late = store_failed_;
      Status stored = store();
      if (!stored.ok()) {
        if (!may_pass(stored.error().code()) || rival_ || attempt >= last_attempts) return stored;
        store_failed_ = true;
        pause_for(first_pause, {});
      } else if (!late) {
        return {};  // a stretch that had waited may not be all there is
      }
    }
  }

  const CaptureSource source_;
  repository::Repository& repository_;
  const CaptureOptions& options_;
  const LogTarget target_;
  const Clock& clock_;
  ProgressSink& progress_;
  const CaptureReport& report_;
  const std::stop_token stop_;

  std::unique_ptr<StreamDrain> drain_;
  Boundary stored_;                  ///< In the drain: what lies before it is stored.
  std::optional<Boundary> pending_;  ///< To where the stretch at hand reaches.
  std::optional<LogGap> gap_;        ///< To be recorded with the next segment.
  bool cut_now_ = false;
  bool store_failed_ = false;
  bool rival_ = false;
  bool wrote_markers_ = false;
  SteadyTime last_cut_;
  SteadyTime next_attempt_;
  milliseconds pause_{0};
  std::string told_trouble_;
  CaptureOutcome outcome_;
};

}  // namespace

Result<CaptureOutcome> run_capture(mongo::Client& client, repository::Repository& repository,
                                   const CaptureOptions& options, const Clock& clock,
                                   RandomSource& random, ProgressSink& progress,
                                   const CaptureReport& report, std::stop_token stop) {
  Capture capture(client, repository, options, clock, random, progress, report, std::move(stop));
  return capture.run();
}

}  // namespace holdfast::changelog
