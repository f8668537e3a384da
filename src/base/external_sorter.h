#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/spool.h"

namespace holdfast {

struct ExternalSorterSettings {
  /// Records and buffers held at once; a single larger record still passes, alone. At least
  /// 64 KiB is used.
  std::uint64_t memory_bytes = 64ULL * 1024 * 1024;
  /// Where sorted runs go; used (and needed) only when the memory is not enough.
  std::filesystem::path folder;
};

/// Sorts any number of records in bounded memory. Records that compare equal keep the order in
/// which they were added. Runs go to encrypted, nameless temporary files, so a crash leaves
/// nothing. First all `add`s, then `next` until it gives nothing. Not thread-safe.
class ExternalSorter {
 public:
  /// A strict weak order: whether the first record comes before the second.
  using Before = std::function<bool(ByteView, ByteView)>;

  /// `random` must outlive the sorter.
  ExternalSorter(Before before, ExternalSorterSettings settings, RandomSource& random);
  ~ExternalSorter();
  ExternalSorter(const ExternalSorter&) = delete;
  ExternalSorter& operator=(const ExternalSorter&) = delete;

  /// Copies the record. Errors: no_space, denied, io (spilling failed; the sorter is then of no
  /// use), precondition (longer than EncryptedSpool::max_record_bytes).
  [[nodiscard]] Status add(ByteView record);
  /// The next record in order, valid until the next call, or nothing. The first call sorts what
  /// is left, so no `add` may follow it. Errors: as add; corrupt.
  [[nodiscard]] Result<std::optional<ByteView>> next();

  [[nodiscard]] std::uint64_t record_count() const { return record_count_; }
  /// Bytes that went to disk so far, repeated merges included.
  [[nodiscard]] std::uint64_t spilled_bytes() const { return spilled_bytes_; }

 private:
  class Arena;
  class Merge;
  /// A sorted run: a stretch of the current spool.
  struct Run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  [[nodiscard]] Status spill();
  [[nodiscard]] Status finish();
  /// Merges groups of neighbouring runs into a new spool until one merge can take all.
  [[nodiscard]] Status reduce_runs();
  [[nodiscard]] std::size_t fan_in() const;
  [[nodiscard]] Result<std::unique_ptr<EncryptedSpool>> new_spool() const;

  const Before before_;
  const ExternalSorterSettings settings_;
  std::size_t largest_record_ = 0;
  const std::uint32_t chunk_bytes_;
  RandomSource& random_;
  std::unique_ptr<Arena> arena_;
  std::size_t arena_position_ = 0;
  std::unique_ptr<EncryptedSpool> spool_;
  std::vector<Run> runs_;
  std::unique_ptr<Merge> merge_;
  bool finished_ = false;
  std::uint64_t record_count_ = 0;
  std::uint64_t spilled_bytes_ = 0;
};

}  // namespace holdfast
