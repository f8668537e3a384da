#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace holdfast::blob {

/// Ways to give a file its final name such that an existing one is never replaced, best first.
enum class NoReplaceMethod {
  rename,  ///< renameat2(RENAME_NOREPLACE): ext4, xfs, btrfs, tmpfs, …
  link,    ///< linkat + unlinkat: NFS, older kernels; a crash between leaves the old name too.
};

/// Renames `from` to `to` within the open folder, if `to` doesn't exist; tries `first`, then those
/// after it if the file system has no such call. `path` is the final path, for messages.
/// Errors: exists (nothing changed), unsupported (the file system can do neither: no repository
/// can be kept there), and those of error_from_errno. Not durable before the folder is flushed.
[[nodiscard]] Status rename_without_replacing(int folder, const std::string& from,
                                              const std::string& to,
                                              const std::filesystem::path& path,
                                              NoReplaceMethod first = NoReplaceMethod::rename);

}  // namespace holdfast::blob
