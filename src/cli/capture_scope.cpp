#include "cli/capture_scope.h"

#include <algorithm>

#include "backup/source_identity.h"
#include "cli/open.h"
#include "service/doctor.h"

namespace holdfast::cli {

Result<CaptureScope> capture_scope(const Context& context, mongo::Client& client) {
  if (!client.server().has_log()) {
    return Error(ErrorCode::precondition,
                 "this server is a standalone: it keeps no log of changes to capture",
                 service::replica_set_steps(client.masked_uri()));
  }
  CaptureScope scope{backup::identify_source(client.server()).id, context.settings.databases};
  if (context.settings.all_databases) return scope;
  if (scope.databases.empty()) {
    const std::string named = data_database(client);
    if (named.empty()) {
      return Error(ErrorCode::usage, "which databases? Neither the URI nor a flag names one",
                   "give --database NAME or --all-databases");
    }
    scope.databases = {named};
  }
  std::sort(scope.databases.begin(), scope.databases.end());
  scope.databases.erase(std::unique(scope.databases.begin(), scope.databases.end()),
                        scope.databases.end());
  return scope;
}

}  // namespace holdfast::cli
