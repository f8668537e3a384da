#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "dataset/types.h"

namespace holdfast::cli {

/// A moment as an operator writes it.
struct MomentText {
  /// All of a second is meant where no ordinal is given: its last cluster time.
  std::optional<ClusterTime> time;
  /// "… ago": seconds before the server's now.
  std::optional<std::int64_t> seconds_ago;
  /// "now": as far as the log reaches.
  bool now = false;
};

/// "2026-11-23T09:14:14+03:30" (a time of day and a zone are needed), seconds since 1970, "T:I",
/// "10 minutes ago" (s, min, h, d and their words), "now". Errors: usage.
[[nodiscard]] Result<MomentText> parse_moment(std::string_view text);

/// The cluster time that a text names, given the server's clock. Nothing for "now".
[[nodiscard]] std::optional<ClusterTime> resolve_moment(const MomentText& text,
                                                        WallTime server_now);

}  // namespace holdfast::cli
