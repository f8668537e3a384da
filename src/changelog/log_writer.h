#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "changelog/boundary.h"
#include "repository/log_segment.h"
#include "repository/repository.h"

namespace holdfast::changelog {

/// Whose log is written, and by whom.
struct LogTarget {
  std::string source;
  std::vector<std::string> databases;  ///< Sorted; empty means all of the deployment.
  std::string writer;                  ///< "capture" or "backup".
};

inline constexpr std::string_view capture_writer = "capture";
inline constexpr std::string_view backup_writer = "backup";

/// What storing a stretch came to.
struct StoredStretch {
  /// How far the log reaches from where the stretch began: its end, or further, where others went
  /// on; less only if `rival` is set.
  repository::LogPosition end;
  std::uint64_t segments = 0;  ///< Those that were written here.
  std::uint64_t events = 0;
  std::uint64_t event_bytes = 0;
  std::uint64_t stored_bytes = 0;
  /// A capture met a segment of another capture and stopped.
  std::optional<repository::LogSegmentInfo> rival;
};

/// About how many bytes of events a segment holds; more only where one event or one transaction is
/// larger.
inline constexpr std::uint64_t log_segment_bytes = 8ULL * 1024 * 1024;

/// Stores events as chained segments, cut only where no transaction is open and time has moved on.
/// Where another writer stored a segment at the same place, its chain is followed to its end and
/// what lies behind is stored there; but a capture that meets a capture stops. A crash leaves whole
/// segments, to which the next writer adds. Not thread-safe.
/// `gap`: set where the stretch does not go on from a stored segment on purpose.
/// Errors: those of reading `events` and of the repository; what was stored before stays.
[[nodiscard]] Result<StoredStretch> store_stretch(repository::Repository& repository,
                                                  const LogTarget& target,
                                                  const PlacedEvents& events, const Boundary& from,
                                                  const Boundary& to,
                                                  const std::optional<repository::LogGap>& gap);

/// The same for writers that do not know what is stored: if no segment of the source and these
/// databases ends at `from` and no gap is given, the stretch begins with a gap that says so.
[[nodiscard]] Result<StoredStretch> store_drained_events(
    repository::Repository& repository, const std::string& source,
    const std::vector<std::string>& databases, const PlacedEvents& events, const Boundary& from,
    const Boundary& to, std::string_view writer, std::optional<repository::LogGap> gap);

}  // namespace holdfast::changelog
