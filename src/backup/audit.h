#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "changelog/held_collection.h"
#include "repository/repository.h"

namespace holdfast::backup {

/// What an audit of the incremental chain against the live documents found.
struct AuditReport {
  /// Documents that differ from what the parent and the log say, in a way no event explains.
  std::uint64_t unexplained = 0;
  /// Of the same values, but their fields stand in another order: events do not tell every order,
  /// and now it is known.
  std::uint64_t order_corrected = 0;
  /// A sentence for each collection with unexplained differences, with keys.
  std::vector<std::string> sentences;
};

/// Looks into the differences that are left after the fold. `held` is as it will be stored.
/// Errors: those of reading back.
[[nodiscard]] Result<AuditReport> report_audit(const changelog::HeldCollections& held,
                                               repository::SnapshotWriter& writer);

}  // namespace holdfast::backup
