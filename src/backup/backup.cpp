#include "backup/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "backup/audit.h"
#include "backup/parent.h"
#include "backup/rounds.h"
#include "backup/source_identity.h"
#include "bson/builder.h"
#include "changelog/log_chain.h"
#include "changelog/log_writer.h"
#include "changelog/stream_drain.h"
#include "dataset/selection.h"
#include "mongo/catalog.h"
#include "mongo/change_stream.h"

namespace holdfast::backup {

namespace {

using changelog::HeldCollection;
using changelog::HeldCollections;
using changelog::identity_of;

constexpr std::string_view standalone_reason =
    "a standalone server has no log, so what was written during the scan may be in it or not";
constexpr std::string_view timeseries_reason =
    "a time series: change streams do not show it, so it was copied while writes went on";
constexpr std::string_view system_reason =
    "a system collection: change streams do not show it, so it was copied while writes went on";
constexpr std::string_view sharded_reason =
    "sharded clusters are untested: read through mongos by the same method";

/// Whether the server's log tells nothing of this collection, so that it is copied each time.
bool is_blind(const CollectionInfo& info) {
  return info.type == CollectionType::timeseries || info.ns.collection.starts_with("system.");
}

/// One backup, from the first look at the catalog to the commit.
class BackupRun {
 public:
  BackupRun(mongo::Client& client, repository::Repository& repository, const BackupOptions& options,
            const Clock& clock, RandomSource& random, ProgressSink& progress, std::stop_token stop)
      : client_(client),
        repository_(repository),
        options_(options),
        clock_(clock),
        random_(random),
        progress_(progress),
        stop_(std::move(stop)),
        source_(identify_source(client.server())) {}

  Result<BackupOutcome> run();

 private:
  Status choose_databases();
  Status choose_parent();
  Status open_stream();
  /// Opens the stream behind a position. False: the server's log does not reach back so far.
  Result<bool> resume_stream(const repository::LogPosition& position);
  Result<std::optional<changelog::LogChain>> find_stored_log() const;
  Status settle();
  Status catch_up(Rounds& rounds);
  [[nodiscard]] HeldCollections parent_collections(bool exact_only) const;
  void drop_marker_collections();
  Status keep_log();
  Status take_results(Rounds& rounds);
  Result<repository::SnapshotSummary> commit(WallTime started);
  [[nodiscard]] repository::SnapshotCollection describe(const CollectionInfo& info);
  [[nodiscard]] bool incremental() const { return options_.kind == BackupKind::incremental; }
  /// Whether the parent's segments may be listed again. An independent backup has a parent, too:
  /// its log goes on from there.
  [[nodiscard]] bool shares() const { return parent_ && !options_.independent; }
  void warn(std::string sentence);
  void note_finding(std::string sentence);

  mongo::Client& client_;
  repository::Repository& repository_;
  const BackupOptions& options_;
  const Clock& clock_;
  RandomSource& random_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  const repository::SourceIdentity source_;

