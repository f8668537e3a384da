#include "base/external_sorter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace holdfast {

namespace {

constexpr std::uint64_t least_memory_bytes = 64ULL * 1024;
/// Large enough to read from a disk in order, small enough that one merge takes many runs.
constexpr std::uint64_t most_chunk_bytes = 64ULL * 1024;
constexpr std::uint64_t least_chunk_bytes = 4ULL * 1024;

std::uint64_t memory_of(const ExternalSorterSettings& settings) {
  return std::max(settings.memory_bytes, least_memory_bytes);
}

}  // namespace

/// Records in memory, in blocks, so that growing never copies them.
class ExternalSorter::Arena {
 public:
  explicit Arena(std::uint64_t memory)
      : block_bytes_(static_cast<std::size_t>(
            std::clamp<std::uint64_t>(memory / 16, least_chunk_bytes, 1024ULL * 1024))) {}

  void add(ByteView record) {
    if (blocks_.empty() || blocks_.back().capacity() - blocks_.back().size() < record.size()) {
      blocks_.emplace_back().reserve(std::max(block_bytes_, record.size()));
      allocated_ += blocks_.back().capacity();
    }
    Bytes& block = blocks_.back();
    const auto at = block.size();
    append_bytes(block, record);
    records_.push_back(ByteView(block).subspan(at));
  }

  /// What adding a record of this size would bring the use to. An entry counts three times: the
  /// vector may have doubled, and std::stable_sort takes half of it for itself.
  [[nodiscard]] std::uint64_t use_with(std::size_t size) const {
    const bool fits = !blocks_.empty() && blocks_.back().capacity() - blocks_.back().size() >= size;
    return allocated_ + (fits ? 0 : std::max(block_bytes_, size)) +
           (records_.size() + 1) * 3 * sizeof(ByteView);
  }

  void sort(const Before& before) { std::stable_sort(records_.begin(), records_.end(), before); }
  [[nodiscard]] const std::vector<ByteView>& records() const { return records_; }

  void clear() {
    records_ = {};
    blocks_ = {};
    allocated_ = 0;
  }

 private:
  const std::size_t block_bytes_;
  std::vector<Bytes> blocks_;
  std::vector<ByteView> records_;
  std::uint64_t allocated_ = 0;
};

/// Merges runs of one spool with a heap; on equal records the earlier run goes first.
class ExternalSorter::Merge {
 public:
  Merge(const EncryptedSpool& spool, std::span<const Run> runs, const Before& before)
      : before_(before) {
    for (const Run& run : runs) {
      inputs_.push_back({spool.reader(run.begin), run.end, {}});
    }
  }

  /// Valid until the next call.
  [[nodiscard]] Result<std::optional<ByteView>> next() {
    const auto after = [this](std::size_t a, std::size_t b) {
      if (before_(inputs_[b].front, inputs_[a].front)) return true;
      return b < a && !before_(inputs_[a].front, inputs_[b].front);
    };
    if (!started_) {
      started_ = true;
      for (std::size_t index = 0; index < inputs_.size(); ++index) {
        HOLDFAST_TRY(const bool more, advance(inputs_[index]));
        if (more) heap_.push_back(index);
      }
      std::make_heap(heap_.begin(), heap_.end(), after);
    } else if (!heap_.empty()) {
      // The record given last is at the back of the heap; only now may its reader move on.
      HOLDFAST_TRY(const bool more, advance(inputs_[heap_.back()]));
      if (more) {
        std::push_heap(heap_.begin(), heap_.end(), after);
      } else {
        heap_.pop_back();
      }
    }
    if (heap_.empty()) return std::optional<ByteView>();
    std::pop_heap(heap_.begin(), heap_.end(), after);
    return std::optional<ByteView>(inputs_[heap_.back()].front);
  }

 private:
  struct Input {
    std::unique_ptr<SpoolReader> reader;
    std::uint64_t end = 0;
    ByteView front;
  };

  [[nodiscard]] static Result<bool> advance(Input& input) {
    if (input.reader->offset() >= input.end) return false;
    HOLDFAST_TRY(const auto record, input.reader->next_record());
    if (!record) return Error(ErrorCode::corrupt, "a sorted run ends before its end");
    input.front = *record;
    return true;
  }

