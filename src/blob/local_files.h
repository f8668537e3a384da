#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace holdfast::blob {

/// What temporary files of the local store start with.
inline constexpr std::string_view temporary_prefix = ".tmp-";

/// A folder that is held open, and access to what lies below it by relative names; the part of
/// the local store that knows the file system. Thread-safe.
class LocalFiles {
 public:
  LocalFiles(FileDescriptor root, std::filesystem::path path)
      : root_(std::move(root)), path_(std::move(path)) {}

  [[nodiscard]] int root() const { return root_.get(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path path_of(std::string_view name) const {
    return name.empty() ? path_ : path_ / name;
  }

  /// Opens a blob's file for reading. Errors: not_found (also if it is a folder), …
  [[nodiscard]] Result<FileDescriptor> open_blob(std::string_view name, std::uint64_t& size) const;
  [[nodiscard]] Result<FileDescriptor> open_folder(std::string_view folder) const;
  /// Opens a folder, made with its parents if missing. All its names up to the root are durable
  /// then, whoever made them.
  [[nodiscard]] Result<FileDescriptor> open_or_make_folder(std::string_view folder);

  /// A file that a walk meets.
  struct Entry {
    std::string name;  ///< From the root.
    bool temporary = false;
    std::uint64_t size = 0;
    std::time_t modified = 0;
  };
  /// Calls `visit` for each blob and temporary file below `folder`, in no order. What vanishes
  /// meanwhile is left out. Errors: io, denied, …; those of `visit`.
  [[nodiscard]] Status walk(std::string_view folder,
                            const std::function<Status(const Entry&)>& visit) const;

 private:
  [[nodiscard]] Status make_folder(const std::string& folder, const std::string& parent);
  [[nodiscard]] Status make_durable(const std::string& folder);

  const FileDescriptor root_;
  const std::filesystem::path path_;
  std::mutex mutex_;
  std::set<std::string> durable_folders_;
};

/// Flushes an open folder's names to disk; see fsync_path about folders that cannot.
[[nodiscard]] Status fsync_folder(int folder, const std::filesystem::path& path);

}  // namespace holdfast::blob
