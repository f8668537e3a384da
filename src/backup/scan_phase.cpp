#include "backup/scan_phase.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "backup/scan_range.h"
#include "base/external_sorter.h"
#include "base/task_group.h"
#include "bson/order.h"
#include "dataset/read_ahead.h"
#include "mongo/catalog.h"
#include "mongo/scan.h"

namespace holdfast::backup {

namespace {

using changelog::HeldCollection;
using changelog::identity_of;

/// A large collection is split into ranges of about this many bytes, so that threads end together.
constexpr std::uint64_t range_bytes = 32ULL * 1024 * 1024;
constexpr std::size_t max_ranges = 256;
/// Sizes are only for the progress display and for splitting. A server that has to count for them
/// is not asked for long, and not often.
constexpr std::uint32_t statistics_limit_ms = 100;
constexpr int max_slow_statistics = 2;
/// A collection whose size is not told soon may be large: it goes before those that are not.
constexpr std::uint64_t unknown_bytes = range_bytes;

struct ScanTask {
  std::size_t collection = 0;
  mongo::KeyRange range;
  std::uint64_t expected_bytes = 0;
  /// Of its collection when it was begun; what a task of an earlier one found does not count.
  std::uint32_t attempt = 0;
};

/// Reads ranges on several threads; each thread has a stream of segments of its own.
class Scanner {
 public:
  Scanner(const ScanTools& tools, const std::vector<CollectionInfo>& collections,
          const ScanBases& bases, ClusterTime not_before)
      : tools_(tools),
        audited_(bases.audited),
        scan_options_{.not_before = not_before},
        collections_(collections.size()) {
    for (std::size_t i = 0; i < collections.size(); ++i) {
      collections_[i].held.info = collections[i];
      const auto base = bases.collections.find(identity_of(collections[i]));
      if (base != bases.collections.end()) collections_[i].base = &base->second;
    }
  }

  Status plan();
  Status run();
  ScanOutcome finish() &&;

 private:
  /// A collection while its ranges are read.
  struct Scanned {
    HeldCollection held;
    std::vector<repository::SegmentRef> segments;
    std::vector<changelog::Difference> different;
    std::uint64_t differences_not_kept = 0;
    const HeldCollection* base = nullptr;  ///< None, or not usable.
    std::vector<ScanTask> tasks;           ///< All of them, to begin anew.
    std::uint32_t attempt = 0;
    bool lost = false;
    [[nodiscard]] bool compared() const { return base != nullptr && !held.positional(); }
    [[nodiscard]] bool audited() const {
      return compared() && base->fit == bson::UpdateFit::strict;
    }
  };

  /// The size of a collection, if the server tells it soon. `refused`: how often it did not.
  Result<std::optional<mongo::CollectionStatistics>> expect(const CollectionInfo& info,
                                                            int refused);
  Status work(const std::stop_token& stop);
  std::optional<ScanTask> next_task();
  Status scan(const ScanTask& task, repository::SegmentStream& stream);
  Result<ScannedRange> read(const ScanTask& task, const HeldCollection* base,
                            DocumentCursor& cursor, repository::SegmentStream& stream,
                            std::optional<DamagedBase>& damage);
  Status sort(mongo::ScanCursor& cursor, ExternalSorter& sorter);
  void record(const ScanTask& task, ScannedRange range, ClusterTime read_at);
  /// Reads the collection again as if it had no base.
  void begin_anew(const ScanTask& task, const Error& damage);
  void complete(Scanned& scanned) const;

  ScanTools tools_;
  const bool audited_;
  const mongo::ScanOptions scan_options_;

