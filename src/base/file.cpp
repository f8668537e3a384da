#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace holdfast {

namespace {

ErrorCode code_of_errno(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT: return ErrorCode::no_space;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::denied;
    case ENOENT: return ErrorCode::not_found;
    case EEXIST: return ErrorCode::exists;
    default: return ErrorCode::io;
  }
}

/// Makes one folder durably; ok if it exists.
Status make_directory(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) {
    const int number = errno;
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
      if (S_ISDIR(status.st_mode)) return {};
      return Error(
          ErrorCode::precondition,
          fmt::format("cannot make folder {}: a file of that name is there", path.native()));
    }
    return error_from_errno(number, "make folder", path);
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return error_from_errno(errno, "examine", path);
  if ((status.st_mode & 07777U) != mode && ::chmod(path.c_str(), mode) != 0) {
    return error_from_errno(errno, "set the permissions of", path);
  }
  return fsync_path(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

}  // namespace

void FileDescriptor::reset() {
  if (valid()) ::close(release());
}

Status FileDescriptor::close(const std::filesystem::path& path) {
  // Linux releases the descriptor even when close fails, EINTR included: never repeat it.
  if (valid() && ::close(release()) != 0 && errno != EINTR) {
    return error_from_errno(errno, "close", path);
  }
  return {};
}

Error error_from_errno(int number, std::string_view what, const std::filesystem::path& path) {
  // std::generic_category().message is thread-safe, strerror is not.
  return Error(code_of_errno(number), fmt::format("cannot {} {}: {}", what, path.native(),
                                                  std::generic_category().message(number)));
}

Result<FileDescriptor> open_file(const std::filesystem::path& path, int flags, mode_t mode,
                                 std::string_view what) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (number < 0 && errno == EINTR);
  if (number < 0) return error_from_errno(errno, what, path);
  return FileDescriptor(number);
}

Result<std::size_t> read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset,
                            const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto count =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return error_from_errno(errno, "read", path);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  HOLDFAST_TRY(const FileDescriptor file, open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return error_from_errno(errno, "examine", path);
  if (!S_ISREG(status.st_mode)) {
    return Error(ErrorCode::precondition,
                 fmt::format("cannot read {}: it is not a regular file", path.native()));
  }
  // Size is a hint only: files of /proc say 0, and a file may grow. One byte more than the limit
  // is asked for, to see that it is exceeded.
  Bytes bytes;
  auto step = static_cast<std::uint64_t>(status.st_size) + 1;
  while (true) {
    const auto at = bytes.size();
    const auto room = limit - at;
    const auto wanted =
        std::min(std::max<std::uint64_t>(step, 4096), room == UINT64_MAX ? room : room + 1);
    bytes.resize(at + wanted);
    HOLDFAST_TRY(const auto got, read_at(file.get(), std::span(bytes).subspan(at), at, path));
    bytes.resize(at + got);
    if (bytes.size() > limit) {
      return Error(ErrorCode::precondition,
                   fmt::format("{} is longer than the {} bytes allowed", path.native(), limit));
    }
    if (got < wanted) return bytes;
    step = bytes.size();
  }
}

Status write_all(int fd, ByteView bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int number = errno;
      return error_from_errno(number, "write to",
                              path.empty() ? fmt::format("descriptor {}", fd) : path.native());
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status fsync_file(int fd, const std::filesystem::path& path) {
  int outcome = 0;
  do {
    outcome = ::fsync(fd);
  } while (outcome != 0 && errno == EINTR);
  if (outcome == 0) return {};
  return error_from_errno(errno, "flush to disk", path);
}

Status fsync_path(const std::filesystem::path& path) {
  HOLDFAST_TRY(const FileDescriptor file, open_file(path, O_RDONLY | O_NONBLOCK));
  if (::fsync(file.get()) == 0) return {};
  const int number = errno;
  struct stat status {};
  const bool folder = ::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode);
  if (folder && (number == EINVAL || number == EBADF)) return {};
  return error_from_errno(number, "flush to disk", path);
}

Status make_directories(const std::filesystem::path& path, mode_t mode) {
  if (path.empty()) return Error(ErrorCode::usage, "cannot make a folder without a name");
  std::filesystem::path so_far;
  for (const auto& component : path) {
    so_far /= component;
    if (component.empty() || component == "." || component == ".." || component == "/") continue;
    HOLDFAST_CHECK(make_directory(so_far, mode));
  }
  return {};
}

}  // namespace holdfast
