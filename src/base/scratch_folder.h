#pragma once

#include <filesystem>

#include "base/result.h"

namespace holdfast {

/// A private folder (0700) for what need not outlive this object, removed with its content when it
/// is destroyed. A killed process leaves it behind: put nothing in it that others may not read.
class ScratchFolder {
 public:
  /// Makes "holdfast-XXXXXX" below `parent`, which must exist. Errors: those of error_from_errno.
  [[nodiscard]] static Result<ScratchFolder> create(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace holdfast
