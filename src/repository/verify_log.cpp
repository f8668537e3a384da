#include "repository/verify_log.h"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "repository/names.h"

namespace holdfast::repository {
namespace {

std::string span_text(const LogSegmentInfo& segment) {
  return segment.source + " log from " + segment.start.time.text() + " to " +
         segment.end.time.text();
}

/// Where segments of one source and scope end.
struct Ends {
  std::set<std::pair<ClusterTime, Bytes>> places;
  std::optional<ClusterTime> first;
};

/// A segment goes on where another one ends, or says why it does not. Retention removes from the
/// front, so that nothing ends before what is left of a chain; a segment with neither a predecessor
/// nor a reason, and something that ends before it, has lost one in between.
void check_chains(const LogCatalogListing& listing, VerifyState& state) {
  std::map<std::pair<std::string, std::vector<std::string>>, Ends> scopes;
  for (const LogSegmentInfo& segment : listing.segments) {
    Ends& ends = scopes[{segment.source, segment.databases}];
    ends.places.emplace(segment.end.time, segment.end.token.bytes());
    if (!ends.first || segment.end.time < *ends.first) ends.first = segment.end.time;
  }
  std::set<std::pair<std::string, std::string>> unsure;  // where a damaged one ends is not known
  for (const auto& [name, error] : listing.damaged) {
    if (const auto parsed = parse_log_blob(name)) unsure.emplace(parsed->source, parsed->scope);
  }
  for (const LogSegmentInfo& segment : listing.segments) {
    const auto name = parse_log_blob(segment.name);
    if (segment.gap_before || unsure.contains({name->source, name->scope})) continue;
    const Ends& ends = scopes[{segment.source, segment.databases}];
    if (ends.places.contains({segment.start.time, segment.start.token.bytes()})) continue;
    if (*ends.first > segment.start.time) continue;
    state.add_damage("log", segment.name,
                     "the segment of the log before this one is missing: no other ends at " +
                         segment.start.time.text(),
                     {segment.source + " log up to " + segment.start.time.text()});
  }
}

}  // namespace

Damage damaged_log_segment(const std::string& name, const Error& error) {
  Damage damage;
  damage.what = "log";
  damage.where = name;
  damage.sentence = error.message();
  if (const auto parsed = parse_log_blob(name)) {
    damage.affects = {parsed->source + " log from " +
                      ClusterTime::from_packed(parsed->start).text()};
  }
  return damage;
}

Status verify_log(LogStore& log, bool read_data, VerifyState& state, ProgressSink& progress,
                  const std::stop_token& stop) {
  HOLDFAST_TRY(const LogCatalogListing listing, log.list("", LogStore::Reading::afresh));
  for (const auto& [name, error] : listing.damaged) {
    state.report.damage.push_back(damaged_log_segment(name, error));
  }
  check_chains(listing, state);
  std::uint64_t bytes = 0;
  for (const LogSegmentInfo& segment : listing.segments) {
    ++state.report.log_segments;
    state.report.log_events += segment.events;
    bytes += segment.event_bytes;
  }
  if (!read_data || listing.segments.empty()) return {};
  progress.stage("read the log", state.report.log_events, bytes);
  for (const LogSegmentInfo& segment : listing.segments) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    const Status read = log.read(segment, [&progress](bson::DocumentView event) -> Status {
      progress.advance(1, event.bytes().size());
      return {};
    });
    if (read.ok() || read.error().code() == ErrorCode::not_found) continue;  // removed meanwhile
    if (!tells_of_damage(read.error())) return read.error();
    state.add_damage("log", segment.name, read.error().message(), {span_text(segment)});
  }
  return {};
}

}  // namespace holdfast::repository
