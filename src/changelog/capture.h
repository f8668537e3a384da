#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "changelog/log_writer.h"
#include "mongo/client.h"
#include "repository/repository.h"

namespace holdfast::changelog {

struct CaptureOptions {
  std::string source;
  std::vector<std::string> databases;  ///< Sorted; empty means all of the deployment.
  std::string marker_database;         ///< Where markers may be written.
  std::filesystem::path spool_folder;
  /// A segment so often while there are changes; sooner after about log_segment_bytes of them.
  std::chrono::milliseconds segment_interval{5'000};
  /// So often the log's end moves on when nothing happens.
  std::chrono::milliseconds idle_interval{60'000};
  /// How much may wait for the repository; beyond it the server's own log is the buffer.
  std::uint64_t most_spool_bytes = 1024ULL * 1024 * 1024;
  /// Stops by itself after so long; zero: as soon as everything up to now is stored.
  std::optional<std::chrono::milliseconds> duration;
};

/// What a run of capture came to.
struct CaptureOutcome {
  std::uint64_t segments = 0;
  std::uint64_t events = 0;
  std::uint64_t event_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::vector<repository::LogGap> gaps;  ///< Recorded by this run, the log's beginning left out.
  repository::LogPosition begin;         ///< Where the first stretch began.
  repository::LogPosition end;           ///< How far the log reaches now.
  bool stopped = false;                  ///< Asked to stop before it was done.
};

/// Told after each stretch that was stored.
using CaptureReport = std::function<void(const StoredStretch&)>;

/// Stores a source's changes as log until it is asked to stop, or for so long. Begins at the end of
/// the newest chain of these databases; if the server's history from there is lost, behind the
/// newest exact snapshot; else now, with a gap that says so. Trouble of the server and the
/// repository is waited for and told to `progress`; nothing is lost meanwhile while the server's
/// log reaches back, and where it does not, a gap is recorded and it goes on from now.
///
/// Asked to stop, it stores what was drained. A crash leaves whole segments and loses nothing: the
/// next run goes on at their end. No wall clock has a part in any of it.
///
/// Errors: precondition (the server keeps no log), busy (another capture writes the same log),
/// denied, unsupported (an event that nobody knows), cancelled never (see `stopped`), and, only
/// when it is to end, those of server and repository.
[[nodiscard]] Result<CaptureOutcome> run_capture(mongo::Client& client,
                                                 repository::Repository& repository,
                                                 const CaptureOptions& options, const Clock& clock,
                                                 RandomSource& random, ProgressSink& progress,
                                                 const CaptureReport& report, std::stop_token stop);

}  // namespace holdfast::changelog
