#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "changelog/event_sequence.h"
#include "dataset/types.h"
#include "repository/log_segment.h"
#include "repository/repository.h"

namespace holdfast::changelog {

/// Stored log without a hole: each segment starts exactly where the one before ended, in time and
/// in token. A value.
struct LogChain {
  std::string source;
  std::vector<std::string> databases;                ///< Sorted; empty means all of the deployment.
  std::vector<repository::LogSegmentInfo> segments;  ///< At least one.
  /// Why the chain does not go on from an earlier one; nothing only if nothing of this scope is
  /// stored from before it.
  std::optional<repository::LogGap> gap;

  [[nodiscard]] const repository::LogPosition& start() const { return segments.front().start; }
  [[nodiscard]] const repository::LogPosition& end() const { return segments.back().end; }
  /// Whether events of all these databases are in it.
  [[nodiscard]] bool covers(const std::vector<std::string>& of) const;
};

/// Puts segments together to chains, sorted by source, databases and start.
[[nodiscard]] std::vector<LogChain> chain_segments(
    std::vector<repository::LogSegmentInfo> segments);

/// The chains of a source (of all, if it is empty). A segment that is damaged or missing ends one
/// chain, and the next one's gap says so. Errors: those of Repository::list_log.
[[nodiscard]] Result<std::vector<LogChain>> read_log_chains(repository::Repository& repository,
                                                            const std::string& source);

/// Events of a chain with after < time <= until. A transaction is never cut: it takes effect with
/// its last event, so one that ends later than `until` is left out as a whole. Each visit reads
/// anew, one segment after the other, in bounded memory. Thread-safe.
class StoredEvents final : public EventSequence {
 public:
  StoredEvents(repository::Repository& repository, std::vector<repository::LogSegmentInfo> segments,
               ClusterTime after, ClusterTime until, std::vector<std::string> databases);
  [[nodiscard]] Status visit(const std::function<Status(const Event&)>& visit) const override;

 private:
  [[nodiscard]] bool wanted(const Event& event) const;

  repository::Repository& repository_;
  const std::vector<repository::LogSegmentInfo> segments_;
  const ClusterTime after_;
  const ClusterTime until_;
  const std::vector<std::string> databases_;
};

/// All events of some segments, in order; a segment in memory at a time.
class SegmentEvents final : public EventSequence {
 public:
  SegmentEvents(repository::Repository& repository,
                std::vector<repository::LogSegmentInfo> segments)
      : repository_(repository), segments_(std::move(segments)) {}
  [[nodiscard]] Status visit(const std::function<Status(const Event&)>& visit) const override;

 private:
  repository::Repository& repository_;
  const std::vector<repository::LogSegmentInfo> segments_;
};

/// `after` is where a snapshot ends: no transaction is open there. Only events of `databases`
/// (sorted) are given, if there are any; the chain must cover them. The repository must outlive
/// it. Errors: gap (the chain does not reach from `after` to `until`).
[[nodiscard]] Result<std::unique_ptr<StoredEvents>> open_stored_events(
    repository::Repository& repository, const LogChain& chain, ClusterTime after, ClusterTime until,
    std::vector<std::string> databases = {});

}  // namespace holdfast::changelog
