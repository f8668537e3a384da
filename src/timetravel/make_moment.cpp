#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "changelog/catalog_fold.h"
#include "timetravel/moment.h"

namespace holdfast::timetravel {

namespace {

using changelog::CatalogChanges;
using changelog::CatalogFold;
using changelog::Event;
using changelog::HeldCollection;
using changelog::HeldCollections;
using changelog::identity_of;

constexpr std::string_view capped_reason =
    "a capped collection: the log does not tell what the server took away, so this is its state "
    "at the snapshot before";
constexpr std::string_view blind_reason =
    "the log does not show this kind of collection, so this is its state at the snapshot before";

bool is_selected(const changelog::NamedEvent& event,
                 const std::vector<changelog::EventSelection>& selections) {
  return std::any_of(selections.begin(), selections.end(),
                     [&](const auto& selection) { return selection.matches(event); });
}

/// The log from the base to the moment, with what is to be left out marked.
class MomentEvents final : public changelog::EventSequence {
 public:
  MomentEvents(const changelog::EventSequence* log,
               const std::vector<changelog::EventSelection>& without)
      : log_(log), without_(without) {}

  [[nodiscard]] Status visit(const std::function<Status(const Event&)>& visit) const override {
    if (log_ == nullptr) return {};
    if (without_.empty()) return log_->visit(visit);
    return changelog::visit_named(*log_, [&](const changelog::NamedEvent& named) -> Status {
      if (!is_selected(named, without_)) return visit(named.event);
      Event marked = named.event;
      marked.left_out = true;
      return visit(marked);
    });
  }

 private:
  const changelog::EventSequence* const log_;
  const std::vector<changelog::EventSelection>& without_;
};

class MomentMaker {
 public:
  MomentMaker(repository::Repository& repository, const MomentPlan& plan,
              const MomentOptions& options, RandomSource& random, ProgressSink& progress,
              std::stop_token stop)
      : repository_(repository),
        plan_(plan),
        options_(options),
        random_(random),
        progress_(progress),
        stop_(std::move(stop)) {}

  Result<MomentOutcome> run();

 private:
  Status read_log();
  Status fold_catalog(const changelog::EventSequence& events);
  void hold_base();
  [[nodiscard]] repository::SnapshotCollection describe(const CollectionInfo& info);
  [[nodiscard]] const repository::SnapshotCollection* base_of(const CollectionInfo& info) const;
  [[nodiscard]] bool in_scope(std::string_view database) const {
    const auto& databases = base_.summary.databases;
    return std::find(databases.begin(), databases.end(), database) != databases.end();
  }

  repository::Repository& repository_;
  const MomentPlan& plan_;
  const MomentOptions& options_;
  RandomSource& random_;
  ProgressSink& progress_;
  const std::stop_token stop_;

