#include "changelog/boundary_tracker.h"

#include <algorithm>
#include <utility>

namespace holdfast::changelog {

void BoundaryTracker::take(const Event& event, bool marker, std::uint64_t offset,
                           bson::Document token) {
  const std::uint64_t ordinal = newest_.events;
  if (event.time > newest_.time) before_time_ = newest_;
  newest_.events += 1;
  newest_.offset = offset;
  if (!event.time.is_null()) newest_.time = std::max(newest_.time, event.time);
  newest_.token = std::move(token);
  if (event.transaction) {
    const auto [group, added] = groups_.try_emplace(*event.transaction, Group{ordinal, newest_});
    if (!added) group->second.behind_last = newest_;
  }
  if (marker) {
    if (event.key) markers_.push_back({bson::Value(*event.key), newest_});
  } else if (event.kind != EventKind::other) {
    last_data_event_ = newest_.events;
  }
}

void BoundaryTracker::settle(ClusterTime reliable, bson::Document token) {
  reliable_ = std::max(reliable_, reliable);
  // Earlier than the newest event: others of the same time may still come.
  if (reliable.is_null() || reliable < newest_.time) return;
  settled_ = Boundary{newest_.events, newest_.offset, reliable, std::move(token)};
}

std::optional<Boundary> BoundaryTracker::behind_marker(bson::ValueView id) const {
  const auto marker = std::find_if(markers_.begin(), markers_.end(),
                                   [&](const Marker& one) { return one.id.view().identical(id); });
  if (marker == markers_.end()) return std::nullopt;
  return marker->boundary;
}

Boundary BoundaryTracker::behind_open_groups(Boundary boundary) const {
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

std::optional<Boundary> BoundaryTracker::without_marker() const {
  if (reliable_.is_null()) return std::nullopt;
  if (settled_ && settled_->events == newest_.events) return settled_;
  return before_time_;
}

void BoundaryTracker::forget_before(const Boundary& boundary) {
  std::erase_if(groups_, [&](const auto& entry) {
    return entry.second.behind_last.events <= boundary.events;
  });
  std::erase_if(markers_,
                [&](const Marker& marker) { return marker.boundary.events <= boundary.events; });
}

}  // namespace holdfast::changelog
