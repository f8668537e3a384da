#include "restore/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/memory_budget.h"
#include "base/task_group.h"
#include "bson/extended_json.h"
#include "dataset/document_batch.h"

namespace holdfast::restore {

namespace {

/// One insert: small enough that several connections fit the memory bound, large enough that the
/// round trip does not matter.
constexpr std::size_t batch_bytes = 4UL * 1024 * 1024;
/// Documents larger than a batch that are being written at once, by all connections together: with
/// all copies of them, the memory bound allows one of 16 MiB.
constexpr std::uint64_t most_large_bytes = 16ULL * 1024 * 1024;
/// What all workers may hold of documents that they read, where documents are large.
constexpr std::uint64_t most_read_bytes = 96ULL * 1024 * 1024;
/// Ranges a worker takes on average, so that all end together.
constexpr std::size_t parts_per_worker = 4;

class Loader {
 public:
  Loader(repository::SnapshotReader& snapshot, const CollectionInfo& source,
         mongo::LiveWriter& writer, Namespace target, const RestoreOptions& options,
         ProgressSink& progress)
      : snapshot_(snapshot),
        source_(source),
        writer_(writer),
        target_(std::move(target)),
        options_(options),
        progress_(progress) {}

  Result<LoadOutcome> run(const std::stop_token& stop) {
    const bool ordered = source_.capped() || source_.type == CollectionType::timeseries;
    const std::size_t workers =
        ordered ? 1 : std::clamp<std::size_t>(options_.workers, 1, most_workers());
    wanted_parts_ = ordered ? 1 : workers * parts_per_worker;
    HOLDFAST_TRY(parts_, snapshot_.part_count(source_.ns, wanted_parts_));
    TaskGroup group(stop);
    for (std::size_t i = 0; i < std::min(workers, std::max<std::size_t>(parts_, 1)); ++i) {
      group.start([this](const std::stop_token& token) { return work(token); });
    }
    HOLDFAST_CHECK(group.wait());
    return std::move(outcome_);
  }

 private:
  /// A worker holds a document of each layer, and a copy of the newest.
  [[nodiscard]] std::size_t most_workers() const {
    for (const repository::SnapshotCollection& collection : snapshot_.manifest().collections) {
      if (collection.info.ns != source_.ns || collection.fingerprint.documents == 0) continue;
      const std::uint64_t average = collection.document_bytes / collection.fingerprint.documents;
      const std::uint64_t held = average * (collection.layers.size() + 1);
      return std::max<std::uint64_t>(most_read_bytes / std::max<std::uint64_t>(held, 1), 1);
    }
    return 1;
  }

  Status work(const std::stop_token& stop) {
    DocumentBatch batch(batch_bytes);
    for (std::size_t part = next_part_++; part < parts_; part = next_part_++) {
      HOLDFAST_TRY(const auto cursor, snapshot_.open_part(source_.ns, wanted_parts_, part));
      while (true) {
        HOLDFAST_TRY(const auto document, cursor->next());
        if (!document) break;
        // Held until the batch that it fills is written: the driver copies it once more or twice.
        MemoryLease lease;
        if (const std::size_t size = document->bytes().size(); size > batch_bytes) {
          HOLDFAST_TRY(lease, large_documents_.acquire(size, stop));
        }
        batch.add(*document);
        if (batch.full()) HOLDFAST_CHECK(write(batch, stop));
      }
    }
    return batch.empty() ? Status() : write(batch, stop);
  }

  Status write(DocumentBatch& batch, const std::stop_token& stop) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    const std::vector<bson::DocumentView> documents = batch.views();
    const bool replace =
        options_.existing == Existing::merge && options_.on_conflict == OnConflict::replace;
    auto refused =
        replace ? writer_.replace(target_, documents) : writer_.insert(target_, documents);
    if (!refused.ok()) return refused.error().with_context(target_.text());
    record(*refused, documents.size(), batch.bytes() - bytes_of(*refused, documents));
    progress_.advance(documents.size(), batch.bytes());
    batch.clear();
    return {};
  }

  /// The size of the documents that were refused; the writer names them in their order.
  static std::uint64_t bytes_of(const std::vector<RefusedDocument>& refused,
                                const std::vector<bson::DocumentView>& documents) {
    std::uint64_t bytes = 0;
    auto next = refused.begin();
    for (auto at = documents.begin(); at != documents.end() && next != refused.end(); ++at) {
      const auto id = at->find("_id");
      if (!id || !next->id.view().identical(*id)) continue;
      bytes += at->bytes().size();
      ++next;
    }
    return bytes;
  }

  void record(const std::vector<RefusedDocument>& refused, std::size_t documents,
              std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    outcome_.documents += documents - refused.size();
    outcome_.bytes += bytes;
    for (const RefusedDocument& one : refused) {
      const bool same_key = one.reason.find("E11000") != std::string::npos &&
                            one.reason.find("_id_") != std::string::npos;
      if (options_.existing == Existing::merge && options_.on_conflict == OnConflict::keep &&
          same_key) {
        ++outcome_.kept;
        continue;
      }
      ++outcome_.refused_count;
      if (outcome_.refused.size() >= max_named_refusals) continue;
      outcome_.refused.push_back(fmt::format(
          "_id {}: {}", bson::to_json(one.id.view(), bson::JsonMode::canonical), one.reason));
    }
  }

  repository::SnapshotReader& snapshot_;
  const CollectionInfo& source_;
  mongo::LiveWriter& writer_;
  const Namespace target_;
  const RestoreOptions& options_;
  ProgressSink& progress_;
  MemoryBudget large_documents_{most_large_bytes};
  std::size_t wanted_parts_ = 1;
  std::size_t parts_ = 1;
  std::atomic<std::size_t> next_part_ = 0;
  std::mutex mutex_;
  LoadOutcome outcome_;
};

}  // namespace

Result<LoadOutcome> load_documents(repository::SnapshotReader& snapshot,
                                   const CollectionInfo& source, mongo::LiveWriter& writer,
                                   const Namespace& target, const RestoreOptions& options,
                                   ProgressSink& progress, const std::stop_token& stop) {
  Loader loader(snapshot, source, writer, target, options, progress);
  return loader.run(stop);
}

}  // namespace holdfast::restore
