#include "backup/scan_phase.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "base/external_sorter.h"
#include "base/task_group.h"
#include "bson/order.h"
#include "dataset/read_ahead.h"
#include "mongo/catalog.h"
#include "mongo/scan.h"

namespace holdfast::backup {

namespace {

/// A large collection is split into ranges of about this many bytes, so that threads end together.
constexpr std::uint64_t range_bytes = 32ULL * 1024 * 1024;
constexpr std::size_t max_ranges = 256;
/// Sizes are only for the progress display and for splitting. A server that has to count for them
/// is not asked for long, and not often.
constexpr std::uint32_t statistics_limit_ms = 100;
constexpr int max_slow_statistics = 2;
/// Documents between two reports of progress and looks at the stop request.
constexpr std::uint64_t report_every = 1000;

struct ScanTask {
  std::size_t collection = 0;
  mongo::KeyRange range;
  std::uint64_t expected_bytes = 0;
};

/// Reads ranges on several threads; each thread has a stream of segments of its own.
class Scanner {
 public:
  Scanner(mongo::Client& client, repository::SnapshotWriter& writer,
          const std::vector<CollectionInfo>& collections, ClusterTime not_before,
          const BackupOptions& options, RandomSource& random, ProgressSink& progress)
      : client_(client),
        writer_(writer),
        options_(options),
        random_(random),
        progress_(progress),
        scan_options_{.not_before = not_before},
        held_(collections.size()),
        lost_(collections.size(), false) {
    for (std::size_t i = 0; i < collections.size(); ++i) {
      held_[i].info = collections[i];
      held_[i].layers.resize(1);
    }
  }

  Status plan();
  Status run(const std::stop_token& stop);
  ScanOutcome finish() &&;

 private:
  /// The size of a collection, if the server tells it soon. `refused`: how often it did not.
  Result<std::optional<mongo::CollectionStatistics>> expect(const CollectionInfo& info,
                                                            int refused);
  Status work(const std::stop_token& stop);
  std::optional<ScanTask> next_task();
  Status scan(const ScanTask& task, repository::SegmentStream& stream, const std::stop_token& stop);
  Status scan_sorted(mongo::ScanCursor& cursor, repository::SegmentStream& stream,
                     const HeldCollection& held, std::vector<repository::SegmentRef>& segments,
                     Fingerprint& fingerprint, const std::stop_token& stop);
  Status copy(DocumentCursor& cursor, bool positional, repository::SegmentStream& stream,
              std::vector<repository::SegmentRef>& segments, Fingerprint& fingerprint,
              const std::stop_token& stop);
  void record(const ScanTask& task, std::vector<repository::SegmentRef> segments,
              const Fingerprint& fingerprint, ClusterTime read_at);

  mongo::Client& client_;
  repository::SnapshotWriter& writer_;
  const BackupOptions& options_;
  RandomSource& random_;
  ProgressSink& progress_;
  const mongo::ScanOptions scan_options_;

  std::mutex mutex_;
  std::vector<ScanTask> tasks_;  ///< The largest last.
  std::vector<HeldCollection> held_;
  std::vector<bool> lost_;
  ClusterTime latest_read_;
};

/// A cursor over what an ExternalSorter gives back.
class SortedCursor final : public DocumentCursor {
 public:
  explicit SortedCursor(ExternalSorter& sorter) : sorter_(sorter) {}
  Result<std::optional<bson::DocumentView>> next() override {
    HOLDFAST_TRY(const auto record, sorter_.next());
    if (!record) return std::optional<bson::DocumentView>();
    return std::optional(bson::DocumentView(*record));
  }