  repository::Manifest base_;
  std::unique_ptr<changelog::EventSequence> log_;
  std::vector<CollectionInfo> catalog_;
  CatalogChanges changes_;
  ClusterTime last_event_;  ///< Nothing changed from here to the moment.
  HeldCollections held_;
  std::map<Uuid, const repository::SnapshotCollection*> base_by_uuid_;
  MomentOutcome outcome_;
};

const repository::SnapshotCollection* MomentMaker::base_of(const CollectionInfo& info) const {
  const auto known = base_by_uuid_.find(identity_of(info));
  return known == base_by_uuid_.end() ? nullptr : known->second;
}

Status MomentMaker::read_log() {
  if (!plan_.log) return {};
  auto opened = changelog::open_stored_events(
      repository_, *plan_.log, base_.summary.consistency.time, plan_.at, base_.summary.databases);
  if (!opened.ok()) return opened.error();
  log_ = std::move(*opened);
  return {};
}

Status MomentMaker::fold_catalog(const changelog::EventSequence& events) {
  std::vector<CollectionInfo> before;
  for (const auto& collection : base_.collections) before.push_back(collection.info);
  CatalogFold fold(before, [this](std::string_view database) { return in_scope(database); });
  const bool whole = base_.summary.whole;
  progress_.stage("read log", 0, 0);
  std::uint64_t left_out_changes = 0;
  last_event_ = base_.summary.consistency.time;
  HOLDFAST_CHECK(events.visit([&](const Event& event) -> Status {
    if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    progress_.advance(1, event.raw.bytes().size());
    last_event_ = std::max(last_event_, event.time);
    // The fold must see documents' changes that it leaves out, to know a conflict from corruption.
    if (event.is_document_change()) ++changes_.document_changes;
    if (event.left_out) {
      ++outcome_.left_out;
      left_out_changes += event.is_document_change() ? 1 : 0;
      return {};
    }
    const Status applied = fold.apply(event);
    // A snapshot of chosen collections does not know the others.
    if (applied.ok() || whole || applied.error().code() != ErrorCode::corrupt) return applied;
    return {};
  }));
  for (const Namespace& ns : fold.unclear()) {
    outcome_.warnings.push_back(fmt::format(
        "{}: its options or indexes were changed in a way that the server's log does not tell; "
        "they are shown as they were before",
        ns.text()));
  }
  catalog_ = fold.catalog();
  changes_.aliases = fold.aliases();
  if (!whole) {
    std::erase_if(catalog_, [&](const CollectionInfo& info) {
      return info.uuid && fold.born().contains(*info.uuid);
    });
  }
  outcome_.events = changes_.document_changes - left_out_changes;
  return {};
}

void MomentMaker::hold_base() {
  for (const CollectionInfo& info : catalog_) {
    if (info.type == CollectionType::view) continue;
    HeldCollection held;
    held.info = info;
    const repository::SnapshotCollection* const base = base_of(info);
    // Born in the log, it is exactly empty at first; of what is not exact nothing strict follows.
    held.fit = bson::UpdateFit::strict;
    if (base != nullptr) {
      held.layers = base->layers;
      held.fingerprint = base->fingerprint;
      held.document_bytes = base->document_bytes;
      held.order_uncertain = base->order_uncertain;
      if (base->consistency.kind != Consistency::Kind::exact) {
        held.fit = bson::UpdateFit::fuzzy;
        held.best_effort_reason = base->consistency.reason;
      }
    }
    held_.emplace(identity_of(info), std::move(held));
  }
}

repository::SnapshotCollection MomentMaker::describe(const CollectionInfo& info) {
  repository::SnapshotCollection collection;
  collection.info = info;
  collection.consistency.kind = Consistency::Kind::exact;
  collection.consistency.time = last_event_;
  const auto found = held_.find(identity_of(info));
  if (info.type == CollectionType::view || found == held_.end()) return collection;
  HeldCollection& held = found->second;
  collection.fingerprint = held.fingerprint;
  collection.document_bytes = held.document_bytes;
  collection.order_uncertain = held.order_uncertain + held.to_reread.size();
  collection.layers = std::move(held.layers);
  std::string reason = held.best_effort_reason;
  if (info.type == CollectionType::timeseries || info.ns.collection.starts_with("system.")) {
    reason = blind_reason;
  } else if (held.stale) {
    reason = info.capped() ? capped_reason : "changes of it did not fit the snapshot before";
  }
  if (!reason.empty()) {
    collection.consistency = {Consistency::Kind::best_effort, last_event_, reason};
    outcome_.warnings.push_back(fmt::format("{} is best-effort: {}", info.ns.text(), reason));
  }
  outcome_.order_uncertain += collection.order_uncertain;
  return collection;
}

Result<MomentOutcome> MomentMaker::run() {
  HOLDFAST_TRY(base_, repository_.manifest(plan_.base.id));
  for (const auto& collection : base_.collections) {
    if (collection.info.type != CollectionType::view) {
      base_by_uuid_.emplace(identity_of(collection.info), &collection);
    }
  }
  HOLDFAST_CHECK(read_log());
  const MomentEvents events(log_.get(), options_.without);
  HOLDFAST_CHECK(fold_catalog(events));
  hold_base();
  HOLDFAST_TRY(const auto writer,
               repository_.begin_snapshot(base_.summary.source, options_.layout, base_.files));
  changelog::FoldConflicts conflicts;
  HOLDFAST_TRY(outcome_.changed,
               fold_events(events, changes_, held_,
                           {*writer, repository_.hasher(), options_.fold, random_, progress_, stop_,
                            options_.without.empty() ? nullptr : &conflicts}));
  outcome_.conflict_count = conflicts.count;
  for (auto& [ns, sentence] : conflicts.named) outcome_.conflicts.push_back({ns, sentence});

  repository::Manifest manifest;
  repository::SnapshotSummary& summary = manifest.summary;
  summary.kind = repository::SnapshotKind::moment;
  summary.parent = base_.summary.id;
  summary.databases = base_.summary.databases;
  summary.whole = base_.summary.whole;
  summary.tags = options_.tags;
  summary.critical_reason = options_.critical_reason;
  summary.consistency = {Consistency::Kind::exact, last_event_, ""};
  for (const CollectionInfo& info : catalog_) {
    manifest.collections.push_back(describe(info));
    const Consistency& consistency = manifest.collections.back().consistency;
    if (consistency.kind == Consistency::Kind::best_effort &&
        summary.consistency.kind == Consistency::Kind::exact) {
      summary.consistency = consistency;
    }
  }
  if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
  HOLDFAST_TRY(outcome_.summary, writer->commit(std::move(manifest)));
  return std::move(outcome_);
}

}  // namespace

Result<ClusterTime> find_first_event(repository::Repository& repository,
                                     const changelog::LogChain& log,
                                     const std::vector<changelog::EventSelection>& selections,
                                     ProgressSink& progress, const std::stop_token& stop) {
  HOLDFAST_TRY(const auto events,
               changelog::open_stored_events(repository, log, log.start().time, log.end().time));
  progress.stage("search the log", 0, 0);
  std::optional<ClusterTime> first;
  HOLDFAST_CHECK(changelog::visit_named(*events, [&](const changelog::NamedEvent& named) -> Status {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    progress.advance(1, named.event.raw.bytes().size());
    if (!first && is_selected(named, selections)) first = named.event.time;
    return {};
  }));
  if (first) return *first;
  return Error(ErrorCode::not_found, "no event of the log is selected",
               "'holdfast log' shows what there is");
}

Result<MomentOutcome> make_moment(repository::Repository& repository, const MomentPlan& plan,
                                  const MomentOptions& options, RandomSource& random,
                                  ProgressSink& progress, std::stop_token stop) {
  auto made = MomentMaker(repository, plan, options, random, progress, std::move(stop)).run();
  if (made.ok()) return made;
  return made.error().with_context(
      fmt::format("the moment {} from snapshot {}", plan.at.text(), plan.base.id));
}

}  // namespace holdfast::timetravel
