#include "backup/parent.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::backup {

namespace {

bool fits(const repository::SnapshotSummary& summary, const Scope& scope) {
  return summary.source.id == scope.source && summary.databases == scope.databases &&
         (summary.whole || !scope.whole) && summary.kind != repository::SnapshotKind::imported;
}

}  // namespace

Result<std::optional<Parent>> choose_parent(repository::Repository& repository, const Scope& scope,
                                            std::vector<std::string>& notes) {
  HOLDFAST_TRY(const auto listing, repository.list());
  std::optional<Parent> second_best;
  for (auto at = listing.snapshots.rbegin(); at != listing.snapshots.rend(); ++at) {
    if (!fits(*at, scope)) continue;
    auto manifest = repository.manifest(at->id);
    if (!manifest.ok()) {
      const ErrorCode code = manifest.error().code();
      if (code != ErrorCode::corrupt && code != ErrorCode::not_found) return manifest.error();
      notes.push_back(
          fmt::format("snapshot {} cannot be the parent: {}", at->id, manifest.error().message()));
      continue;
    }
    Parent candidate{std::move(*manifest)};
    if (candidate.foldable()) return std::optional(std::move(candidate));
    if (!second_best) second_best = std::move(candidate);
  }
  return second_best;
}

}  // namespace holdfast::backup