 private:
  ExternalSorter& sorter_;
};

Status Scanner::plan() {
  int refused_to_count = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const CollectionInfo& info = held_[i].info;
    HOLDFAST_TRY(const auto known, expect(info, refused_to_count));
    const auto expected = known.value_or(mongo::CollectionStatistics{});
    if (!known) ++refused_to_count;
    documents += expected.documents;
    bytes += expected.bytes;
    const std::size_t parts =
        std::clamp<std::size_t>(expected.bytes / range_bytes, std::size_t{1}, max_ranges);
    auto ranges =
        mongo::split_ranges(client_, info, held_[i].positional() ? 1 : parts, scan_options_);
    if (!ranges.ok()) return ranges.error().with_context(info.ns.text());
    for (mongo::KeyRange& range : *ranges) {
      tasks_.push_back({i, std::move(range), expected.bytes / ranges->size()});
    }
  }
  std::stable_sort(tasks_.begin(), tasks_.end(), [](const ScanTask& a, const ScanTask& b) {
    return a.expected_bytes < b.expected_bytes;
  });
  // A total that leaves collections out would promise an end that is not one.
  const bool complete = refused_to_count == 0;
  progress_.stage("scan", complete ? documents : 0, complete ? bytes : 0);
  return {};
}

Result<std::optional<mongo::CollectionStatistics>> Scanner::expect(const CollectionInfo& info,
                                                                   int refused) {
  if (refused >= max_slow_statistics) return std::optional<mongo::CollectionStatistics>();
  auto statistics = mongo::read_statistics(client_, info.ns, statistics_limit_ms);
  if (statistics.ok()) return std::optional(*statistics);
  const ErrorCode code = statistics.error().code();
  if (code == ErrorCode::retry || code == ErrorCode::not_found || code == ErrorCode::busy) {
    return std::optional<mongo::CollectionStatistics>();
  }
  return statistics.error().with_context(info.ns.text());
}

Status Scanner::run(const std::stop_token& stop) {
  TaskGroup group(stop);
  const std::size_t workers = std::clamp<std::size_t>(options_.workers, std::size_t{1},
                                                      std::max<std::size_t>(tasks_.size(), 1));
  for (std::size_t i = 0; i < workers; ++i) {
    group.start([this](const std::stop_token& token) { return work(token); });
  }
  return group.wait();
}

Status Scanner::work(const std::stop_token& stop) {
  HOLDFAST_TRY(const auto stream, writer_.open_stream());
  while (auto task = next_task()) {
    const Status outcome = scan(*task, *stream, stop);
    if (outcome.ok()) continue;
    if (outcome.error().code() == ErrorCode::precondition) {
      const std::lock_guard lock(mutex_);
      lost_[task->collection] = true;
      continue;
    }
    return outcome.error().with_context(held_[task->collection].info.ns.text());
  }
  return stream->close();
}

std::optional<ScanTask> Scanner::next_task() {
  const std::lock_guard lock(mutex_);
  while (!tasks_.empty()) {
    ScanTask task = std::move(tasks_.back());
    tasks_.pop_back();
    if (!lost_[task.collection]) return task;
  }
  return std::nullopt;
}

Status Scanner::scan(const ScanTask& task, repository::SegmentStream& stream,
                     const std::stop_token& stop) {
  const HeldCollection& held = held_[task.collection];
  std::vector<repository::SegmentRef> segments;
  Fingerprint fingerprint;
  HOLDFAST_TRY(const auto cursor, mongo::open_scan(client_, held.info, task.range, scan_options_));
  if (held.info.collation() && !held.positional()) {
    HOLDFAST_CHECK(scan_sorted(*cursor, stream, held, segments, fingerprint, stop));
  } else {
    ReadAhead ahead(*cursor);
    HOLDFAST_CHECK(copy(ahead, held.positional(), stream, segments, fingerprint, stop));
  }
  record(task, std::move(segments), fingerprint, cursor->operation_time());
  return {};
}

Status Scanner::scan_sorted(mongo::ScanCursor& cursor, repository::SegmentStream& stream,
                            const HeldCollection& held,
                            std::vector<repository::SegmentRef>& segments, Fingerprint& fingerprint,
                            const std::stop_token& stop) {
  const auto before = [](ByteView a, ByteView b) {
    return bson::less(*bson::DocumentView(a).find("_id"), *bson::DocumentView(b).find("_id"));
  };
  ExternalSorter sorter(
      before,
      {.memory_bytes = options_.memory_bytes / options_.workers, .folder = options_.spool_folder},
      random_);
  while (true) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    HOLDFAST_TRY(const auto document, cursor.next());
    if (!document) break;
    if (!document->find("_id")) {
      return Error(ErrorCode::unsupported, held.info.ns.text() + ": a document without _id");
    }
    HOLDFAST_CHECK(sorter.add(document->bytes()));
  }
  SortedCursor sorted(sorter);
  return copy(sorted, false, stream, segments, fingerprint, stop);
}

Status Scanner::copy(DocumentCursor& cursor, bool positional, repository::SegmentStream& stream,
                     std::vector<repository::SegmentRef>& segments, Fingerprint& fingerprint,
                     const std::stop_token& stop) {
  HOLDFAST_TRY(auto segment, stream.begin());
  const auto finish_segment = [&]() -> Status {
    fingerprint.add(segment->fingerprint());
    HOLDFAST_TRY(auto reference, segment->finish());
    if (reference) segments.push_back(std::move(*reference));
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
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    if (segment->full()) {
      HOLDFAST_CHECK(finish_segment());
      HOLDFAST_TRY(segment, stream.begin());
    }
  }
  progress_.advance(documents % report_every, bytes);
  return finish_segment();
}

void Scanner::record(const ScanTask& task, std::vector<repository::SegmentRef> segments,
                     const Fingerprint& fingerprint, ClusterTime read_at) {
  const std::lock_guard lock(mutex_);
  HeldCollection& held = held_[task.collection];
  held.fingerprint.add(fingerprint);
  for (repository::SegmentRef& segment : segments) {
    held.document_bytes += segment.document_bytes;
    held.layers.front().segments.push_back(std::move(segment));
  }
  latest_read_ = std::max(latest_read_, read_at);
}

ScanOutcome Scanner::finish() && {
  ScanOutcome outcome;
  outcome.latest_read = latest_read_;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    if (lost_[i]) {
      outcome.lost.push_back(std::move(held_[i].info));
      continue;
    }
    auto& segments = held_[i].layers.front().segments;
    std::sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) {
      return bson::less(*a.first_key.view().find("_id"), *b.first_key.view().find("_id"));
    });
    if (segments.empty()) held_[i].layers.clear();
    outcome.read.push_back(std::move(held_[i]));
  }
  return outcome;
}

}  // namespace

Result<ScanOutcome> scan_collections(mongo::Client& client, repository::SnapshotWriter& writer,
                                     const std::vector<CollectionInfo>& collections,
                                     ClusterTime not_before, const BackupOptions& options,
                                     RandomSource& random, ProgressSink& progress,
                                     std::stop_token stop) {
  Scanner scanner(client, writer, collections, not_before, options, random, progress);
  HOLDFAST_CHECK(scanner.plan());
  HOLDFAST_CHECK(scanner.run(stop));
  return std::move(scanner).finish();
}

}  // namespace holdfast::backup
