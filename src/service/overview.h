#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "repository/repository.h"

namespace holdfast::service {

/// What one source has in a repository.
struct SourceOverview {
  repository::SourceIdentity identity;  ///< As its newest snapshot describes it.
  std::uint64_t snapshots = 0;
  std::uint64_t exact_snapshots = 0;
  WallTime first{};
  WallTime last{};
};

/// A repository at a glance. A value.
struct RepositoryOverview {
  std::string id;
  std::string location;
  std::int64_t format = 0;
  bool encrypted = false;
  WallTime created{};
  std::vector<repository::KeyInfo> keys;
  std::vector<SourceOverview> sources;
  std::uint64_t snapshots = 0;
  std::uint64_t exact_snapshots = 0;
  std::uint64_t critical_snapshots = 0;
  std::optional<repository::SnapshotSummary> first;
  std::optional<repository::SnapshotSummary> last;
  std::uint64_t document_bytes = 0;  ///< Of all snapshots, as if each were restored.
  std::uint64_t stored_bytes = 0;    ///< Everything below the repository's root.
  std::uint64_t garbage_files = 0;   ///< Segment files that no snapshot lists.
  std::uint64_t garbage_bytes = 0;   ///< May belong to a backup that runs now.
  std::vector<repository::Damage> damaged;
};

/// Reads every manifest (not their files). Errors: those of the repository and its store.
[[nodiscard]] Result<RepositoryOverview> look_over(repository::Repository& repository);

/// "just now", "12 s ago", "3 m 10 s ago"; "in the future" where clocks disagree.
[[nodiscard]] std::string age_text(WallTime time, WallTime now);

/// The line that an operator wants to see first, as far as this version can tell it; safety
/// snapshots don't count as backups:
/// "5 snapshots … → … · last backup OK 12 m 3 s ago, exact · 1.2 GB stored".
struct GlanceLine {
  std::string text;
  bool healthy = true;  ///< There is a backup, and no manifest is damaged.
};
[[nodiscard]] GlanceLine glance(const std::vector<repository::SnapshotSummary>& all,
                                const std::vector<repository::Damage>& damaged, WallTime now);

}  // namespace holdfast::service