  std::vector<std::string> databases_;
  std::optional<Parent> parent_;
  std::unique_ptr<repository::SnapshotWriter> writer_;
  /// The stored log between the parent and where the stream begins; none if that is the parent.
  std::unique_ptr<changelog::EventSequence> stored_;
  std::unique_ptr<changelog::StreamDrain> drain_;  ///< None on a standalone.
  std::vector<std::string> log_scope_;             ///< Whose log that is, and is kept.
  bool follows_parent_ = false;  ///< Stored log and stream hold all events since the parent.
  std::optional<repository::LogGap> lost_log_;
  changelog::Boundary boundary_;
  std::vector<CollectionInfo> catalog_;
  HeldCollections held_;
  BackupOutcome outcome_;
};

void BackupRun::warn(std::string sentence) {
  progress_.note(sentence);
  outcome_.warnings.push_back(std::move(sentence));
}

void BackupRun::note_finding(std::string sentence) {
  progress_.note(sentence);
  outcome_.findings.push_back(std::move(sentence));
}

Status BackupRun::choose_databases() {
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

Status BackupRun::choose_parent() {
  const Selection selection(options_.collections, options_.exclude);
  // Chosen collections that share nothing: neither segments nor a log are anybody's continuation.
  if (options_.independent && !selection.everything()) return {};
  std::vector<std::string> notes;
  HOLDFAST_TRY(parent_, backup::choose_parent(
                            repository_, {source_.id, databases_, selection.everything()}, notes));
  for (std::string& note : notes) note_finding(std::move(note));
  if (incremental() && !parent_) {
    warn("there is no snapshot of this source and these databases to build on: this is a full one");
  }
  return {};
}

Result<bool> BackupRun::resume_stream(const repository::LogPosition& position) {
  auto drain =
      changelog::StreamDrain::start(client_, log_scope_, position, options_.spool_folder, random_);
  if (drain.ok()) {
    drain_ = std::move(*drain);
    return true;
  }
  if (drain.error().code() != ErrorCode::gap) {
    return drain.error().with_context("opening the change stream");
  }
  lost_log_ = repository::LogGap{position.time, drain.error().message()};
  return false;
}

Result<std::optional<changelog::LogChain>> BackupRun::find_stored_log() const {
  const ClusterTime since = parent_->manifest.summary.consistency.time;
  HOLDFAST_TRY(auto chains, changelog::read_log_chains(repository_, source_.id));
  std::optional<changelog::LogChain> longest;
  for (changelog::LogChain& chain : chains) {
    const bool usable =
        chain.covers(databases_) && chain.start().time <= since && since <= chain.end().time;
    if (usable && (!longest || longest->end().time < chain.end().time)) longest = std::move(chain);
  }
  return longest;
}

Status BackupRun::open_stream() {
  if (!client_.server().has_log()) return {};
  if (parent_ && parent_->foldable()) {
    const ClusterTime since = parent_->manifest.summary.consistency.time;
    HOLDFAST_TRY(const auto chain, find_stored_log());
    if (chain && since < chain->end().time) {
      // It may be the log of more databases: its stream goes on as it is, and so does the log.
      log_scope_ = chain->databases;
      HOLDFAST_TRY(follows_parent_, resume_stream(chain->end()));
      if (follows_parent_) {
        HOLDFAST_TRY(stored_, changelog::open_stored_events(repository_, *chain, since,
                                                            chain->end().time, databases_));
      }
    }
    if (!follows_parent_) {
      log_scope_ = databases_;
      HOLDFAST_TRY(follows_parent_, resume_stream({since, *parent_->manifest.resume_token}));
    }
    if (follows_parent_) {
      lost_log_.reset();
      return {};
    }
    warn(
        fmt::format("the server's log no longer reaches back to snapshot {}: a gap in the log "
                    "since {}; everything is read{}",
                    parent_->manifest.summary.id, since.text(),
                    shares() ? " and compared with that snapshot instead" : ""));
  }
  auto drain = changelog::StreamDrain::start(client_, databases_, std::nullopt,
                                             options_.spool_folder, random_);
  if (!drain.ok()) return drain.error().with_context("opening the change stream");
  drain_ = std::move(*drain);
  return {};
}

HeldCollections BackupRun::parent_collections(bool exact_only) const {
  HeldCollections held;
  for (const repository::SnapshotCollection& collection : parent_->manifest.collections) {
    if (collection.info.type == CollectionType::view) continue;
    const bool exact = collection.consistency.kind == Consistency::Kind::exact;
    if (exact_only && (!exact || is_blind(collection.info))) continue;
    HeldCollection one;
    one.info = collection.info;
    one.layers = collection.layers;
    one.fingerprint = collection.fingerprint;
    one.document_bytes = collection.document_bytes;
    one.order_uncertain = collection.order_uncertain;
    if (exact_only) one.fit = bson::UpdateFit::strict;
    held.emplace(identity_of(one.info), std::move(one));
  }
  return held;
}

Status BackupRun::catch_up(Rounds& rounds) {
  if (options_.independent) return rounds.begin_here();
  const Status caught_up = rounds.catch_up(parent_collections(true), stored_.get());
  if (caught_up.ok() && !incremental()) {
    rounds.audit();
    outcome_.audited = true;
  }
  if (caught_up.ok()) return {};
  if (caught_up.error().code() != ErrorCode::corrupt) return caught_up;
  // Not to fail for ever: what is on the server is the truth.
  note_finding(
      fmt::format("the log since snapshot {} does not fit it ({}): everything is read and "
                  "compared with the server instead",
                  parent_->manifest.summary.id, caught_up.error().message()));
  return {};
}

Status BackupRun::settle() {
  const Rounds::Tools tools{client_, options_,  databases_, repository_.hasher(),
                            random_, progress_, stop_};
  Rounds rounds(tools, *writer_, drain_.get());
  if (follows_parent_) HOLDFAST_CHECK(catch_up(rounds));
  if (shares()) rounds.add_bases(parent_collections(false));
  HOLDFAST_CHECK(rounds.run());
  HOLDFAST_CHECK(rounds.reread());
  return take_results(rounds);
}

Status BackupRun::take_results(Rounds& rounds) {
  boundary_ = rounds.boundary();
  catalog_ = rounds.catalog();
  held_ = std::move(rounds.held());
  outcome_.events = rounds.events;
  outcome_.changed_after_scan = rounds.changed;
  outcome_.rounds = rounds.rounds;
  outcome_.scanned_again = rounds.scanned_again;
  outcome_.reread_documents = rounds.reread_documents;
  for (std::string& damage : rounds.damaged_parents) note_finding(std::move(damage));
  if (!outcome_.audited) return {};
  HOLDFAST_TRY(AuditReport audit, report_audit(held_, *writer_));
  outcome_.order_corrected = audit.order_corrected;
  for (std::string& sentence : audit.sentences) note_finding(std::move(sentence));
  return {};
}

void BackupRun::drop_marker_collections() {
  bson::Builder command;
  command.append_string("drop", mongo::marker_collection);
  const bson::Document document = std::move(command).finish();
  // Only tidiness: without the right to drop it an empty collection stays.
  const auto dropped = client_.run(databases_.front(), document.view());
  static_cast<void>(dropped);
}

Status BackupRun::keep_log() {
  if (!follows_parent_) return {};
  progress_.stage("keep log", 0, 0);
  const auto stored =
      changelog::store_drained_events(repository_, source_.id, databases_, *drain_,
                                      drain_->start_boundary(), boundary_, "backup", std::nullopt);
  if (!stored.ok()) return stored.error().with_context("storing the log");
  return {};
}

repository::SnapshotCollection BackupRun::describe(const CollectionInfo& info) {
  repository::SnapshotCollection collection;
  collection.info = info;
  collection.consistency.time = boundary_.time;
  std::string reason;
  if (!drain_) {
    reason = standalone_reason;
  } else if (client_.server().sharded) {
    reason = sharded_reason;
  } else if (info.type != CollectionType::view && is_blind(info)) {
    reason = info.type == CollectionType::timeseries ? timeseries_reason : system_reason;
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

Result<repository::SnapshotSummary> BackupRun::commit(WallTime started) {
  const Selection selection(options_.collections, options_.exclude);
  repository::Manifest manifest;
  repository::SnapshotSummary& summary = manifest.summary;
  if (shares()) summary.parent = parent_->manifest.summary.id;
  if (shares() && incremental()) summary.kind = repository::SnapshotKind::incremental;
  summary.started = started;
  summary.databases = databases_;
  summary.whole = selection.everything();
  summary.tags = options_.tags;
  summary.critical_reason = options_.critical_reason;
  summary.lost_log = lost_log_;
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

Result<BackupOutcome> BackupRun::run() {
  const SteadyTime begun = clock_.steady_now();
  const WallTime started = clock_.now();
  HOLDFAST_CHECK(choose_databases());
  HOLDFAST_CHECK(choose_parent());
  HOLDFAST_TRY(writer_, repository_.begin_snapshot(source_, options_.layout,
                                                   shares() ? parent_->manifest.files
                                                            : std::vector<repository::FileRef>()));
  HOLDFAST_CHECK(open_stream());
  const Status settled = settle();
  if (drain_) drop_marker_collections();
  HOLDFAST_CHECK(settled);
  if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
  HOLDFAST_CHECK(keep_log());
  HOLDFAST_TRY(outcome_.summary, commit(started));
  outcome_.seconds = std::chrono::duration<double>(clock_.steady_now() - begun).count();
  return std::move(outcome_);
}

}  // namespace

Result<BackupOutcome> run_backup(mongo::Client& client, repository::Repository& repository,
                                 const BackupOptions& options, const Clock& clock,
                                 RandomSource& random, ProgressSink& progress,
                                 std::stop_token stop) {
  return BackupRun(client, repository, options, clock, random, progress, std::move(stop)).run();
}

}  // namespace holdfast::backup
