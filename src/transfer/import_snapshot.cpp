#include "transfer/import_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/external_sorter.h"
#include "bson/extended_json.h"
#include "bson/order.h"
#include "changelog/fold_events.h"
#include "dataset/read_ahead.h"
#include "transfer/dump_oplog.h"

namespace holdfast::transfer {

namespace {

constexpr std::uint64_t report_every = 1000;

bool comes_before(ByteView a, ByteView b) {
  return bson::less(*bson::DocumentView(a).find("_id"), *bson::DocumentView(b).find("_id"));
}

/// What one reading of a collection tells, before anything is stored.
struct Survey {
  Fingerprint fingerprint;
  bool sorted = true;
};

/// A cursor over what an ExternalSorter gives back; refuses two documents of one key.
class SortedCursor final : public DocumentCursor {
 public:
  explicit SortedCursor(ExternalSorter& sorter) : sorter_(sorter) {}
  Result<std::optional<bson::DocumentView>> next() override {
    HOLDFAST_TRY(const auto record, sorter_.next());
    if (!record) return std::optional<bson::DocumentView>();
    const bson::DocumentView document(*record);
    const bson::ValueView id = *document.find("_id");
    if (last_ && !bson::less(last_->view(), id)) {
      return Error(ErrorCode::corrupt, fmt::format("two documents have the _id {}",
                                                   bson::to_json(id, bson::JsonMode::canonical)));
    }
    last_.emplace(id);
    return std::optional(document);
  }

 private:
  ExternalSorter& sorter_;
  std::optional<bson::Value> last_;
};

class Importer {
 public:
  Importer(interop::DumpReader& dump, repository::Repository& repository,
           const ImportOptions& options, RandomSource& random, ProgressSink& progress,
           std::stop_token stop)
      : dump_(dump),
        repository_(repository),
        options_(options),
        random_(random),
        progress_(progress),
        stop_(std::move(stop)) {}

  Result<ImportOutcome> run(const std::vector<CollectionInfo>& collections) {
    if (options_.share_with) {
      HOLDFAST_TRY(parent_, repository_.manifest(*options_.share_with));
    }
    HOLDFAST_TRY(writer_,
                 repository_.begin_snapshot(options_.source, options_.layout, parent_.files));
    HOLDFAST_TRY(stream_, writer_->open_stream());
    progress_.stage("import", 0, 0);
    for (const CollectionInfo& info : collections) {
      const Status imported = import_collection(info);
      if (!imported.ok()) return imported.error().with_context(info.ns.text());
    }
    HOLDFAST_CHECK(stream_->close());
    if (dump_.has_oplog()) HOLDFAST_CHECK(fold_oplog(collections));
    if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    return commit();
  }

 private:
  Status import_collection(const CollectionInfo& info) {
    repository::SnapshotCollection collection;
    collection.info = info;
    collection.consistency.kind = Consistency::Kind::best_effort;
    collection.consistency.reason = options_.reason;
    if (info.type != CollectionType::view) {
      const bool positional = info.capped() || info.type == CollectionType::timeseries;
      HOLDFAST_TRY(const Survey survey, survey_documents(info.ns, positional));
      if (!share(survey, collection)) HOLDFAST_CHECK(store(survey, positional, collection));
    }
    manifest_.collections.push_back(std::move(collection));
    return {};
  }

