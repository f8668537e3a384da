#include "changelog/log_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace holdfast::changelog {

namespace {

using repository::LogPosition;
using repository::LogSegmentInfo;

using Scope = std::pair<std::string, std::vector<std::string>>;
using Place = std::pair<ClusterTime, Bytes>;

Scope scope_of(const LogSegmentInfo& segment) { return {segment.source, segment.databases}; }
Place place_of(const LogPosition& position) { return {position.time, position.token.bytes()}; }

/// Segments of one scope, by where they start.
using ByStart = std::map<Place, const LogSegmentInfo*>;

LogChain follow(const ByStart& by_start, const LogSegmentInfo& first) {
  LogChain chain;
  chain.source = first.source;
  chain.databases = first.databases;
  chain.gap = first.gap_before;
  std::set<const LogSegmentInfo*> seen;  // forged segments may run in a circle
  for (const LogSegmentInfo* at = &first; at != nullptr && seen.insert(at).second;) {
    chain.segments.push_back(*at);
    const auto next = by_start.find(place_of(at->end));
    // What begins anew on purpose may still begin there: a gap of which nothing was lost.
    at = next == by_start.end() || next->second->gap_before ? nullptr : next->second;
  }
  return chain;
}

/// Chains of one scope that start without saying why, though something was stored before.
void explain_breaks(std::vector<LogChain>& chains) {
  for (LogChain& chain : chains) {
    if (chain.gap) continue;
    ClusterTime before;
    for (const LogChain& other : chains) {
      const bool same = other.source == chain.source && other.databases == chain.databases;
      if (same && &other != &chain && other.end().time <= chain.start().time) {
        before = std::max(before, other.end().time);
      }
    }
    if (before.is_null()) continue;
    chain.gap = repository::LogGap{before, "a segment of the log is damaged or missing"};
  }
}

/// When the transactions of a segment take effect.
using LastEvents = std::map<TransactionId, ClusterTime>;

Result<LastEvents> read_last_events(repository::Repository& repository,
                                    const LogSegmentInfo& segment) {
  LastEvents last;
  HOLDFAST_CHECK(repository.read_log_segment(segment, [&](bson::DocumentView raw) -> Status {
    HOLDFAST_TRY(const Event event, parse_event(raw));
    if (!event.transaction) return {};
    ClusterTime& time = last[*event.transaction];
    time = std::max(time, event.time);
    return {};
  }));
  return last;
}

}  // namespace

bool LogChain::covers(const std::vector<std::string>& of) const {
  if (databases.empty()) return true;
  return !of.empty() && std::includes(databases.begin(), databases.end(), of.begin(), of.end());
}

std::vector<LogChain> chain_segments(std::vector<LogSegmentInfo> segments) {
  std::map<Scope, ByStart> scopes;
  std::map<Scope, std::set<Place>> ends;
  for (const LogSegmentInfo& segment : segments) {
    scopes[scope_of(segment)].emplace(place_of(segment.start), &segment);
    ends[scope_of(segment)].insert(place_of(segment.end));
  }
  std::vector<LogChain> chains;
  for (const auto& [scope, by_start] : scopes) {
    for (const auto& [place, segment] : by_start) {
      if (segment->gap_before || !ends[scope].contains(place)) {
        chains.push_back(follow(by_start, *segment));
      }
    }
  }
  explain_breaks(chains);
  return chains;
}

Result<std::vector<LogChain>> read_log_chains(repository::Repository& repository,
                                              const std::string& source) {
  HOLDFAST_TRY(auto listing, repository.list_log(source));
  return chain_segments(std::move(listing.segments));
}

StoredEvents::StoredEvents(repository::Repository& repository, std::vector<LogSegmentInfo> segments,
                           ClusterTime after, ClusterTime until, std::vector<std::string> databases)
    : repository_(repository),
      segments_(std::move(segments)),
      after_(after),
      until_(until),
      databases_(std::move(databases)) {}

bool StoredEvents::wanted(const Event& event) const {
  if (event.kind == EventKind::other || event.time <= after_ || event.time > until_) return false;
  const auto named = [this](std::string_view database) {
    return std::binary_search(databases_.begin(), databases_.end(), database, std::less<>());
  };
  return databases_.empty() || named(event.database) ||
         (event.kind == EventKind::rename && named(event.to_database));
}

Status StoredEvents::visit(const std::function<Status(const Event&)>& visit) const {
  for (const LogSegmentInfo& segment : segments_) {
    // Segments end where no transaction is open: only the one that contains `until` has
    // transactions that take effect later.
    LastEvents last;
    const auto ends_later = [&last, this](const TransactionId& id) {
      const auto found = last.find(id);
      return found != last.end() && found->second > until_;
    };
    if (segment.end.time > until_) {
      HOLDFAST_TRY(last, read_last_events(repository_, segment));
    }
    HOLDFAST_CHECK(repository_.read_log_segment(segment, [&](bson::DocumentView raw) -> Status {
      HOLDFAST_TRY(const Event event, parse_event(raw));
      if (!wanted(event)) return {};
      if (event.transaction && ends_later(*event.transaction)) return {};
      return visit(event);
    }));
  }
  return {};
}

Status SegmentEvents::visit(const std::function<Status(const Event&)>& visit) const {
  for (const LogSegmentInfo& segment : segments_) {
    HOLDFAST_CHECK(repository_.read_log_segment(segment, [&](bson::DocumentView raw) -> Status {
      HOLDFAST_TRY(const Event event, parse_event(raw));
      return visit(event);
    }));
  }
  return {};
}

Result<std::unique_ptr<StoredEvents>> open_stored_events(repository::Repository& repository,
                                                         const LogChain& chain, ClusterTime after,
                                                         ClusterTime until,
                                                         std::vector<std::string> databases) {
  if (after < chain.start().time || until > chain.end().time) {
    return Error(ErrorCode::gap,
                 fmt::format("the stored log reaches from {} to {}, not from {} to {}",
                             chain.start().time.text(), chain.end().time.text(), after.text(),
                             until.text()));
  }
  if (!databases.empty() && !chain.covers(databases)) {
    return Error(ErrorCode::precondition, "the stored log does not cover these databases");
  }
  std::vector<LogSegmentInfo> segments;
  for (const LogSegmentInfo& segment : chain.segments) {
    if (segment.end.time > after && segment.start.time < until) segments.push_back(segment);
  }
  return std::make_unique<StoredEvents>(repository, std::move(segments), after, until,
                                        std::move(databases));
}

}  // namespace holdfast::changelog
