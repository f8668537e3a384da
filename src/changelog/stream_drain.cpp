#include "changelog/stream_drain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::changelog {

namespace {

using std::chrono::milliseconds;

/// How long one look at the stream may block; a stop is noticed that soon.
constexpr milliseconds stream_wait{200};
/// After so long without the marker's event the operator is told what it waits for.
constexpr std::chrono::seconds explain_after{5};

}  // namespace

StreamDrain::StreamDrain(mongo::Client& client, std::unique_ptr<mongo::ChangeStream> stream,
                         std::unique_ptr<EncryptedSpool> spool, Boundary start)
    : client_(client),
      stream_(std::move(stream)),
      spool_(std::move(spool)),
      start_(std::move(start)),
      newest_(start_) {}

StreamDrain::~StreamDrain() = default;

Result<std::unique_ptr<StreamDrain>> StreamDrain::start(
    mongo::Client& client, const std::vector<std::string>& databases,
    const std::optional<repository::LogPosition>& from, const std::filesystem::path& spool_folder,
    RandomSource& random) {
  HOLDFAST_TRY(auto spool, EncryptedSpool::create(spool_folder, random));
  mongo::ChangeStreamOptions options{.databases = databases};
  if (from) options.resume_after = from->token;
  Boundary start;
  HOLDFAST_TRY(auto stream, mongo::open_change_stream(client, options, start.time));
  start.token = from ? from->token : stream->resume_token();
  if (from) start.time = from->time;
  std::unique_ptr<StreamDrain> drain(
      new StreamDrain(client, std::move(stream), std::move(spool), std::move(start)));
  StreamDrain* const self = drain.get();
  drain->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return drain;
}

std::uint64_t StreamDrain::drained_events() const {
  const std::lock_guard lock(mutex_);
  return newest_.events;
}

void StreamDrain::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto next = stream_->next(stream_wait);
    Status outcome;
    if (!next.ok()) {
      outcome = next.error().with_context("change stream");
    } else if (next->has_value()) {
      outcome = take((*next)->event);
    } else {
      const std::lock_guard lock(mutex_);
      reliable_ = std::max(reliable_, stream_->reliable_time());
      arrived_.notify_all();
    }
    if (!outcome.ok()) {
      const std::lock_guard lock(mutex_);
      failure_ = outcome.error();
      arrived_.notify_all();
      return;
    }
  }
}

Status StreamDrain::take(bson::DocumentView raw) {
  HOLDFAST_CHECK(bson::validate_document(raw.bytes()));
  HOLDFAST_TRY(const Event event, parse_event(raw));
  HOLDFAST_CHECK(spool_->append_record(raw.bytes()));
  const std::lock_guard lock(mutex_);
  const std::uint64_t ordinal = newest_.events;
  newest_.events += 1;
  newest_.offset = spool_->size();
  if (!event.time.is_null()) newest_.time = std::max(newest_.time, event.time);
  newest_.token = stream_->resume_token();
  if (event.transaction) {
    const auto [group, added] = groups_.try_emplace(*event.transaction, Group{ordinal, newest_});
    if (!added) group->second.behind_last = newest_;
  }
  if (mongo::is_marker_event(raw) && event.key) {
    markers_.push_back({bson::Value(*event.key), newest_});
    arrived_.notify_all();
  }
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
        if (newest_.time <= not_before && reliable_ < not_before) return std::nullopt;
        Boundary boundary = newest_;
        boundary.time = std::max(boundary.time, reliable_);
        return behind_open_groups(std::move(boundary));
      },
      patience, progress, stop);
}

Result<Boundary> StreamDrain::marker_barrier(const std::string& database,
                                             std::chrono::seconds patience, ProgressSink& progress,
                                             const std::stop_token& stop) {
  const auto pass = [&]() -> Result<Boundary> {
    HOLDFAST_TRY(const bson::Value id, mongo::write_marker(client_, database));
    auto boundary = wait_for(
        [&]() -> std::optional<Boundary> {
          const auto marker = std::find_if(markers_.begin(), markers_.end(), [&](const Marker& m) {
            return m.id.view().identical(id.view());
          });
          if (marker == markers_.end()) return std::nullopt;
          return marker->boundary;
        },
        patience, progress, stop);
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
      if (groups_.empty()) return boundary;
    }
    HOLDFAST_TRY(const Boundary known, pass());
    const std::lock_guard lock(mutex_);
    boundary = behind_open_groups(std::move(boundary));
    if (boundary.events <= known.events) {
      forget_groups_before(boundary.events);
      return boundary;
    }
  }
}

Boundary StreamDrain::behind_open_groups(Boundary boundary) const {
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& [id, group] : groups_) {
      if (group.first < boundary.events && group.behind_last.events > boundary.events) {
        boundary = group.behind_last;
        moved = true;
      }
    }
  }
  return boundary;
}

void StreamDrain::forget_groups_before(std::uint64_t events) {
  std::erase_if(groups_,
                [&](const auto& entry) { return entry.second.behind_last.events <= events; });
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