  Result<Survey> survey_documents(const Namespace& ns, bool positional) {
    HOLDFAST_TRY(const auto cursor, dump_.open(ns));
    ReadAhead ahead(*cursor);
    Survey survey;
    std::optional<bson::Value> last;
    for (std::uint64_t number = 1;; ++number) {
      HOLDFAST_TRY(const auto document, ahead.next());
      if (!document) return survey;
      if (number % report_every == 0 && stop_.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
      survey.fingerprint.add(repository_.hasher().hash(document->bytes()));
      if (positional) continue;
      const auto id = document->find("_id");
      if (!id) {
        return Error(ErrorCode::unsupported, fmt::format("document {} has no _id", number));
      }
      if (!survey.sorted) continue;
      if (last && !bson::less(last->view(), *id)) survey.sorted = false;
      last.emplace(*id);
    }
  }

  /// Uses the parent's segments if it holds the same documents.
  bool share(const Survey& survey, repository::SnapshotCollection& collection) {
    const auto known =
        std::find_if(parent_.collections.begin(), parent_.collections.end(), [&](const auto& one) {
          return one.info.ns == collection.info.ns &&
                 one.info.capped() == collection.info.capped() &&
                 one.info.type == collection.info.type && one.fingerprint == survey.fingerprint;
        });
    // A fold wants its base written here; a capped collection's fingerprint tells no order.
    if (dump_.has_oplog()) return false;
    if (known == parent_.collections.end() || collection.info.capped()) return false;
    collection.fingerprint = known->fingerprint;
    collection.document_bytes = known->document_bytes;
    collection.layers = known->layers;
    ++outcome_.shared_collections;
    return true;
  }

  Status store(const Survey& survey, bool positional, repository::SnapshotCollection& collection) {
    HOLDFAST_TRY(const auto cursor, dump_.open(collection.info.ns));
    ReadAhead ahead(*cursor);
    if (survey.sorted) return copy(ahead, positional, collection);
    ExternalSorter sorter(comes_before,
                          {.memory_bytes = options_.memory_bytes, .folder = options_.spool_folder},
                          random_);
    while (true) {
      HOLDFAST_TRY(const auto document, ahead.next());
      if (!document) break;
      HOLDFAST_CHECK(sorter.add(document->bytes()));
    }
    SortedCursor sorted(sorter);
    return copy(sorted, false, collection);
  }

  Status copy(DocumentCursor& cursor, bool positional, repository::SnapshotCollection& collection) {
    repository::Layer layer;
    HOLDFAST_TRY(auto segment, stream_->begin());
    const auto finish_segment = [&]() -> Status {
      collection.fingerprint.add(segment->fingerprint());
      HOLDFAST_TRY(auto reference, segment->finish());
      if (!reference) return {};
      collection.document_bytes += reference->document_bytes;
      layer.segments.push_back(std::move(*reference));
      return {};
    };
    repository::Entry entry;
    entry.kind = positional ? repository::Entry::Kind::put_at : repository::Entry::Kind::put;
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;
    while (true) {
      HOLDFAST_TRY(const auto document, cursor.next());
      if (!document) break;
      entry.document = *document;
      HOLDFAST_CHECK(segment->add(entry));
      ++entry.position;
      bytes += document->bytes().size();
      if (++documents % report_every != 0) continue;
      progress_.advance(report_every, std::exchange(bytes, 0));
      if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      if (segment->full()) {
        HOLDFAST_CHECK(finish_segment());
        HOLDFAST_TRY(segment, stream_->begin());
      }
    }
    progress_.advance(documents % report_every, bytes);
    HOLDFAST_CHECK(finish_segment());
    if (!layer.segments.empty()) collection.layers.push_back(std::move(layer));
    return {};
  }

  /// Brings what was stored to the oplog's end, or limit.
  Status fold_oplog(const std::vector<CollectionInfo>& collections) {
    DumpOplog oplog(dump_, options_.oplog_before);
    HOLDFAST_CHECK(oplog.prepare(collections));
    changelog::HeldCollections held;
    for (repository::SnapshotCollection& collection : manifest_.collections) {
      if (collection.info.type == CollectionType::view) continue;
      changelog::HeldCollection& one = held[changelog::identity_of(collection.info)];
      one.info = collection.info;
      one.layers = std::move(collection.layers);
      one.fingerprint = collection.fingerprint;
      one.document_bytes = collection.document_bytes;
    }
    for (const auto& [identity, info] : oplog.catalog()) {
      if (info.type != CollectionType::view) held[identity].info = info;
    }
    changelog::CatalogChanges changes;
    changes.document_changes = outcome_.oplog_changes = oplog.document_changes();
    const changelog::FoldSettings settings{.memory_bytes = options_.memory_bytes,
                                           .spool_folder = options_.spool_folder};
    const auto folded = changelog::fold_events(
        oplog, changes, held,
        {*writer_, repository_.hasher(), settings, random_, progress_, stop_});
    if (!folded.ok()) return folded.error();
    manifest_.collections.clear();
    for (const auto& [identity, info] : oplog.catalog()) {
      describe_folded(oplog, info, held, identity);
    }
    return {};
  }

  void describe_folded(const DumpOplog& oplog, const CollectionInfo& info,
                       changelog::HeldCollections& held, const Uuid& identity) {
    repository::SnapshotCollection collection;
    collection.info = info;
    collection.consistency.time = oplog.last_time();
    std::string& reason = collection.consistency.reason;
    if (!options_.complete) reason = options_.reason;
    if (const auto known = held.find(identity); known != held.end()) {
      changelog::HeldCollection& one = known->second;
      collection.layers = std::move(one.layers);
      collection.fingerprint = one.fingerprint;
      collection.document_bytes = one.document_bytes;
      collection.order_uncertain = one.order_uncertain + one.to_reread.size();
      if (one.stale) {
        reason = one.positional()
                     ? "it has no keys by which the oplog's changes could be folded"
                     : "the oplog updates documents that neither it nor the dump holds";
        outcome_.warnings.push_back(info.ns.text() + " is best-effort: " + reason);
      }
    }
    if (reason.empty() && oplog.cut()) {
      reason = "the dump's oplog was cut before its end; what was read later may be newer";
    }
    if (reason.empty() && oplog.last_time().is_null()) {
      reason = "the dump's oplog holds no change that tells a time";
    }
    collection.consistency.kind =
        reason.empty() ? Consistency::Kind::exact : Consistency::Kind::best_effort;
    manifest_.collections.push_back(std::move(collection));
  }

  void summarise_consistency() {
    Consistency& whole = manifest_.summary.consistency;
    whole.kind = Consistency::Kind::exact;
    for (const auto& collection : manifest_.collections) {
      if (collection.consistency.kind == Consistency::Kind::exact) {
        whole.time = collection.consistency.time;
      } else if (whole.kind == Consistency::Kind::exact) {
        whole.kind = Consistency::Kind::best_effort;
        whole.reason = collection.consistency.reason;
      }
    }
  }

  Result<ImportOutcome> commit() {
    repository::SnapshotSummary& summary = manifest_.summary;
    std::set<std::string> databases;
    for (const auto& collection : manifest_.collections) {
      databases.insert(collection.info.ns.database);
    }
    summary.databases = {databases.begin(), databases.end()};
    summary.whole = options_.whole;
    if (options_.taken) summary.started = summary.finished = *options_.taken;
    if (outcome_.shared_collections > 0) summary.parent = parent_.summary.id;
    summary.tags = options_.tags;
    summarise_consistency();
    std::sort(manifest_.collections.begin(), manifest_.collections.end(),
              [](const auto& a, const auto& b) { return a.info.ns < b.info.ns; });
    progress_.stage("commit", 0, 0);
    HOLDFAST_TRY(outcome_.summary, writer_->commit(std::move(manifest_)));
    return std::move(outcome_);
  }

  interop::DumpReader& dump_;
  repository::Repository& repository_;
  const ImportOptions& options_;
  RandomSource& random_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  repository::Manifest parent_;
  repository::Manifest manifest_;
  std::unique_ptr<repository::SnapshotWriter> writer_;
  std::unique_ptr<repository::SegmentStream> stream_;
  ImportOutcome outcome_;
};

}  // namespace

Result<ImportOutcome> import_snapshot(interop::DumpReader& dump,
                                      const std::vector<CollectionInfo>& collections,
                                      repository::Repository& repository,
                                      const ImportOptions& options, RandomSource& random,
                                      ProgressSink& progress, std::stop_token stop) {
  Importer importer(dump, repository, options, random, progress, std::move(stop));
  return importer.run(collections);
}

}  // namespace holdfast::transfer
