#include "changelog/log_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "changelog/log_chain.h"

namespace holdfast::changelog {

namespace {

using repository::LogGap;
using repository::LogPosition;
using repository::LogSegmentInfo;

bool same_position(const LogPosition& a, const LogPosition& b) {
  return a.time == b.time && a.token == b.token;
}

/// The place behind the last event of each transaction.
using LastEvents = std::map<TransactionId, std::uint64_t>;

Result<LastEvents> find_last_events(const PlacedEvents& events, const Boundary& from,
                                    const Boundary& to) {
  LastEvents last;
  HOLDFAST_CHECK(events.visit_placed(from, to, [&](const Event& event, const EventPlace& behind) {
    if (event.transaction) last[*event.transaction] = behind.events;
    return Status();
  }));
  return last;
}

class StretchWriter {
 public:
  StretchWriter(repository::Repository& repository, const LogTarget& target,
                const PlacedEvents& events, const Boundary& from, std::optional<LogGap> gap)
      : repository_(repository),
        target_(target),
        events_(events),
        gap_(std::move(gap)),
        start_(from),
        newest_(from) {
    outcome_.end = from.position();
  }

  Result<StoredStretch> store(const Boundary& from, const Boundary& to) {
    HOLDFAST_TRY(last_events_, find_last_events(events_, from, to));
    do {
      again_ = false;
      bytes_ = 0;
      open_until_ = 0;
      newest_ = start_;
      HOLDFAST_CHECK(
          events_.visit_placed(start_, to, [this](const Event& event, const EventPlace& behind) {
            return again_ || outcome_.rival ? Status() : add(event, behind);
          }));
      const bool more = start_.time < to.time || newest_.events > start_.events;
      if (!again_ && !outcome_.rival && more) HOLDFAST_CHECK(put(to));
    } while (again_ && !outcome_.rival);
    return std::move(outcome_);
  }

 private:
  Status add(const Event& event, const EventPlace& behind) {
    const std::uint64_t size = event.raw.bytes().size();
    const bool full = bytes_ > 0 && bytes_ + size > log_segment_bytes;
    if (full && open_until_ <= newest_.events && event.time > newest_.time) {
      HOLDFAST_CHECK(put(newest_));
      if (again_ || outcome_.rival) return {};
    }
    if (event.time <= stored_by_others_) {  // up to where their chain reaches
      start_.events = behind.events;
      start_.offset = behind.offset;
      newest_ = start_;
      return {};
    }
    bytes_ += size;
    newest_.events = behind.events;
    newest_.offset = behind.offset;
    newest_.time = std::max(newest_.time, event.time);
    // An event's own `_id` is the token that resumes behind it.
    newest_.token = bson::Document(event.raw.find_document("_id").value_or(bson::DocumentView()));
    if (event.transaction) {
      const auto last = last_events_.find(*event.transaction);
      if (last != last_events_.end()) open_until_ = std::max(open_until_, last->second);
    }
    return {};
  }

  /// Stores what lies between start_ and `end`, and goes on from there.
  Status put(const Boundary& end) {
    LogSegmentInfo info;
    info.source = target_.source;
    info.databases = target_.databases;
    info.writer = target_.writer;
    info.start = start_.position();
    info.end = end.position();
    info.gap_before = std::exchange(gap_, std::nullopt);
    const auto stored =
        repository_.put_log_segment(info, [&](const repository::LogEventVisitor& visit) {
          return events_.visit_placed(start_, end, [&visit](const Event& event, const EventPlace&) {
            return visit(event.raw);
          });
        });
    if (stored.ok()) {
      bytes_ = 0;
      ++outcome_.segments;
      outcome_.events += stored->events;
      outcome_.event_bytes += stored->event_bytes;
      outcome_.stored_bytes += stored->stored_bytes;
      outcome_.end = end.position();
      start_ = end;
      newest_ = end;
      return {};
    }
    if (stored.error().code() != ErrorCode::exists) return stored.error();
    return follow(info);
  }

  /// Somebody else stored what begins where `mine` does: goes on where their chain ends.
  Status follow(const LogSegmentInfo& mine) {
    HOLDFAST_TRY(const auto listing, repository_.list_log(target_.source));
    const LogSegmentInfo* met = nullptr;
    LogPosition reached = mine.start;
    for (bool found = true; found;) {
      found = false;
      for (const LogSegmentInfo& segment : listing.segments) {
        if (segment.databases != target_.databases || segment.end.time <= reached.time ||
            !same_position(segment.start, reached) || (met != nullptr && segment.gap_before)) {
          continue;
        }
        // The same to its end: an attempt of ours whose outcome was not known.
        const bool ours = met == nullptr && same_position(segment.end, mine.end);
        const bool rivals = target_.writer == capture_writer && segment.writer == capture_writer;
        if (rivals && !ours) outcome_.rival = segment;
        met = &segment;
        reached = segment.end;
        found = !ours;  // behind it go on as that attempt did
        break;
      }
    }
    if (met == nullptr) {
      return Error(ErrorCode::corrupt,
                   "a log segment that begins at " + mine.start.time.text() +
                       " is there, but cannot be read",
                   "holdfast verify says more");
    }
    outcome_.end = reached;
    stored_by_others_ = reached.time;
    start_.time = reached.time;
    start_.token = reached.token;
    again_ = true;  // what was read is partly stored now
    return {};
  }

  repository::Repository& repository_;
  const LogTarget& target_;
  const PlacedEvents& events_;
  std::optional<LogGap> gap_;
  LastEvents last_events_;
  Boundary start_;   ///< Of the segment at hand.
  Boundary newest_;  ///< Behind the newest event of it.
  std::uint64_t bytes_ = 0;
  std::uint64_t open_until_ = 0;  ///< In events: where no transaction seen so far is open any more.
  ClusterTime stored_by_others_;
  bool again_ = false;
  StoredStretch outcome_;
};

/// What a stretch must say that does not begin where a stored one ends.
Result<std::optional<LogGap>> gap_before(repository::Repository& repository,
                                         const std::string& source,
                                         const std::vector<std::string>& databases,
                                         const LogPosition& start) {
  HOLDFAST_TRY(const auto listing, repository.list_log(source));
  LogGap gap;
  for (const LogSegmentInfo& segment : listing.segments) {
    if (segment.databases != databases) continue;
    if (same_position(segment.end, start)) return std::optional<LogGap>();
    if (segment.end.time <= start.time) gap.since = std::max(gap.since, segment.end.time);
  }
  gap.cause =
      gap.since.is_null() ? "nothing was stored before" : "what lies between was not stored";
  return std::optional(gap);
}

}  // namespace

Result<StoredStretch> store_stretch(repository::Repository& repository, const LogTarget& target,
                                    const PlacedEvents& events, const Boundary& from,
                                    const Boundary& to, const std::optional<LogGap>& gap) {
  return StretchWriter(repository, target, events, from, gap).store(from, to);
}

Result<StoredStretch> store_drained_events(repository::Repository& repository,
                                           const std::string& source,
                                           const std::vector<std::string>& databases,
                                           const PlacedEvents& events, const Boundary& from,
                                           const Boundary& to, std::string_view writer,
                                           std::optional<LogGap> gap) {
  if (!gap) {
    HOLDFAST_TRY(gap, gap_before(repository, source, databases, from.position()));
  }
  return store_stretch(repository, {source, databases, std::string(writer)}, events, from, to, gap);
}

}  // namespace holdfast::changelog