  const Before& before_;
  std::vector<Input> inputs_;
  std::vector<std::size_t> heap_;
  bool started_ = false;
};

ExternalSorter::ExternalSorter(Before before, ExternalSorterSettings settings, RandomSource& random)
    : before_(std::move(before)),
      settings_(std::move(settings)),
      chunk_bytes_(static_cast<std::uint32_t>(
          std::clamp(memory_of(settings_) / 64, least_chunk_bytes, most_chunk_bytes))),
      random_(random),
      arena_(std::make_unique<Arena>(memory_of(settings_))) {}

ExternalSorter::~ExternalSorter() = default;

Status ExternalSorter::add(ByteView record) {
  assert(!finished_);
  if (record.size() > EncryptedSpool::max_record_bytes) {
    return Error(ErrorCode::precondition,
                 fmt::format("a record of {} bytes is longer than the {} bytes that can be sorted",
                             record.size(), EncryptedSpool::max_record_bytes));
  }
  if (!arena_->records().empty() && arena_->use_with(record.size()) > memory_of(settings_)) {
    HOLDFAST_CHECK(spill());
  }
  arena_->add(record);
  largest_record_ = std::max(largest_record_, record.size());
  ++record_count_;
  return {};
}

Result<std::unique_ptr<EncryptedSpool>> ExternalSorter::new_spool() const {
  auto spool = EncryptedSpool::create(settings_.folder, random_, chunk_bytes_);
  if (!spool.ok()) return spool.error().with_context("sorting needs room on disk");
  return spool;
}

Status ExternalSorter::spill() {
  if (!spool_) {
    HOLDFAST_TRY(spool_, new_spool());
  }
  arena_->sort(before_);
  Run run{spool_->size(), 0};
  for (const ByteView record : arena_->records()) HOLDFAST_CHECK(spool_->append_record(record));
  HOLDFAST_CHECK(spool_->flush());
  run.end = spool_->size();
  spilled_bytes_ += run.end - run.begin;
  runs_.push_back(run);
  arena_->clear();
  return {};
}

std::size_t ExternalSorter::fan_in() const {
  // A reader holds one chunk, and a record that spans several.
  const std::size_t held = chunk_bytes_ + std::max<std::size_t>(chunk_bytes_, largest_record_);
  return std::max<std::size_t>(2, memory_of(settings_) / held);
}

Status ExternalSorter::reduce_runs() {
  while (runs_.size() > fan_in()) {
    HOLDFAST_TRY(auto merged_spool, new_spool());
    std::vector<Run> merged_runs;
    for (std::size_t at = 0; at < runs_.size(); at += fan_in()) {
      const auto group =
          std::span<const Run>(runs_).subspan(at, std::min(fan_in(), runs_.size() - at));
      Merge merge(*spool_, group, before_);
      Run run{merged_spool->size(), 0};
      while (true) {
        HOLDFAST_TRY(const auto record, merge.next());
        if (!record) break;
        HOLDFAST_CHECK(merged_spool->append_record(*record));
      }
      run.end = merged_spool->size();
      merged_runs.push_back(run);
    }
    HOLDFAST_CHECK(merged_spool->flush());
    spilled_bytes_ += merged_spool->size();
    spool_ = std::move(merged_spool);
    runs_ = std::move(merged_runs);
  }
  return {};
}

Status ExternalSorter::finish() {
  finished_ = true;
  if (!spool_) {
    arena_->sort(before_);
    return {};
  }
  if (!arena_->records().empty()) HOLDFAST_CHECK(spill());
  HOLDFAST_CHECK(reduce_runs());
  merge_ = std::make_unique<Merge>(*spool_, runs_, before_);
  return {};
}

Result<std::optional<ByteView>> ExternalSorter::next() {
  if (!finished_) HOLDFAST_CHECK(finish());
  if (merge_) return merge_->next();
  // Left over when finish failed, or everything fits into memory.
  if (spool_) return Error(ErrorCode::io, "sorting failed before; nothing more can be read");
  if (arena_position_ == arena_->records().size()) return std::optional<ByteView>();
  return std::optional<ByteView>(arena_->records()[arena_position_++]);
}

}  // namespace holdfast
