#pragma once

#include "mongo/scan.h"

namespace holdfast::mongo {

/// Keys strictly between `first` and `last`, ascending, at most parts - 1, at about equal
/// distances; none where the two cannot be interpolated. Pure; see split_ranges.cpp.
[[nodiscard]] std::vector<bson::Value> interpolate_keys(bson::ValueView first, bson::ValueView last,
                                                        std::size_t parts);

/// readConcern {level: majority, afterClusterTime} for a window, or {} for plain reads.
[[nodiscard]] bson::Document read_concern(const ClusterTime& not_before);

/// The primary's newest operation, for reads that must see it; null on a standalone.
[[nodiscard]] Result<ClusterTime> newest_operation_time(Client& client);

}  // namespace holdfast::mongo
