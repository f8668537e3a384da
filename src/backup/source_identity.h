#pragma once

#include "mongo/client.h"
#include "repository/manifest.h"

namespace holdfast::backup {

/// Names a source by its replica set's id, which survives changes of hosts and URI; where that
/// may not be read, by set name and hosts. Never by the URI.
[[nodiscard]] repository::SourceIdentity identify_source(const mongo::ServerInfo& server);

}  // namespace holdfast::backup
