#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "interop/byte_stream.h"
#include "interop/text_records.h"

namespace holdfast::cli {

/// What becomes of records that cannot be stored exactly: the first is an error, or, if they are to
/// be skipped, each is counted and listed in a file. Not thread-safe.
class BadRecords {
 public:
  /// `report`: a new file, or empty. Errors: exists, io, …
  [[nodiscard]] static Result<BadRecords> create(bool skip, const std::string& report);

  /// Errors: corrupt (the record, if none are skipped), those of writing the report.
  [[nodiscard]] Status take(const interop::BadRecord& record);
  /// Ends the report. Call it once.
  [[nodiscard]] Status finish();
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  bool skip_ = false;
  std::unique_ptr<interop::ByteSink> report_;
  std::uint64_t count_ = 0;
};

}  // namespace holdfast::cli
