#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "changelog/stream_drain.h"
#include "mongo/client.h"
#include "repository/log_segment.h"
#include "repository/repository.h"

namespace holdfast::changelog {

/// What opens a drain for capture.
struct CaptureSource {
  mongo::Client& client;
  std::vector<std::string> databases;
  std::filesystem::path spool_folder;
  RandomSource& random;
  DrainOptions drain;

  [[nodiscard]] Result<std::unique_ptr<StreamDrain>> open(
      const std::optional<repository::LogPosition>& from) const {
    return StreamDrain::start(client, databases, from, spool_folder, random, drain);
  }
};

/// Where a capture begins.
struct CaptureStart {
  std::unique_ptr<StreamDrain> drain;
  /// To be recorded with the first segment, unless a chain goes on.
  std::optional<repository::LogGap> gap;
  /// Something was lost: not merely the first segment of all.
  bool lost = false;
};

/// Opens a drain where the log of this source and these databases is to go on: at the end of the
/// newest chain, else behind the newest exact snapshot, else now. Errors: those of the repository
/// and of StreamDrain::start other than gap.
[[nodiscard]] Result<CaptureStart> start_capture(const CaptureSource& from,
                                                 repository::Repository& repository,
                                                 const std::string& source);

}  // namespace holdfast::changelog
