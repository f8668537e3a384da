#include "blob/local_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "blob/blob_name.h"

namespace holdfast::blob {

namespace {

constexpr mode_t folder_mode = 0700;
/// Repositories are three folders deep; more means a symbolic link that leads back.
constexpr std::size_t max_depth = 16;

const char* or_here(const std::string& folder) { return folder.empty() ? "." : folder.c_str(); }

Result<FileDescriptor> open_below(int root, const std::string& name, int flags,
                                  const std::filesystem::path& path) {
  int number = -1;
  do {
    number = ::openat(root, or_here(name), flags | O_CLOEXEC);
  } while (number < 0 && errno == EINTR);
  if (number >= 0) return FileDescriptor(number);
  // A file where a folder is expected means that nothing of that name is there.
  if (errno == ENOTDIR) return error_from_errno(ENOENT, "open", path);
  return error_from_errno(errno, "open", path);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using FolderStream = std::unique_ptr<DIR, CloseFolder>;

}  // namespace

Status fsync_folder(int folder, const std::filesystem::path& path) {
  if (::fsync(folder) == 0 || errno == EINVAL || errno == EBADF) return {};
  return error_from_errno(errno, "flush to disk", path);
}

Result<FileDescriptor> LocalFiles::open_blob(std::string_view name, std::uint64_t& size) const {
  const auto path = path_of(name);
  HOLDFAST_TRY(FileDescriptor file,
               open_below(root(), std::string(name), O_RDONLY | O_NONBLOCK, path));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return error_from_errno(errno, "examine", path);
  if (!S_ISREG(status.st_mode)) return error_from_errno(ENOENT, "open", path);
  size = static_cast<std::uint64_t>(status.st_size);
  return file;
}

Result<FileDescriptor> LocalFiles::open_folder(std::string_view folder) const {
  return open_below(root(), std::string(folder), O_RDONLY | O_DIRECTORY, path_of(folder));
}

Result<FileDescriptor> LocalFiles::open_or_make_folder(std::string_view folder) {
  const std::string name(folder);
  {
    const std::scoped_lock lock(mutex_);
    HOLDFAST_CHECK(make_durable(name));
  }
  auto opened = open_folder(folder);
  if (opened.ok() || opened.error().code() != ErrorCode::not_found) return opened;
  // Somebody removed it since: make it again.
  const std::scoped_lock lock(mutex_);
  durable_folders_.clear();
  HOLDFAST_CHECK(make_durable(name));
  return open_folder(folder);
}

Status LocalFiles::make_durable(const std::string& folder) {
  if (folder.empty() || durable_folders_.contains(folder)) return {};
  const std::string parent(folder_of(folder));
  HOLDFAST_CHECK(make_durable(parent));
  HOLDFAST_CHECK(make_folder(folder, parent));
  durable_folders_.insert(folder);
  return {};
}

Status LocalFiles::make_folder(const std::string& folder, const std::string& parent) {
  const auto path = path_of(folder);
  if (::mkdirat(root(), folder.c_str(), folder_mode) == 0) {
    struct stat status {};
    if (::fstatat(root(), folder.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return error_from_errno(errno, "examine", path);
    }
    if ((status.st_mode & 07777U) != folder_mode &&
        ::fchmodat(root(), folder.c_str(), folder_mode, 0) != 0) {
      return error_from_errno(errno, "set the permissions of", path);
    }
  } else if (errno != EEXIST) {
    return error_from_errno(errno, "make folder", path);
  } else if (struct stat status{};
             ::fstatat(root(), folder.c_str(), &status, 0) == 0 && !S_ISDIR(status.st_mode)) {
    return Error(ErrorCode::precondition,
                 fmt::format("cannot make folder {}: a file of that name is there", path.native()));
  }
  // Flushed also if it exists: who made it may have died before.
  HOLDFAST_TRY(const auto parent_folder, open_folder(parent));
  return fsync_folder(parent_folder.get(), path_of(parent));
}

Status LocalFiles::walk(std::string_view folder,
                        const std::function<Status(const Entry&)>& visit) const {
  std::vector<std::pair<std::string, std::size_t>> todo = {{std::string(folder), 1}};
  while (!todo.empty()) {
    const auto [current, depth] = std::move(todo.back());
    todo.pop_back();
    const auto path = path_of(current);
    if (depth > max_depth) {
      return Error(ErrorCode::io, fmt::format("cannot list {}: more than {} folders deep",
                                              path.native(), max_depth));
    }
    auto opened = open_folder(current);
    if (!opened.ok() && opened.error().code() == ErrorCode::not_found) continue;
    if (!opened.ok()) return opened.error();
    const FolderStream stream(::fdopendir(opened->get()));
    if (!stream) return error_from_errno(errno, "list", path);
    opened->release();
    while (true) {
      errno = 0;
      const dirent* found = ::readdir(stream.get());
      if (found == nullptr && errno != 0) return error_from_errno(errno, "list", path);
      if (found == nullptr) break;
      const std::string_view part = found->d_name;
      Entry entry;
      entry.temporary = part.starts_with(temporary_prefix);
      if (!entry.temporary && !is_name_component(part)) continue;
      struct stat status {};
      if (::fstatat(::dirfd(stream.get()), found->d_name, &status, 0) != 0) {
        if (errno == ENOENT) continue;
        return error_from_errno(errno, "examine", path / part);
      }
      entry.name = current.empty() ? std::string(part) : fmt::format("{}/{}", current, part);
      if (S_ISDIR(status.st_mode) && !entry.temporary) todo.emplace_back(entry.name, depth + 1);
      if (!S_ISREG(status.st_mode)) continue;
      entry.size = static_cast<std::uint64_t>(status.st_size);
      entry.modified = status.st_mtime;
      HOLDFAST_CHECK(visit(entry));
    }
  }
  return {};
}

}  // namespace holdfast::blob
