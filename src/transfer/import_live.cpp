#include "transfer/import_live.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/bounded_queue.h"
#include "base/task_group.h"
#include "bson/extended_json.h"
#include "dataset/document_batch.h"
#include "dataset/read_ahead.h"
#include "mongo/catalog.h"
#include "mongo/live_writer.h"
#include "transfer/keyed_writes.h"

namespace holdfast::transfer {

namespace {

class LiveImporter {
 public:
  LiveImporter(DatasetReader& dump, mongo::Client& target, const LiveImportOptions& options,
               ProgressSink& progress, std::stop_token stop)
      : dump_(dump),
        target_(target),
        writer_(mongo::make_live_writer(target)),
        options_(options),
        progress_(progress),
        stop_(std::move(stop)) {}

  Result<LiveImportOutcome> run(std::vector<CollectionInfo> collections) {
    HOLDFAST_CHECK(look_at_target(collections));
    // Views last: they need what they show.
    std::stable_partition(collections.begin(), collections.end(), [](const CollectionInfo& info) {
      return info.type != CollectionType::view;
    });
    progress_.stage("import", 0, 0);
    for (const CollectionInfo& info : collections) {
      const Status imported = import_collection(info);
      if (!imported.ok()) return imported.error().with_context(info.ns.text());
      ++outcome_.collections;
    }
    return std::move(outcome_);
  }

 private:
  Status look_at_target(const std::vector<CollectionInfo>& collections) {
    for (const CollectionInfo& info : collections) {
      const auto there = mongo::read_catalog_entry(target_, info.ns);
      if (there.ok()) {
        existing_.insert(info.ns);
      } else if (there.error().code() != ErrorCode::not_found) {
        return there.error();
      }
    }
    if (existing_.empty() || options_.existing != ExistingTarget::refuse) return {};
    return Error(ErrorCode::precondition,
                 fmt::format("{} of these collections exist already, e.g. {}", existing_.size(),
                             existing_.begin()->text()),
                 "--drop replaces them, --mode says how to write into them");
  }

  Status import_collection(const CollectionInfo& info) {
    const bool removes = options_.mode == ImportMode::remove;
    bool exists = existing_.contains(info.ns);
    if (exists && options_.existing == ExistingTarget::drop) {
      HOLDFAST_CHECK(writer_->drop(info.ns));
      exists = false;
    }
    if (!exists && !removes) HOLDFAST_CHECK(writer_->create(info));
    if (info.type == CollectionType::view) return {};
    HOLDFAST_CHECK(write_documents(info));
    return exists || removes ? Status() : writer_->create_indexes(info.ns, info.indexes);
  }

  Status write_documents(const CollectionInfo& info) {
    const bool ordered = info.capped() || info.type == CollectionType::timeseries;
    const std::size_t workers = ordered ? 1 : std::max<std::size_t>(options_.workers, 1);
    BoundedQueue<std::shared_ptr<DocumentBatch>> queue(workers);
    TaskGroup group(stop_);
    for (std::size_t i = 0; i < workers; ++i) {
      group.start([this, &info, &queue](const std::stop_token& stop) -> Status {
        while (const auto batch = queue.pop(stop)) HOLDFAST_CHECK(write(info.ns, **batch));
        return {};
      });
    }
    const Status read = fill(info.ns, queue, group.token());
    queue.close();
    if (!read.ok()) group.request_stop();
    const Status written = group.wait();
    if (!written.ok() && written.error().code() != ErrorCode::cancelled) return written;
    return read.ok() ? written : read;
  }

  Status fill(const Namespace& ns, BoundedQueue<std::shared_ptr<DocumentBatch>>& queue,
              const std::stop_token& stop) {
    HOLDFAST_TRY(const auto cursor, dump_.open(ns));
    auto batch = std::make_shared<DocumentBatch>();
    while (true) {
      HOLDFAST_TRY(const auto document, cursor->next());
      if (!document) break;
      batch->add(*document);
      if (!batch->full()) continue;
      if (!queue.push(std::exchange(batch, std::make_shared<DocumentBatch>()), stop)) {
        return Error(ErrorCode::cancelled, "stopped");
      }
    }
    if (!batch->empty() && !queue.push(std::move(batch), stop)) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    return stop.stop_requested() ? Status(Error(ErrorCode::cancelled, "stopped")) : Status();
  }

  Status write(const Namespace& ns, const DocumentBatch& batch) {
    const auto documents = batch.views();
    const bool by_id = options_.key_fields.empty();
    KeyedOutcome outcome;
    if (options_.mode == ImportMode::insert) {
      HOLDFAST_TRY(outcome.refused, writer_->insert(ns, documents));
      outcome.written = documents.size() - outcome.refused.size();
    } else if (options_.mode == ImportMode::upsert && by_id) {
      HOLDFAST_TRY(outcome.refused, writer_->replace(ns, documents));
      outcome.written = documents.size() - outcome.refused.size();
    } else {
      HOLDFAST_TRY(outcome,
                   write_by_key(target_, ns, options_.mode, options_.key_fields, documents));
    }
    progress_.advance(batch.documents(), batch.bytes());
    record(ns, outcome, batch.bytes());
    return {};
  }

  void record(const Namespace& ns, const KeyedOutcome& outcome, std::uint64_t bytes) {
    const std::scoped_lock lock(mutex_);
    outcome_.documents += outcome.written;
    outcome_.bytes += bytes;
    outcome_.refused_count += outcome.refused.size();
    for (const RefusedDocument& one : outcome.refused) {
      if (outcome_.refused.size() >= max_named_refusals) return;
      outcome_.refused.push_back(
          fmt::format("{} _id {}: {}", ns.text(),
                      bson::to_json(one.id.view(), bson::JsonMode::canonical), one.reason));
    }
  }

  DatasetReader& dump_;
  mongo::Client& target_;
  std::unique_ptr<mongo::LiveWriter> writer_;
  const LiveImportOptions& options_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  std::set<Namespace> existing_;
  std::mutex mutex_;
  LiveImportOutcome outcome_;
};

}  // namespace

Result<LiveImportOutcome> import_live(DatasetReader& dump,
                                      const std::vector<CollectionInfo>& collections,
                                      mongo::Client& target, const LiveImportOptions& options,
                                      ProgressSink& progress, std::stop_token stop) {
  LiveImporter importer(dump, target, options, progress, std::move(stop));
  return importer.run(collections);
}

}  // namespace holdfast::transfer
