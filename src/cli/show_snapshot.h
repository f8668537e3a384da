#pragma once

#include <string>

#include "cli/output.h"
#include "dataset/types.h"
#include "repository/manifest.h"
#include "repository/repository.h"

namespace holdfast::cli {

// How snapshots look to people and to programs, the same in every command.

/// "exact" or "best-effort".
[[nodiscard]] std::string_view consistency_word(const Consistency& consistency);
/// "exact at 2026-11-23 12:44:14 +03:30 (1795425254:3)" or "best-effort: why".
[[nodiscard]] std::string consistency_text(const Consistency& consistency);
[[nodiscard]] Json consistency_json(const Consistency& consistency);

/// In this machine's zone.
[[nodiscard]] std::string shown_time(WallTime time);
/// "just now", "3 m 10 s ago" seen from `now`; "in the future" where clocks disagree.
[[nodiscard]] std::string shown_age(WallTime time, WallTime now);

/// "1 snapshot", "1,234 snapshots"
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view singular);
/// "a, b, c"
[[nodiscard]] std::string joined(const std::vector<std::string>& words);

[[nodiscard]] Json summary_json(const repository::SnapshotSummary& summary);
[[nodiscard]] Json damage_json(const repository::Damage& damage);
/// Some lines: what, where, what it costs.
[[nodiscard]] std::string damage_text(const repository::Damage& damage);

}  // namespace holdfast::cli
