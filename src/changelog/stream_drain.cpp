#include "changelog/stream_drain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::changelog {

namespace {

using std::chrono::milliseconds;

/// How long one look at the stream may block; a stop is noticed that soon.
constexpr milliseconds stream_wait{200};
/// A drain that keeps trying learns of trouble so soon, and can stop.
constexpr std::uint32_t persistent_deadline_ms = 5'000;
/// How long passing trouble is left alone before the next attempt.
constexpr milliseconds trouble_wait{1000};
/// After so long without the marker's event the operator is told what it waits for.
constexpr std::chrono::seconds explain_after{5};

}  // namespace

StreamDrain::StreamDrain(mongo::Client& client, std::unique_ptr<mongo::ChangeStream> stream,
                         std::unique_ptr<EncryptedSpool> spool, Boundary start,
                         const DrainOptions& options)
    : client_(client),
      stream_(std::move(stream)),
      spool_(std::move(spool)),
      options_(options),
      tracker_(std::move(start)) {}

StreamDrain::~StreamDrain() = default;

Result<std::unique_ptr<StreamDrain>> StreamDrain::start(
    mongo::Client& client, const std::vector<std::string>& databases,
    const std::optional<repository::LogPosition>& from, const std::filesystem::path& spool_folder,
    RandomSource& random, const DrainOptions& drain_options) {
  HOLDFAST_TRY(auto spool, EncryptedSpool::create(spool_folder, random));
  mongo::ChangeStreamOptions options{.databases = databases};
  if (from) options.resume_after = from->token;
  if (drain_options.keep_trying) options.resume_deadline_ms = persistent_deadline_ms;
  Boundary start;
  HOLDFAST_TRY(auto stream, mongo::open_change_stream(client, options, start.time));
  start.token = from ? from->token : stream->resume_token();
  if (from) start.time = from->time;
  std::unique_ptr<StreamDrain> drain(new StreamDrain(client, std::move(stream), std::move(spool),
                                                     std::move(start), drain_options));
  StreamDrain* const self = drain.get();
  drain->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return drain;
}

std::uint64_t StreamDrain::drained_events() const { return newest().events; }

Boundary StreamDrain::newest() const {
  const std::lock_guard lock(mutex_);
  return tracker_.newest();
}

std::optional<Boundary> StreamDrain::boundary_without_marker() const {
  const std::lock_guard lock(mutex_);
  return tracker_.without_marker();
}

bool StreamDrain::tells_times() const {
  const std::lock_guard lock(mutex_);
  return !tracker_.reliable().is_null();
}

bool StreamDrain::data_behind(const Boundary& boundary) const {
  const std::lock_guard lock(mutex_);
  return tracker_.data_behind(boundary);
}

std::optional<Error> StreamDrain::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::optional<Error> StreamDrain::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

bool StreamDrain::discard(const Boundary& boundary) {
  const bool freed = spool_->discard(boundary.offset);
  const std::lock_guard lock(mutex_);
  tracker_.forget_before(boundary);
  freed_.notify_all();
  return freed;
}

void StreamDrain::wait_for_space(const std::stop_token& stop) {
  if (options_.most_live_bytes == 0) return;
  std::unique_lock lock(mutex_);
  freed_.wait(lock, stop, [this] { return spool_->live_bytes() < options_.most_live_bytes; });
}

bool StreamDrain::get_over(const Error& error, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const bool passing = options_.keep_trying && error.code() == ErrorCode::retry;
  (passing ? trouble_ : failure_) = error;
  arrived_.notify_all();
  if (passing) arrived_.wait_for(lock, stop, trouble_wait, [] { return false; });
  return passing;
}

void StreamDrain::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wait_for_space(stop);
    if (stop.stop_requested()) return;
    auto next = stream_->next(stream_wait);
    Status outcome;
    if (!next.ok()) {
      outcome = next.error().with_context("change stream");
    } else if (next->has_value()) {
      outcome = take((*next)->event);
    } else {
      const std::lock_guard lock(mutex_);
      trouble_.reset();
      tracker_.settle(stream_->reliable_time(), stream_->resume_token());
      arrived_.notify_all();
    }
    if (!outcome.ok() && !get_over(outcome.error(), stop)) return;
  }
}

Status StreamDrain::take(bson::DocumentView raw) {
  HOLDFAST_CHECK(bson::validate_document(raw.bytes()));
  HOLDFAST_TRY(const Event event, parse_event(raw));
  HOLDFAST_CHECK(spool_->append_record(raw.bytes()));
  const bool marker = mongo::is_marker_event(raw);
  const std::lock_guard lock(mutex_);
  trouble_.reset();
  tracker_.take(event, marker, spool_->size(), stream_->resume_token());
  if (marker) arrived_.notify_all();
  return {};
}

