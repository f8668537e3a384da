#include "backup/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "backup/held_collection.h"
#include "backup/reread_phase.h"
#include "backup/scan_phase.h"
#include "backup/source_identity.h"
#include "backup/window.h"
#include "bson/builder.h"
#include "changelog/stream_drain.h"
#include "dataset/selection.h"
#include "mongo/catalog.h"
#include "mongo/change_stream.h"

namespace holdfast::backup {

namespace {

constexpr std::string_view standalone_reason =
    "a standalone server has no log, so what was written during the scan may be in it or not";
constexpr std::string_view timeseries_reason =
    "a time series: change streams do not show it, so it was copied while writes went on";
constexpr std::string_view sharded_reason =
    "sharded clusters are untested: read through mongos by the same method";

/// One full backup, from the first look at the catalog to the commit. See
/// docs/decisions/0005-rounds-and-barriers.md for the rounds.
class FullBackup {
 public:
  FullBackup(mongo::Client& client, repository::Repository& repository,
             const BackupOptions& options, const Clock& clock, RandomSource& random,
             ProgressSink& progress, std::stop_token stop)
      : client_(client),
        repository_(repository),
        options_(options),
        clock_(clock),
        random_(random),
        progress_(progress),
        stop_(std::move(stop)),
        selection_(options.collections, options.exclude) {}

  Result<BackupOutcome> run();

 private:
  Status choose_databases();
  Status open_stream();
  /// Fills catalog_ with what is in scope and chosen.
  Status read_selected_catalog();
  Status check_selection(const std::vector<CollectionInfo>& found);
  Status run_rounds();
  /// One window: catalog, scan of what is not held, barrier, fold. Whether all is settled.
  Result<bool> run_round(bool last);
  std::vector<CollectionInfo> adopt_catalog();
  Status scan(const std::vector<CollectionInfo>& wanted);
  Result<bool> close_window(const std::vector<CollectionInfo>& scanned, bool last);
  /// After the last window: what is still moving becomes best-effort.
  Status settle_last_round(const CatalogChanges& changes);
  bool drop_stale(const CatalogChanges& changes, bool last);
  Status reread();
  void drop_marker_collections();
  Result<repository::SnapshotSummary> commit(WallTime started);
  [[nodiscard]] repository::SnapshotCollection describe(const CollectionInfo& info);
  [[nodiscard]] bool in_scope(std::string_view database) const {
    return std::binary_search(databases_.begin(), databases_.end(), database);
  }
  void warn(std::string sentence);

  mongo::Client& client_;
  repository::Repository& repository_;
  const BackupOptions& options_;
  const Clock& clock_;
  RandomSource& random_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  const Selection selection_;

