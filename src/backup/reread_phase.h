#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "changelog/fold_events.h"
#include "changelog/held_collection.h"
#include "changelog/stream_drain.h"
#include "mongo/client.h"

namespace holdfast::backup {

/// Reads the documents named in `to_reread` again, after the boundary up to which everything was
/// folded. A document that no event between that boundary and a second one, behind the reads,
/// changes is now as it was at the boundary: it is stored as read. Of the others the order of
/// fields stays uncertain and is counted. Returns how many documents were read.
/// `marker_database`, `drain`: as StreamDrain::barrier. Errors: as there and of the repository.
[[nodiscard]] Result<std::uint64_t> reread_documents(mongo::Client& client,
                                                     changelog::StreamDrain& drain,
                                                     const changelog::Boundary& boundary,
                                                     const std::string& marker_database,
                                                     changelog::HeldCollections& held,
                                                     const changelog::FoldTools& tools);

/// How long a barrier waits for transactions that are open: mongod ends them after 60 s.
inline constexpr std::chrono::seconds barrier_patience{900};

}  // namespace holdfast::backup