  std::mutex mutex_;
  std::vector<ScanTask> tasks_;  ///< The largest last.
  std::vector<Scanned> collections_;
  std::vector<std::string> damaged_bases_;
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

bool segment_before(const repository::SegmentRef& a, const repository::SegmentRef& b) {
  return bson::less(*a.first_key.view().find("_id"), *b.first_key.view().find("_id"));
}

Status Scanner::plan() {
  int refused_to_count = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < collections_.size(); ++i) {
    const HeldCollection& held = collections_[i].held;
    HOLDFAST_TRY(const auto known, expect(held.info, refused_to_count));
    const auto expected = known.value_or(mongo::CollectionStatistics{});
    if (!known) ++refused_to_count;
    documents += expected.documents;
    bytes += expected.bytes;
    const std::size_t parts =
        std::clamp<std::size_t>(expected.bytes / range_bytes, std::size_t{1}, max_ranges);
    auto ranges =
        mongo::split_ranges(tools_.client, held.info, held.positional() ? 1 : parts, scan_options_);
    if (!ranges.ok()) return ranges.error().with_context(held.info.ns.text());
    for (mongo::KeyRange& range : *ranges) {
      const std::uint64_t size = known ? expected.bytes / ranges->size() : unknown_bytes;
      collections_[i].tasks.push_back({i, std::move(range), size, 0});
    }
    tasks_.insert(tasks_.end(), collections_[i].tasks.begin(), collections_[i].tasks.end());
  }
  std::stable_sort(tasks_.begin(), tasks_.end(), [](const ScanTask& a, const ScanTask& b) {
    return a.expected_bytes < b.expected_bytes;
  });
  // A total that leaves collections out would promise an end that is not one.
  const bool complete = refused_to_count == 0;
  tools_.progress.stage("scan", complete ? documents : 0, complete ? bytes : 0);
  return {};
}

Result<std::optional<mongo::CollectionStatistics>> Scanner::expect(const CollectionInfo& info,
                                                                   int refused) {
  if (refused >= max_slow_statistics) return std::optional<mongo::CollectionStatistics>();
  auto statistics = mongo::read_statistics(tools_.client, info.ns, statistics_limit_ms);
  if (statistics.ok()) return std::optional(*statistics);
  const ErrorCode code = statistics.error().code();
  if (code == ErrorCode::retry || code == ErrorCode::not_found || code == ErrorCode::busy) {
    return std::optional<mongo::CollectionStatistics>();
  }
  return statistics.error().with_context(info.ns.text());
}

Status Scanner::run() {
  TaskGroup group(tools_.stop);
  tools_.stop = group.token();
  const std::size_t workers = std::clamp<std::size_t>(tools_.options.workers, std::size_t{1},
                                                      std::max<std::size_t>(tasks_.size(), 1));
  for (std::size_t i = 0; i < workers; ++i) {
    group.start([this](const std::stop_token& token) { return work(token); });
  }
  return group.wait();
}

Status Scanner::work(const std::stop_token& stop) {
  HOLDFAST_TRY(const auto stream, tools_.writer.open_stream());
  while (auto task = next_task()) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    const Status outcome = scan(*task, *stream);
    if (outcome.ok()) continue;
    Scanned& scanned = collections_[task->collection];
    if (outcome.error().code() == ErrorCode::precondition) {
      const std::lock_guard lock(mutex_);
      scanned.lost = true;
      continue;
    }
    return outcome.error().with_context(scanned.held.info.ns.text());
  }
  return stream->close();
}

std::optional<ScanTask> Scanner::next_task() {
  const std::lock_guard lock(mutex_);
  while (!tasks_.empty()) {
    ScanTask task = std::move(tasks_.back());
    tasks_.pop_back();
    const Scanned& scanned = collections_[task.collection];
    if (!scanned.lost && task.attempt == scanned.attempt) return task;
  }
  return std::nullopt;
}

Status Scanner::scan(const ScanTask& task, repository::SegmentStream& stream) {
  Scanned& scanned = collections_[task.collection];
  const HeldCollection& held = scanned.held;
  const HeldCollection* base = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (scanned.compared()) base = scanned.base;
  }
  HOLDFAST_TRY(const auto cursor,
               mongo::open_scan(tools_.client, held.info, task.range, scan_options_));
  std::optional<DamagedBase> damage;
  Result<ScannedRange> range = Error(ErrorCode::cancelled, "not read");
  if (held.info.collation() && !held.positional()) {
    ExternalSorter sorter(
        [](ByteView a, ByteView b) {
          return bson::less(*bson::DocumentView(a).find("_id"), *bson::DocumentView(b).find("_id"));
        },
        {.memory_bytes = tools_.options.memory_bytes / tools_.options.workers,
         .folder = tools_.options.spool_folder},
        tools_.random);
    HOLDFAST_CHECK(sort(*cursor, sorter));
    SortedCursor sorted(sorter);
    range = read(task, base, sorted, stream, damage);
  } else {
    ReadAhead ahead(*cursor);
    range = read(task, base, ahead, stream, damage);
  }
  if (!range.ok()) return range.error();
  if (damage) {
    begin_anew(task, damage->error);
  } else {
    record(task, std::move(*range), cursor->operation_time());
  }
  return {};
}

