#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "changelog/event_selection.h"

namespace holdfast::cli {

/// The cluster times that a text names, as parse_moment reads it: "T:I" is one; seconds since 1970,
/// or a time with a zone, are all of that second. Errors: usage (also for "now" and "… ago").
[[nodiscard]] Result<changelog::TimeSpan> parse_cluster_time(std::string_view text);

/// The calendar time of a cluster time's second, for showing.
[[nodiscard]] WallTime wall_time_of(ClusterTime time);

}  // namespace holdfast::cli
