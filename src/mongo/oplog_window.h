#pragma once

#include "base/result.h"
#include "dataset/types.h"
#include "mongo/client.h"

namespace holdfast::mongo {

/// How far the server's own log reaches back.
struct OplogWindow {
  ClusterTime oldest;
  ClusterTime newest;  ///< The server's operation time.
  /// How full it is, up to 1; as long as it is not full nothing is dropped from its front. 1 where
  /// the server does not tell.
  double fill = 1;

  [[nodiscard]] std::uint64_t seconds() const {
    return newest.seconds > oldest.seconds ? newest.seconds - oldest.seconds : 0;
  }
};

/// Reads the first entry of `local.oplog.rs`. Errors: not_found (no log there, as through
/// a mongos), denied (`local` may not be read), …
[[nodiscard]] Result<OplogWindow> read_oplog_window(Client& client);

}  // namespace holdfast::mongo
