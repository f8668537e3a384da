#include "service/safety_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace holdfast::service {
namespace {

/// A glob that matches this text: a star in a name becomes a question mark, which matches it.
std::string glob_of(const std::string& text) {
  std::string glob = text;
  std::replace(glob.begin(), glob.end(), '*', '?');
  return glob;
}

}  // namespace

bool is_safety_snapshot(const repository::SnapshotSummary& summary) {
  return !summary.critical_reason.empty() &&
         std::find(summary.tags.begin(), summary.tags.end(), safety_tag) != summary.tags.end();
}

Result<std::string> resolve_latest(repository::Repository& repository,
                                   const std::string& snapshot) {
  if (snapshot != "latest") return snapshot;
  HOLDFAST_TRY(const auto listing, repository.list());
  const auto newest = std::find_if(listing.snapshots.rbegin(), listing.snapshots.rend(),
                                   [](const auto& one) { return !is_safety_snapshot(one); });
  if (newest != listing.snapshots.rend()) return newest->id;
  return Error(ErrorCode::not_found, "the repository has no backups yet",
               "'holdfast backup' takes one");
}

restore::SafetySnapshot make_safety_snapshot(mongo::Client& target,
                                             repository::Repository& repository,
                                             backup::BackupOptions options, const Clock& clock,
                                             RandomSource& random, ProgressSink& progress,
                                             std::stop_token stop) {
  return [&target, &repository, options = std::move(options), &clock, &random, &progress,
          stop](const std::vector<Namespace>& namespaces) -> Result<std::string> {
    backup::BackupOptions chosen = options;
    chosen.independent = true;
    std::set<std::string> databases;
    chosen.collections.clear();
    chosen.exclude.clear();
    for (const Namespace& ns : namespaces) {
      databases.insert(ns.database);
      chosen.collections.push_back(glob_of(ns.text()));
    }
    chosen.databases.assign(databases.begin(), databases.end());
    chosen.tags = {std::string(safety_tag)};
    chosen.critical_reason =
        fmt::format("what a restore in place replaced in {}", fmt::join(databases, ", "));
    auto outcome = backup::run_backup(target, repository, chosen, clock, random, progress, stop);
    if (!outcome.ok()) return outcome.error().with_context("the safety snapshot");
    return outcome->summary.id;
  };
}

}  // namespace holdfast::service
