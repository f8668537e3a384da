#include "cli/parse_cluster_time.h"

#include <fmt/format.h>

#include <limits>

#include "cli/parse_moment.h"

namespace holdfast::cli {

Result<changelog::TimeSpan> parse_cluster_time(std::string_view text) {
  HOLDFAST_TRY(const MomentText moment, parse_moment(text));
  if (!moment.time) {
    return Error(ErrorCode::usage, fmt::format("'{}' is no time of the log", text),
                 "write 2026-11-23T09:14:14Z, with +03:30 instead of Z, seconds since 1970, or "
                 "SECONDS:NUMBER as 'holdfast log' prints it");
  }
  changelog::TimeSpan span{*moment.time, *moment.time};
  if (span.last.increment == std::numeric_limits<std::uint32_t>::max()) span.first.increment = 0;
  return span;
}

WallTime wall_time_of(ClusterTime time) { return WallTime(std::chrono::seconds(time.seconds)); }

}  // namespace holdfast::cli
