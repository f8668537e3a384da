#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "mongo/catalog.h"
#include "mongo/live_writer.h"
#include "restore/compare.h"
#include "restore/index_split.h"
#include "restore/load.h"
#include "restore/restore.h"

namespace holdfast::restore {

namespace {

using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point begun) {
  return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

/// Where a collection is built before it is renamed over its target. The same on every run, so
/// that what an interrupted restore left is found and replaced.
Namespace beside(const Namespace& target) {
  Bytes digest(crypto_generichash_BYTES_MIN);
  const std::string text = target.text();
  crypto_generichash(digest.data(), digest.size(), as_bytes(text).data(), text.size(), nullptr, 0);
  return {target.database, "holdfast.restoring." + to_hex(digest).substr(0, 12)};
}

/// How to go on after a restore that did not get to its end.
std::string_view how_to_go_on(const RestoreOptions& options) {
  switch (options.existing) {
    case Existing::refuse:
      return "what was begun is there now, so run it again with --drop, which replaces it";
    case Existing::drop: return "run it again with the same words";
    case Existing::merge:
      if (options.on_conflict != OnConflict::fail) return "run it again with the same words";
      return "what was added is there now, so run it again with --on-conflict keep or replace";
  }
  return {};
}

/// Carries one plan out, collection by collection.
class Restore {
 public:
  Restore(const RestorePlan& plan, repository::SnapshotReader& snapshot,
          const DocumentHasher& hasher, mongo::Client& target, ProgressSink& progress,
          std::stop_token stop)
      : plan_(plan),
        snapshot_(snapshot),
        hasher_(hasher),
        target_(target),
        writer_(mongo::make_live_writer(target)),
        progress_(progress),
        stop_(std::move(stop)) {}

  Result<RestoreOutcome> run(const SafetySnapshot& safety);

 private:
  Status check_target();
  Status prepare_drops(const SafetySnapshot& safety);
  Status read_everything(const std::vector<const PlannedCollection*>& dropped);
  Status restore_collection(const PlannedCollection& planned);
  Status restore_view(const PlannedCollection& planned);
  Status make_room(const PlannedCollection& planned, const CollectionInfo& created);
  Status settle(const PlannedCollection& planned, const Namespace& work, std::uint64_t kept,
                RestoredCollection& restored);
  Status compare(const PlannedCollection& planned, const Namespace& work, std::uint64_t kept,
                 RestoredCollection& restored);
  [[nodiscard]] const repository::SnapshotCollection& stored(const Namespace& ns) const;
  [[nodiscard]] static bool is_beside(const PlannedCollection& planned) {
    return planned.action == "replace beside and rename over";
  }

  const RestorePlan& plan_;
  repository::SnapshotReader& snapshot_;
  const DocumentHasher& hasher_;
  mongo::Client& target_;
  std::unique_ptr<mongo::LiveWriter> writer_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  RestoreOutcome outcome_;
};

const repository::SnapshotCollection& Restore::stored(const Namespace& ns) const {
  const auto& collections = snapshot_.manifest().collections;
  return *std::find_if(collections.begin(), collections.end(),
                       [&](const auto& collection) { return collection.info.ns == ns; });
}

Status Restore::check_target() {
  std::set<std::string> databases;
  for (const PlannedCollection& planned : plan_.collections) {
    databases.insert(planned.target.database);
  }
  std::set<Namespace> present;
  for (const std::string& database : databases) {
    HOLDFAST_TRY(const auto catalog, mongo::read_catalog(target_, database));
    for (const CollectionInfo& info : catalog) present.insert(info.ns);
  }
  for (const PlannedCollection& planned : plan_.collections) {
    if (present.contains(planned.target) == planned.target_exists) continue;
    return Error(
        ErrorCode::precondition,
        fmt::format("{} {} since the plan was made; nothing was changed", planned.target.text(),
                    planned.target_exists ? "vanished" : "appeared"),
        "run the restore again to plan anew");
  }
  return {};
}

Status Restore::read_everything(const std::vector<const PlannedCollection*>& dropped) {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  for (const PlannedCollection* planned : dropped) {
    documents += planned->documents;
    bytes += planned->bytes;
  }
  progress_.stage("read the backup", documents, bytes);
  for (const PlannedCollection* planned : dropped) {
    if (planned->type == CollectionType::view) continue;  // all of it is in the manifest
    HOLDFAST_TRY(const auto cursor, snapshot_.open(planned->source));
    Fingerprint sum;
    while (true) {
      if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      auto document = cursor->next();
      if (!document.ok()) {
        return document.error()
            .with_context("the backup is damaged, so nothing was dropped")
            .with_hint("'holdfast verify --read-data' says what can still be restored");
      }
      if (!*document) break;
      sum.add(hasher_.hash((*document)->bytes()));
      progress_.advance(1, (*document)->bytes().size());
    }
    if (sum != stored(planned->source).fingerprint) {
      return Error(ErrorCode::corrupt,
                   fmt::format("{}: the backup's content does not match its fingerprint; nothing "
                               "was dropped",
                               planned->source.text()));
    }
  }
  return {};
}

Status Restore::prepare_drops(const SafetySnapshot& safety) {
  std::vector<const PlannedCollection*> dropped;
  std::vector<Namespace> namespaces;
  for (const PlannedCollection& planned : plan_.collections) {
    if (!planned.drops_first()) continue;
    dropped.push_back(&planned);
    namespaces.push_back(planned.target);
  }
  if (dropped.empty()) return {};
  HOLDFAST_CHECK(read_everything(dropped));
  if (!safety) return {};
  auto id = safety(namespaces);
  if (!id.ok()) {
    return id.error()
        .with_context("the safety snapshot failed, so nothing was dropped")
        .with_hint("--no-safety-snapshot does without it");
  }
  progress_.note(fmt::format("what will be dropped is kept in snapshot {}", *id));
  return {};
}

Status Restore::make_room(const PlannedCollection& planned, const CollectionInfo& created) {
  if (planned.drops_first()) HOLDFAST_CHECK(writer_->drop(planned.target));
  if (is_beside(planned)) {
    // Left by a restore that was interrupted; the name is ours alone.
    Status dropped = writer_->drop(created.ns);
    if (!dropped.ok() && dropped.error().code() != ErrorCode::not_found) return dropped;
  }
  return writer_->create(created);
}

Status Restore::restore_collection(const PlannedCollection& planned) {
  if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
  const repository::SnapshotCollection& source = stored(planned.source);
  const Namespace work = is_beside(planned) ? beside(planned.target) : planned.target;
  if (planned.action != "merge") {
    CollectionInfo created = source.info;
    created.ns = work;
    HOLDFAST_CHECK(make_room(planned, created));
  }
  HOLDFAST_TRY(LoadOutcome loaded, load_documents(snapshot_, source.info, *writer_, work,
                                                  plan_.options, progress_, stop_));
  RestoredCollection restored;
  restored.target = planned.target;
  restored.documents = loaded.documents;
  restored.kept = loaded.kept;
  restored.refused = std::move(loaded.refused);
  restored.refused_count = loaded.refused_count;
  outcome_.documents += loaded.documents;
  outcome_.bytes += loaded.bytes;
  HOLDFAST_CHECK(settle(planned, work, loaded.kept, restored));
  outcome_.collections.push_back(std::move(restored));
  return {};
}

Status Restore::compare(const PlannedCollection& planned, const Namespace& work, std::uint64_t kept,
                        RestoredCollection& restored) {
  const auto begun = steady_clock::now();
  const repository::SnapshotCollection& source = stored(planned.source);
  if (planned.action == "merge") {
    auto merged = compare_merged(target_, work, snapshot_, source.info, kept, progress_, stop_);
    if (!merged.ok()) return merged.error().with_context("reading back " + work.text());
    restored.differences = std::move(merged->differences);
    restored.kept_different = merged->kept_different;
    restored.beside = merged->beside;
  } else {
    auto differences =
        compare_collection(target_, work, source, hasher_, plan_.options.workers, progress_, stop_);
    if (!differences.ok()) return differences.error().with_context("reading back " + work.text());
    restored.differences = std::move(*differences);
  }
  restored.compared = true;
  outcome_.compare_seconds += seconds_since(begun);
  return {};
}

Status Restore::settle(const PlannedCollection& planned, const Namespace& work, std::uint64_t kept,
                       RestoredCollection& restored) {
  const IndexSplit indexes = split_indexes(stored(planned.source).info.indexes);
  HOLDFAST_CHECK(writer_->create_indexes(work, indexes.ordinary));
  if (plan_.options.compare) {
    HOLDFAST_CHECK(compare(planned, work, kept, restored));
  }
  // Indexes that delete come after the comparison, so that they can't falsify it.
  HOLDFAST_CHECK(writer_->create_indexes(work, indexes.expiring));
  if (restored.compared && planned.action != "merge") {
    HOLDFAST_TRY(const CollectionInfo now, mongo::read_catalog_entry(target_, work));
    auto differing = compare_indexes(stored(planned.source).info.indexes, now.indexes);
    std::move(differing.begin(), differing.end(), std::back_inserter(restored.differences));
  }
  const bool good = restored.refused_count == 0 && restored.differences.empty();
  restored.identical =
      good && restored.compared && restored.kept_different == 0 && restored.beside == 0;
  if (!is_beside(planned)) return {};
  if (!good) {
    restored.differences.push_back(
        fmt::format("{} was left as it was; what was restored stands in {}", planned.target.text(),
                    work.text()));
    return {};
  }
  return writer_->rename(work, planned.target, true);
}

Status Restore::restore_view(const PlannedCollection& planned) {
  CollectionInfo created = stored(planned.source).info;
  created.ns = planned.target;
  if (planned.action == "replace the view" || planned.drops_first()) {
    HOLDFAST_CHECK(writer_->drop(planned.target));
  }
  RestoredCollection restored;
  restored.target = planned.target;
  if (planned.action != "merge") HOLDFAST_CHECK(writer_->create(created));
  HOLDFAST_TRY(const CollectionInfo now, mongo::read_catalog_entry(target_, planned.target));
  restored.compared = true;
  restored.differences = compare_options(created.options.view(), now.options.view());
  restored.identical = restored.differences.empty();
  outcome_.collections.push_back(std::move(restored));
  return {};
}

Result<RestoreOutcome> Restore::run(const SafetySnapshot& safety) {
  const auto begun = steady_clock::now();
  HOLDFAST_CHECK(check_target());
  HOLDFAST_CHECK(prepare_drops(safety));
  const std::uint64_t passes = plan_.options.compare ? 2 : 1;
  progress_.stage(plan_.options.compare ? "restore and compare" : "restore",
                  plan_.documents * passes, plan_.bytes * passes);
  for (const bool views : {false, true}) {
    for (const PlannedCollection& planned : plan_.collections) {
      if ((planned.type == CollectionType::view) != views) continue;
      const Status done = views ? restore_view(planned) : restore_collection(planned);
      if (done.ok()) continue;
      return done.error()
          .with_context(fmt::format("restore of {} ({} of {} collections are done)",
                                    planned.target.text(), outcome_.collections.size(),
                                    plan_.collections.size()))
          .with_hint(how_to_go_on(plan_.options));
    }
  }
  outcome_.identical =
      std::all_of(outcome_.collections.begin(), outcome_.collections.end(),
                  [](const RestoredCollection& restored) { return restored.identical; });
  outcome_.seconds = seconds_since(begun);
  return std::move(outcome_);
}

}  // namespace

Result<RestoreOutcome> execute_restore(const RestorePlan& plan,
                                       repository::SnapshotReader& snapshot,
                                       const DocumentHasher& hasher, mongo::Client& target,
                                       const SafetySnapshot& safety, ProgressSink& progress,
                                       std::stop_token stop) {
  Restore restore(plan, snapshot, hasher, target, progress, std::move(stop));
  return restore.run(safety);
}

}  // namespace holdfast::restore
