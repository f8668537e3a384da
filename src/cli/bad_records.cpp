#include "cli/bad_records.h"

#include <fmt/format.h>

#include "cli/output.h"

namespace holdfast::cli {

Result<BadRecords> BadRecords::create(bool skip, const std::string& report) {
  BadRecords records;
  records.skip_ = skip;
  if (!report.empty()) {
    HOLDFAST_TRY(records.report_, interop::create_file_sink(report));
  }
  return records;
}

Status BadRecords::take(const interop::BadRecord& record) {
  if (!skip_) {
    return Error(ErrorCode::corrupt, fmt::format("line {}: {}", record.line, record.reason),
                 "--skip-bad leaves such records out; --report FILE lists them");
  }
  ++count_;
  if (!report_) return {};
  return report_->write(
      as_bytes(json_line(Json{{"line", record.line}, {"reason", record.reason}})));
}

Status BadRecords::finish() { return report_ ? report_->finish() : Status(); }

}  // namespace holdfast::cli
