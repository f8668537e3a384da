#pragma once

#include <stop_token>
#include <string_view>

#include "base/progress.h"
#include "repository/context.h"
#include "repository/repository.h"
#include "repository/snapshot_catalog.h"

namespace holdfast::repository {

/// See Repository::optimize.
[[nodiscard]] Result<OptimizeOutcome> optimize_snapshot(Context& context, SnapshotCatalog& catalog,
                                                        std::string_view id,
                                                        const OptimizeSettings& settings,
                                                        ProgressSink& progress,
                                                        const std::stop_token& stop);

}  // namespace holdfast::repository