Result<ScannedRange> Scanner::read(const ScanTask& task, const HeldCollection* base,
                                   DocumentCursor& cursor, repository::SegmentStream& stream,
                                   std::optional<DamagedBase>& damage) {
  if (base == nullptr) {
    return write_range(tools_, cursor, collections_[task.collection].held.positional(), stream);
  }
  HOLDFAST_TRY(const auto entries,
               tools_.writer.read_back(base->layers, {task.range.lower, task.range.upper}, false));
  const bool keep = audited_ && base->fit == bson::UpdateFit::strict;
  return write_differences(tools_, cursor, *entries, keep, stream, damage);
}

Status Scanner::sort(mongo::ScanCursor& cursor, ExternalSorter& sorter) {
  while (true) {
    if (tools_.stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    HOLDFAST_TRY(const auto document, cursor.next());
    if (!document) return {};
    if (!document->find("_id")) return Error(ErrorCode::unsupported, "a document without _id");
    HOLDFAST_CHECK(sorter.add(document->bytes()));
  }
}

void Scanner::record(const ScanTask& task, ScannedRange range, ClusterTime read_at) {
  const std::lock_guard lock(mutex_);
  Scanned& scanned = collections_[task.collection];
  latest_read_ = std::max(latest_read_, read_at);
  if (task.attempt != scanned.attempt) return;
  scanned.held.fingerprint.add(range.fingerprint);
  scanned.held.document_bytes += range.document_bytes;
  std::move(range.segments.begin(), range.segments.end(), std::back_inserter(scanned.segments));
  std::move(range.different.begin(), range.different.end(), std::back_inserter(scanned.different));
  scanned.differences_not_kept += range.differences_not_kept;
}

void Scanner::begin_anew(const ScanTask& task, const Error& damage) {
  const std::lock_guard lock(mutex_);
  Scanned& scanned = collections_[task.collection];
  if (task.attempt != scanned.attempt) return;
  damaged_bases_.push_back(
      fmt::format("{}: the parent snapshot is damaged ({}); the collection "
                  "was stored anew from the server",
                  scanned.held.info.ns.text(), damage.message()));
  scanned.base = nullptr;
  ++scanned.attempt;
  scanned.held.fingerprint = {};
  scanned.held.document_bytes = 0;
  scanned.segments.clear();
  scanned.different.clear();
  scanned.differences_not_kept = 0;
  for (ScanTask again : scanned.tasks) {
    again.attempt = scanned.attempt;
    tasks_.push_back(std::move(again));
  }
}

void Scanner::complete(Scanned& scanned) const {
  HeldCollection& held = scanned.held;
  repository::Layer layer{std::move(scanned.segments)};
  std::sort(layer.segments.begin(), layer.segments.end(), segment_before);
  const HeldCollection* const base = scanned.base;
  if (base != nullptr && held.positional()) {
    // Positions can't be patched; equal content is shared whole.
    const bool same = base->positional() && base->fingerprint == held.fingerprint;
    if (same) held.layers = base->layers;
    if (same) return;
  } else if (base != nullptr) {
    held.layers = base->layers;
    if (audited_ && scanned.audited()) {
      std::sort(
          scanned.different.begin(), scanned.different.end(),
          [](const auto& a, const auto& b) { return bson::less(a.key.view(), b.key.view()); });
      held.audit = changelog::CollectionAudit{base->layers, std::move(scanned.different),
                                              scanned.differences_not_kept};
    }
  }
  if (!layer.segments.empty()) held.layers.push_back(std::move(layer));
}

ScanOutcome Scanner::finish() && {
  ScanOutcome outcome;
  outcome.latest_read = latest_read_;
  outcome.damaged_bases = std::move(damaged_bases_);
  for (Scanned& scanned : collections_) {
    if (scanned.lost) {
      outcome.lost.push_back(std::move(scanned.held.info));
      continue;
    }
    complete(scanned);
    outcome.read.push_back(std::move(scanned.held));
  }
  return outcome;
}

}  // namespace

Result<ScanOutcome> scan_collections(const ScanTools& tools,
                                     const std::vector<CollectionInfo>& collections,
                                     const ScanBases& bases, ClusterTime not_before) {
  Scanner scanner(tools, collections, bases, not_before);
  HOLDFAST_CHECK(scanner.plan());
  HOLDFAST_CHECK(scanner.run());
  return std::move(scanner).finish();
}

}  // namespace holdfast::backup
