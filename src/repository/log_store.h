#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "repository/context.h"
#include "repository/log_segment.h"

namespace holdfast::repository {

/// Log segments below "<source>/log/" of one or all sources.
struct LogCatalogListing {
  /// Sorted by source, databases, start.
  std::vector<LogSegmentInfo> segments;
  /// Blobs whose header cannot be read, and why.
  std::vector<std::pair<std::string, Error>> damaged;
};

/// Puts, finds and reads log segments. Headers that were read are kept: they never change under
/// one name. Thread-safe.
class LogStore {
 public:
  explicit LogStore(Context& context) : context_(context) {}

  enum class Reading { cached, afresh };
  /// One source's, or everybody's if `source` is empty. Reads the first block of each segment,
  /// several at a time.
  [[nodiscard]] Result<LogCatalogListing> list(const std::string& source, Reading reading);
  /// See Repository::put_log_segment.
  [[nodiscard]] Result<LogSegmentInfo> put(LogSegmentInfo info, const LogEventSource& events);
  /// See Repository::read_log_segment.
  [[nodiscard]] Status read(const LogSegmentInfo& info, const LogEventVisitor& visit) const;

 private:
  [[nodiscard]] Result<LogSegmentInfo> header(const blob::BlobInfo& blob, Reading reading);
  [[nodiscard]] Result<LogSegmentInfo> read_header(const blob::BlobInfo& blob) const;
  void keep(const LogSegmentInfo& info);

  Context& context_;
  std::mutex mutex_;
  std::map<std::string, LogSegmentInfo, std::less<>> headers_;  ///< By blob name.
};

}  // namespace holdfast::repository
