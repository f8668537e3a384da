#include "blob/no_replace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace holdfast::blob {

namespace {

Error already_exists(const std::filesystem::path& path) {
  return Error(ErrorCode::exists, fmt::format("{} exists and is never overwritten", path.native()));
}

}  // namespace

Status rename_without_replacing(int folder, const std::string& from, const std::string& to,
                                const std::filesystem::path& path, NoReplaceMethod first) {
  if (first == NoReplaceMethod::rename) {
    if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST) return already_exists(path);
    // EINVAL: the file system doesn't know the flag; ENOSYS: the kernel doesn't know the call.
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
      return error_from_errno(errno, "create", path);
    }
  }
  if (::linkat(folder, from.c_str(), folder, to.c_str(), 0) != 0) {
    if (errno == EEXIST) return already_exists(path);
    // EPERM: the file system has no hard links (link(2)).
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) {
      return Error(ErrorCode::unsupported,
                   fmt::format("cannot create {}: its file system can neither rename without "
                               "replacing nor link",
                               path.native()),
                   "keep the repository on a file system with hard links, such as ext4, xfs or "
                   "NFS");
    }
    return error_from_errno(errno, "create", path);
  }
  // The blob is there; a temporary name that stays is cleared by remove_unfinished.
  ::unlinkat(folder, from.c_str(), 0);
  return {};
}

}  // namespace holdfast::blob
