#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "base/external_sorter.h"
#include "base/result.h"

namespace holdfast::checks {

/// One record of a join: what belongs to a key, and from which side.
struct Record {
  ByteView key;
  std::uint8_t tag = 0;
  ByteView payload;
};

/// Brings records with equal keys together, in bounded memory. `add` is thread-safe; reading is
/// for one thread, after the last `add`.
class RecordSorter {
 public:
  RecordSorter(const ExternalSorterSettings& settings, RandomSource& random);

  /// Errors: those of ExternalSorter::add.
  [[nodiscard]] Status add(const Record& record);
  /// The next record: equal keys come together, in the order of their tags, then payloads.
  /// Valid until the next call.
  [[nodiscard]] Result<std::optional<Record>> next();

 private:
  std::mutex mutex_;
  Bytes scratch_;
  ExternalSorter sorter_;
};

}  // namespace holdfast::checks
