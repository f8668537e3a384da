#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "mongo/client.h"
#include "repository/repository.h"
#include "service/check.h"

namespace holdfast::service {

/// Looks at a server that answered: version, topology and what it means for the promises,
/// privileges for backup and restore of these databases (none: all), the log, the clock. Changes
/// nothing. Each check fails by itself; an error never hides the others.
[[nodiscard]] std::vector<Check> examine_server(mongo::Client& client,
                                                const std::vector<std::string>& databases,
                                                const Clock& clock);

/// Looks at a repository that opened: manifests, the newest backup, free space for the next one.
[[nodiscard]] std::vector<Check> examine_repository(repository::Repository& repository,
                                                    const Clock& clock);

/// How to make a standalone server a replica set of one node, with its commands. `uri` is masked.
[[nodiscard]] std::string replica_set_steps(std::string_view uri);

}  // namespace holdfast::service
