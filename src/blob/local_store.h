#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "blob/blob_store.h"

namespace holdfast::blob {

/// Opens a folder as a store: each blob is a file of the same name below `root`. With `create`,
/// the folder and its missing parents are made; otherwise it must exist (not_found,
/// precondition). The store keeps the folder open, so it stays on the same disk even if another
/// is mounted over the path.
///
/// Files get mode 0600 and folders 0700 whatever the umask; a root that exists keeps its mode.
/// A write goes to a file ".tmp-…" in the final folder, in pieces of 1 MiB; commit flushes it to
/// disk, renames it without replacing, and flushes the folder, and once per folder its parents.
/// Listing skips what starts with a dot or is no blob name, and follows symbolic links to folders.
///
/// Errors of `commit` other than `exists` after the rename (the folder cannot be flushed) leave
/// open whether the blob is there; it is whole if it is. A crash leaves ".tmp-…" files, which
/// remove_unfinished clears, judging age by the file system's own clock.
/// free_space knows no quotas.
[[nodiscard]] Result<std::unique_ptr<BlobStore>> open_local_store(const std::filesystem::path& root,
                                                                  bool create);

}  // namespace holdfast::blob