Result<Boundary> StreamDrain::wait_for(const std::function<std::optional<Boundary>()>& found,
                                       std::chrono::seconds patience, ProgressSink& progress,
                                       const std::stop_token& stop) {
  const auto begun = std::chrono::steady_clock::now();
  bool explained = false;
  std::unique_lock lock(mutex_);
  while (true) {
    if (failure_) return *failure_;
    if (auto boundary = found()) return std::move(*boundary);
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    const auto waited = std::chrono::steady_clock::now() - begun;
    if (waited > patience) {
      return Error(ErrorCode::precondition,
                   fmt::format("the change stream did not deliver the end of the window within "
                               "{} s",
                               patience.count()),
                   "a transaction may be open for very long: end it, or run the backup later");
    }
    if (waited > explain_after && !explained) {
      explained = true;
      lock.unlock();
      progress.note(
          "waiting for the change stream to reach the end of the scan (open transactions hold "
          "it back)");
      lock.lock();
    }
    arrived_.wait_for(lock, stop, milliseconds(100), [] { return false; });
  }
}

Result<Boundary> StreamDrain::barrier(const std::string& marker_database, ClusterTime not_before,
                                      std::chrono::seconds patience, ProgressSink& progress,
                                      std::stop_token stop) {
  auto by_marker = marker_barrier(marker_database, patience, progress, stop);
  if (by_marker.ok() || by_marker.error().code() != ErrorCode::denied) return by_marker;

  progress.note(
      "no right to write Holdfast's marker; waiting for a later change to show the end of the "
      "window");
  return wait_for(
      [&]() -> std::optional<Boundary> {
        // Strictly later: two events may share one time.
        if (tracker_.newest().time <= not_before && tracker_.reliable() < not_before) {
          return std::nullopt;
        }
        Boundary boundary = tracker_.newest();
        boundary.time = std::max(boundary.time, tracker_.reliable());
        return tracker_.behind_open_groups(std::move(boundary));
      },
      patience, progress, stop);
}

Result<Boundary> StreamDrain::marker_barrier(const std::string& database,
                                             std::chrono::seconds patience, ProgressSink& progress,
                                             const std::stop_token& stop) {
  const auto pass = [&]() -> Result<Boundary> {
    HOLDFAST_TRY(const bson::Value id, mongo::write_marker(client_, database));
    auto boundary =
        wait_for([&] { return tracker_.behind_marker(id.view()); }, patience, progress, stop);
    // The event is what counts; a marker that stays behind is cleared with its collection.
    const Status removed = mongo::remove_marker(client_, database, id.view());
    static_cast<void>(removed);
    return boundary;
  };

  HOLDFAST_TRY(Boundary boundary, pass());
  // A transaction with an event before the first marker had committed when that marker's event
  // was delivered, so a second marker, written later, lies behind all of its events. Where
  // transactions interleave with other writes (see docs/decisions/0005), move behind them.
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (!tracker_.saw_transactions()) return boundary;
    }
    HOLDFAST_TRY(const Boundary known, pass());
    const std::lock_guard lock(mutex_);
    boundary = tracker_.behind_open_groups(std::move(boundary));
    if (boundary.events <= known.events) {
      tracker_.forget_before(boundary);
      return boundary;
    }
  }
}

Status StreamDrain::visit(const Boundary& from, const Boundary& to,
                          const std::function<Status(const Event&)>& visit) const {
  return visit_placed(from, to,
                      [&visit](const Event& event, const EventPlace&) { return visit(event); });
}

Status StreamDrain::visit_placed(const Boundary& from, const Boundary& to,
                                 const Visit& visit) const {
  HOLDFAST_CHECK(spool_->flush());
  const auto reader = spool_->reader(from.offset);
  for (std::uint64_t at = from.events; at < to.events; ++at) {
    HOLDFAST_TRY(const auto record, reader->next_record());
    if (!record) return Error(ErrorCode::corrupt, "the spool of events is shorter than expected");
    const bson::DocumentView raw(*record);
    if (mongo::is_marker_event(raw)) continue;
    HOLDFAST_TRY(const Event event, parse_event(raw));
    if (event.kind == EventKind::other) continue;
    HOLDFAST_CHECK(visit(event, {at + 1, reader->offset()}));
  }
  return {};
}

}  // namespace holdfast::changelog
