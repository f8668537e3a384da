#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "dataset/selection.h"
#include "mongo/catalog.h"
#include "restore/restore.h"

namespace holdfast::restore {

namespace {

/// What the target holds of the databases that a restore writes to.
Result<std::map<Namespace, CollectionInfo>> read_target(mongo::Client& target,
                                                        const std::set<std::string>& databases) {
  std::map<Namespace, CollectionInfo> found;
  for (const std::string& database : databases) {
    auto catalog = mongo::read_catalog(target, database);
    if (!catalog.ok()) return catalog.error().with_context("catalog of the target");
    for (CollectionInfo& info : *catalog) found.emplace(info.ns, std::move(info));
  }
  return found;
}

std::string action_for(const PlannedCollection& planned, const RestoreOptions& options) {
  if (!planned.target_exists) return "create";
  if (options.existing == Existing::merge) return "merge";
  // Neither views nor time series can be renamed or renamed over, so what stands there has to go
  // first. A view holds no documents that could be lost.
  const auto is = [&planned](CollectionType type) {
    return planned.type == type || planned.target_type == type;
  };
  if (is(CollectionType::view) && planned.type == planned.target_type) return "replace the view";
  const bool in_place =
      options.in_place || is(CollectionType::view) || is(CollectionType::timeseries);
  return in_place ? "drop and create" : "replace beside and rename over";
}

Status check_options(const RestoreOptions& options, const std::set<std::string>& databases) {
  if (options.as_database.empty() || databases.size() <= 1) return {};
  return Error(ErrorCode::usage,
               fmt::format("--as names one database, but {} are selected: {}", databases.size(),
                           fmt::join(databases, ", ")),
               "select one with --collection 'database.*'");
}

/// MongoDB's limit for "database.collection", in bytes
/// (https://www.mongodb.com/docs/manual/reference/limits/, since 4.4).
constexpr std::size_t max_namespace_bytes = 255;

Status check_name(const Namespace& target) {
  const std::string text = target.text();
  if (text.size() <= max_namespace_bytes) return {};
  return Error(ErrorCode::usage,
               fmt::format("{} would be {} bytes long; servers take at most {}", text, text.size(),
                           max_namespace_bytes),
               "nothing was changed; choose a shorter --as, or leave it out with --exclude");
}

/// Documents can be added to what is of one kind only.
Status check_kinds(const PlannedCollection& planned, const RestoreOptions& options) {
  const bool merges = planned.target_exists && options.existing == Existing::merge;
  if (!merges || planned.type == planned.target_type) return {};
  return Error(
      ErrorCode::precondition,
      fmt::format("{} is a {} in the snapshot and a {} on the server", planned.target.text(),
                  name_of(planned.type), name_of(planned.target_type)),
      "nothing was changed; leave it out with --exclude, or replace it with --drop");
}

Error refuse(const std::vector<std::string>& existing) {
  constexpr std::size_t shown = 10;
  std::string names;
  for (std::size_t i = 0; i < std::min(existing.size(), shown); ++i) {
    names += (i == 0 ? "" : ", ") + existing[i];
  }
  if (existing.size() > shown) names += fmt::format(" and {} more", existing.size() - shown);
  return Error(
      ErrorCode::precondition,
      fmt::format("the target already has {} of these collections: {}", existing.size(), names),
      "nothing was changed; use --as NAME to restore under another name, --drop to "
      "replace these collections, or --merge to add to them");
}

}  // namespace

Result<RestorePlan> plan_restore(const repository::SnapshotReader& snapshot, mongo::Client& target,
                                 const RestoreOptions& options) {
  const Selection selection(options.collections, options.exclude);
  const repository::Manifest& manifest = snapshot.manifest();
  RestorePlan plan;
  plan.snapshot_id = manifest.summary.id;
  plan.target = target.masked_uri();
  plan.options = options;

  std::vector<CollectionInfo> all;
  std::set<std::string> databases;
  for (const repository::SnapshotCollection& collection : manifest.collections) {
    all.push_back(collection.info);
    if (selection.contains(collection.info.ns)) databases.insert(collection.info.ns.database);
  }
  if (const auto lonely = selection.unmatched(all); !lonely.empty()) {
    return Error(ErrorCode::not_found,
                 fmt::format("snapshot {} has no collection that matches {}", plan.snapshot_id,
                             fmt::join(lonely, ", ")),
                 fmt::format("'holdfast show {}' lists what it has", plan.snapshot_id));
  }
  if (databases.empty()) {
    return Error(ErrorCode::not_found, "the selection leaves nothing to restore");
  }
  HOLDFAST_CHECK(check_options(options, databases));
  std::set<std::string> target_databases = databases;
  if (!options.as_database.empty()) target_databases = {options.as_database};
  HOLDFAST_TRY(const auto present, read_target(target, target_databases));

  std::vector<std::string> existing;
  for (const repository::SnapshotCollection& collection : manifest.collections) {
    if (!selection.contains(collection.info.ns)) continue;
    PlannedCollection planned;
    planned.source = collection.info.ns;
    planned.target = planned.source;
    if (!options.as_database.empty()) planned.target.database = options.as_database;
    HOLDFAST_CHECK(check_name(planned.target));
    planned.type = collection.info.type;
    planned.documents = collection.fingerprint.documents;
    planned.bytes = collection.document_bytes;
    planned.indexes = collection.info.indexes.size();
    planned.target_exists = present.contains(planned.target);
    if (planned.target_exists) {
      existing.push_back(planned.target.text());
      planned.target_type = present.at(planned.target).type;
      HOLDFAST_CHECK(check_kinds(planned, options));
      const auto statistics = mongo::read_statistics(target, planned.target);
      if (statistics.ok()) planned.target_documents = statistics->documents;
    }
    planned.action = action_for(planned, options);
    if (collection.consistency.kind != Consistency::Kind::exact) {
      plan.warnings.push_back(fmt::format("{} is best-effort in this snapshot: {}",
                                          planned.source.text(), collection.consistency.reason));
    }
    plan.documents += planned.documents;
    plan.bytes += planned.bytes;
    plan.collections.push_back(std::move(planned));
  }
  if (!existing.empty() && options.existing == Existing::refuse) return refuse(existing);
  return plan;
}

}  // namespace holdfast::restore