  std::vector<std::string> databases_;
  std::unique_ptr<repository::SnapshotWriter> writer_;
  std::unique_ptr<changelog::StreamDrain> drain_;  ///< None on a standalone.
  changelog::Boundary boundary_;                   ///< Everything held is folded up to here.
  std::vector<CollectionInfo> catalog_;            ///< Of the current round.
  HeldCollections held_;
  std::vector<CollectionInfo> lost_;  ///< Vanished while they were read, this round.
  ClusterTime latest_read_;
  BackupOutcome outcome_;
};

void FullBackup::warn(std::string sentence) {
  progress_.note(sentence);
  outcome_.warnings.push_back(std::move(sentence));
}

Status FullBackup::choose_databases() {
  databases_ = options_.databases;
  if (databases_.empty()) {
    HOLDFAST_TRY(databases_, mongo::list_databases(client_));
  }
  std::sort(databases_.begin(), databases_.end());
  databases_.erase(std::unique(databases_.begin(), databases_.end()), databases_.end());
  if (databases_.empty()) {
    return Error(ErrorCode::not_found, "the server has no databases to back up",
                 "name one with --database to be told whether it can be seen");
  }
  return {};
}

Status FullBackup::open_stream() {
  if (!client_.server().has_log()) return {};
  auto drain = changelog::StreamDrain::start(client_, databases_, std::nullopt,
                                             options_.spool_folder, random_);
  if (!drain.ok()) return drain.error().with_context("opening the change stream");
  drain_ = std::move(*drain);
  boundary_ = drain_->start_boundary();
  return {};
}

Status FullBackup::read_selected_catalog() {
  std::vector<CollectionInfo> all;
  for (const std::string& database : databases_) {
    auto part = mongo::read_catalog(client_, database);
    if (!part.ok()) return part.error().with_context("catalog of " + database);
    std::move(part->begin(), part->end(), std::back_inserter(all));
  }
  if (outcome_.rounds == 1) HOLDFAST_CHECK(check_selection(all));
  catalog_.clear();
  std::copy_if(all.begin(), all.end(), std::back_inserter(catalog_),
               [&](const CollectionInfo& info) { return selection_.contains(info.ns); });
  return {};
}

Status FullBackup::check_selection(const std::vector<CollectionInfo>& found) {
  if (const auto lonely = selection_.unmatched(found); !lonely.empty()) {
    return Error(ErrorCode::not_found,
                 fmt::format("no collection matches {}", fmt::join(lonely, ", ")),
                 "names are case-sensitive; globs match \"collection\" or \"database.collection\"");
  }
  if (found.empty()) {
    return Error(
        ErrorCode::not_found,
        fmt::format("nothing to back up: {} has no collections", fmt::join(databases_, ", ")),
        "check the database's name; a backup of nothing would look like success");
  }
  return {};
}

std::vector<CollectionInfo> FullBackup::adopt_catalog() {
  HeldCollections still;  // What is gone from the catalog is let go.
  std::vector<CollectionInfo> wanted;
  for (const CollectionInfo& info : catalog_) {
    if (info.type == CollectionType::view) continue;
    const auto known = held_.find(identity_of(info));
    if (known == held_.end()) {
      wanted.push_back(info);
      continue;
    }
    known->second.info = info;
    // Born in an earlier window and folded from empty, which positions don't allow.
    if (known->second.positional() && known->second.layers.empty() &&
        known->second.fingerprint.documents == 0) {
      wanted.push_back(info);
      continue;
    }
    still.insert(held_.extract(known));
  }
  held_ = std::move(still);
  return wanted;
}

Status FullBackup::scan(const std::vector<CollectionInfo>& wanted) {
  lost_.clear();
  if (wanted.empty()) return {};
  const ClusterTime not_before = drain_ ? boundary_.time : ClusterTime{};
  HOLDFAST_TRY(ScanOutcome scanned, scan_collections(client_, *writer_, wanted, not_before,
                                                     options_, random_, progress_, stop_));
  latest_read_ = std::max(latest_read_, scanned.latest_read);
  lost_ = std::move(scanned.lost);
  for (HeldCollection& collection : scanned.read) {
    const Uuid identity = identity_of(collection.info);
    held_.insert_or_assign(identity, std::move(collection));
  }
  return {};
}

bool FullBackup::drop_stale(const CatalogChanges& changes, bool last) {
  bool any = !lost_.empty();
  for (auto entry = held_.begin(); entry != held_.end();) {
    HeldCollection& held = entry->second;
    // Rows that were read before this window are known by UUID; a rename does not matter to them.
    // Without UUIDs in events nothing follows a rename.
    const bool unsure = held.stale || (changes.names_only && changes.rebinds(held));
    if (!unsure) {
      ++entry;
      continue;
    }
    any = true;
    if (last) {
      held.best_effort_reason = fmt::format(
          "it changed in every one of {} scans in a way that events do not tell", outcome_.rounds);
      ++entry;
    } else {
      ++outcome_.scanned_again;
      entry = held_.erase(entry);
    }
  }
  return any;
}

Result<bool> FullBackup::close_window(const std::vector<CollectionInfo>& scanned, bool last) {
  HOLDFAST_TRY(const changelog::Boundary end, drain_->barrier(databases_.front(), latest_read_,
                                                              barrier_patience, progress_, stop_));
  const Window window{*drain_, boundary_, end};
  HOLDFAST_TRY(const CatalogChanges changes,
               read_catalog_changes(window, [&](std::string_view d) { return in_scope(d); }));
  outcome_.events += changes.document_changes;
  // Rows read while their name may have come to mean another collection don't count.
  for (const CollectionInfo& info : scanned) {
    const auto read = held_.find(identity_of(info));
    if (read != held_.end() && changes.rebinds(read->second)) read->second.stale = true;
  }
  for (const Uuid& uuid : changes.born) held_.try_emplace(uuid);
  HOLDFAST_TRY(const std::uint64_t changed,
               fold_window(window, changes, held_, *writer_, repository_.hasher(), options_,
                           random_, progress_, stop_));
  outcome_.changed_after_scan += changed;
  boundary_ = end;
  const bool stale = drop_stale(changes, last);
  if (changes.none() && !stale) return true;
  if (last) HOLDFAST_CHECK(settle_last_round(changes));
  return false;
}

Status FullBackup::settle_last_round(const CatalogChanges& changes) {
  HOLDFAST_CHECK(read_selected_catalog());
  for (const CollectionInfo& info : catalog_) {
    const auto known = held_.find(identity_of(info));
    if (known != held_.end()) known->second.info = info;
  }
  for (auto& [uuid, held] : held_) {
    if (!changes.touches(held.info.ns) || !held.best_effort_reason.empty()) continue;
    held.best_effort_reason = fmt::format(
        "it was created, dropped, renamed or altered in every one of {} windows", outcome_.rounds);
  }
  return {};
}

Result<bool> FullBackup::run_round(bool last) {
  HOLDFAST_CHECK(read_selected_catalog());
  const std::vector<CollectionInfo> wanted = adopt_catalog();
  if (outcome_.rounds > 1) outcome_.scanned_again += wanted.size();
  HOLDFAST_CHECK(scan(wanted));
  if (!drain_) return true;
  return close_window(wanted, last);
}

Status FullBackup::run_rounds() {
  for (outcome_.rounds = 1;; ++outcome_.rounds) {
    const bool last = outcome_.rounds >= options_.max_rounds;
    HOLDFAST_TRY(const bool settled, run_round(last));
    if (settled || last) return {};
  }
}

Status FullBackup::reread() {
  if (!drain_) return {};
  HOLDFAST_TRY(outcome_.reread_documents,
               reread_documents(client_, *drain_, boundary_, databases_.front(), held_, *writer_,
                                repository_.hasher(), options_, random_, progress_, stop_));
  return {};
}

void FullBackup::drop_marker_collections() {
  bson::Builder command;
  command.append_string("drop", mongo::marker_collection);
  const bson::Document document = std::move(command).finish();
  // Only tidiness: without the right to drop it an empty collection stays.
  const auto dropped = client_.run(databases_.front(), document.view());
  static_cast<void>(dropped);
}

repository::SnapshotCollection FullBackup::describe(const CollectionInfo& info) {
  repository::SnapshotCollection collection;
  collection.info = info;
  collection.consistency.time = boundary_.time;
  std::string reason;
  if (!drain_) {
    reason = standalone_reason;
  } else if (client_.server().sharded) {
    reason = sharded_reason;
  } else if (info.type == CollectionType::timeseries) {
    reason = timeseries_reason;
  }
  if (const auto held = held_.find(identity_of(info)); held != held_.end()) {
    collection.fingerprint = held->second.fingerprint;
    collection.document_bytes = held->second.document_bytes;
    collection.order_uncertain = held->second.order_uncertain;
    collection.layers = std::move(held->second.layers);
    if (reason.empty()) reason = held->second.best_effort_reason;
  }
  collection.consistency.kind =
      reason.empty() ? Consistency::Kind::exact : Consistency::Kind::best_effort;
  collection.consistency.reason = reason;
  outcome_.order_uncertain += collection.order_uncertain;
  if (collection.order_uncertain > 0) {
    warn(
        fmt::format("{}: {} documents changed too fast to learn the order of their fields; "
                    "their values are exact",
                    info.ns.text(), collection.order_uncertain));
  }
  return collection;
}

Result<repository::SnapshotSummary> FullBackup::commit(WallTime started) {
  repository::Manifest manifest;
  repository::SnapshotSummary& summary = manifest.summary;
  summary.started = started;
  summary.databases = databases_;
  summary.whole = selection_.everything();
  summary.tags = options_.tags;
  summary.critical_reason = options_.critical_reason;
  summary.consistency.kind = Consistency::Kind::exact;
  summary.consistency.time = boundary_.time;
  if (drain_) manifest.resume_token = boundary_.token;
  for (const CollectionInfo& info : catalog_) {
    if (info.type != CollectionType::view && !held_.contains(identity_of(info))) {
      warn(
          fmt::format("{} vanished while it was read; it is not in this snapshot", info.ns.text()));
      continue;
    }
    manifest.collections.push_back(describe(info));
    const Consistency& consistency = manifest.collections.back().consistency;
    if (consistency.kind == Consistency::Kind::exact) continue;
    if (summary.consistency.kind == Consistency::Kind::exact) {
      summary.consistency.kind = Consistency::Kind::best_effort;
      summary.consistency.reason = consistency.reason;
    }
    if (drain_) {
      warn(fmt::format("{} is best-effort: {}", info.ns.text(), consistency.reason));
    }
  }
  if (!drain_) warn(fmt::format("best-effort: {}", standalone_reason));
  progress_.stage("commit", 0, 0);
  return writer_->commit(std::move(manifest));
}

Result<BackupOutcome> FullBackup::run() {
  const SteadyTime begun = clock_.steady_now();
  const WallTime started = clock_.now();
  HOLDFAST_CHECK(choose_databases());
  HOLDFAST_TRY(writer_,
               repository_.begin_snapshot(identify_source(client_.server()), options_.layout));
  HOLDFAST_CHECK(open_stream());
  const auto settle = [&]() -> Status {
    HOLDFAST_CHECK(run_rounds());
    return reread();
  };
  const Status settled = settle();
  if (drain_) drop_marker_collections();
  HOLDFAST_CHECK(settled);
  if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
  HOLDFAST_TRY(outcome_.summary, commit(started));
  outcome_.seconds = std::chrono::duration<double>(clock_.steady_now() - begun).count();
  return std::move(outcome_);
}

}  // namespace

Result<BackupOutcome> run_full_backup(mongo::Client& client, repository::Repository& repository,
                                      const BackupOptions& options, const Clock& clock,
                                      RandomSource& random, ProgressSink& progress,
                                      std::stop_token stop) {
  FullBackup backup(client, repository, options, clock, random, progress, std::move(stop));
  return backup.run();
}

}  // namespace holdfast::backup
