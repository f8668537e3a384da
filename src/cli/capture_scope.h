#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "mongo/client.h"

namespace holdfast::cli {

/// What the settings say is to be captured of a server.
struct CaptureScope {
  std::string source;                  ///< As backups of this server name it.
  std::vector<std::string> databases;  ///< Sorted; empty means all of the deployment.
};

/// Errors: usage (no database is named), precondition (a standalone; says how to convert it).
[[nodiscard]] Result<CaptureScope> capture_scope(const Context& context, mongo::Client& client);

}  // namespace holdfast::cli
