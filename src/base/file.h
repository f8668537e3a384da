#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast {

/// Owns an open file descriptor and closes it; move-only. Not thread-safe.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  /// Takes ownership; a negative number means none.
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = other.release();
    }
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  [[nodiscard]] bool valid() const { return number_ >= 0; }
  [[nodiscard]] int get() const { return number_; }
  /// Gives ownership away.
  int release() { return std::exchange(number_, -1); }
  /// Closes now; an error of close(2) is lost, so writers call `close` instead.
  void reset();
  /// Closes and tells: some file systems (NFS, quotas) report a failed write only here.
  [[nodiscard]] Status close(const std::filesystem::path& path);

 private:
  int number_ = -1;
};

/// Converts errno: no_space (ENOSPC, EDQUOT), denied (EACCES, EPERM, EROFS), not_found (ENOENT),
/// exists (EEXIST), else io. The message is "cannot <what> <path>: <the system's text>".
[[nodiscard]] Error error_from_errno(int number, std::string_view what,
                                     const std::filesystem::path& path);

/// Opens with O_CLOEXEC; interrupted calls are repeated. `what` is for the message: "open",
/// "create", …
[[nodiscard]] Result<FileDescriptor> open_file(const std::filesystem::path& path, int flags,
                                               mode_t mode = 0600, std::string_view what = "open");

/// The whole file. Errors: precondition (longer than `limit` bytes; a folder or device), and those
/// of error_from_errno.
[[nodiscard]] Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t limit);

/// Reads until `out` is full or the file ends; returns how many bytes. `path` is for the message.
[[nodiscard]] Result<std::size_t> read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset,
                                          const std::filesystem::path& path);

/// Writes all of it at the descriptor's position. A failure may leave a part written. `path` is
/// for the message.
[[nodiscard]] Status write_all(int fd, ByteView bytes, const std::filesystem::path& path = {});

/// Makes what was written to this descriptor durable. After an error the written data may be
/// lost although a second call would succeed (Linux drops the failed pages): discard the file.
[[nodiscard]] Status fsync_file(int fd, const std::filesystem::path& path);

/// Makes a file, or a folder's list of names, durable. Folders on file systems that cannot
/// (EINVAL: some network mounts) pass, since these order names by themselves.
[[nodiscard]] Status fsync_path(const std::filesystem::path& path);

/// Makes the folder and its missing parents with exactly `mode`, whatever the umask; those that
/// exist stay as they are. Durable when it returns. A crash leaves some of the parents.
/// Errors: precondition (something on the way is not a folder), and those of error_from_errno.
[[nodiscard]] Status make_directories(const std::filesystem::path& path, mode_t mode = 0700);

}  // namespace holdfast
