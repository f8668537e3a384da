#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "backup/scan_phase.h"
#include "dataset/reader.h"

namespace holdfast::backup {

/// What one range of a collection became.
struct ScannedRange {
  std::vector<repository::SegmentRef> segments;
  Fingerprint fingerprint;           ///< Of the documents that were read.
  std::uint64_t document_bytes = 0;  ///< Of the same.
  std::vector<changelog::Difference> different;
  std::uint64_t differences_not_kept = 0;
};

/// The base of a range could not be read, which is no fault of the scan.
struct DamagedBase {
  Error error;
};

/// Writes a range's documents, in the order of `cursor`, into segments of a stream.
/// Errors: those of the cursor and of the repository; cancelled.
[[nodiscard]] Result<ScannedRange> write_range(const ScanTools& tools, DocumentCursor& cursor,
                                               bool positional, repository::SegmentStream& stream);

/// Merges a range's documents with what a base holds there and writes only the differences.
/// `keep_differences`: their keys are returned. `damage` is set, and the result of no use, if the
/// base cannot be read. Errors: as write_range.
[[nodiscard]] Result<ScannedRange> write_differences(const ScanTools& tools, DocumentCursor& cursor,
                                                     repository::EntryCursor& base,
                                                     bool keep_differences,
                                                     repository::SegmentStream& stream,
                                                     std::optional<DamagedBase>& damage);

}  // namespace holdfast::backup
