#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "changelog/coverage.h"
#include "cli/output.h"
#include "repository/repository.h"

namespace holdfast::cli {

// How the times that can be restored look, the same in every command.

/// Reads snapshots and log of one source, or of all if it is empty.
[[nodiscard]] Result<std::vector<changelog::Coverage>> read_coverage(
    repository::Repository& repository, const std::string& source = {});

/// Lines: each span with its snapshots, each gap with its cause, in order of time.
[[nodiscard]] std::string coverage_text(const changelog::Coverage& coverage);
[[nodiscard]] Json coverage_json(const changelog::Coverage& coverage);

/// "restorable to any second 2026-11-10 03:00:00 +03:30 → 2026-11-23 12:44:14 +03:30 (4 s ago)":
/// the newest span of the source and databases that reach furthest; empty where no log adds
/// anything.
[[nodiscard]] std::string coverage_glance(const std::vector<changelog::Coverage>& all,
                                          WallTime now);

}  // namespace holdfast::cli
