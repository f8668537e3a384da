#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dataset/types.h"
#include "interop/dump_reader.h"
#include "interop/dump_writer.h"
#include "interop/gzip.h"
#include "interop/shelf.h"

namespace holdfast::interop {

/// Opens a folder of mongodump: `<db>/<collection>.bson` with `.metadata.json`, each perhaps with
/// `.gz`. `database` names the database where the folder itself holds the files; empty: the
/// folder's own name. Nothing is read yet but names and metadata. Errors: those of
/// find_dump_layout, corrupt, io, …
[[nodiscard]] Result<std::unique_ptr<DumpReader>> open_dump_folder(
    const std::filesystem::path& folder, const std::string& database);

/// Reads a tar (not packed) of such a folder into `shelf`. Errors: corrupt, and the same.
[[nodiscard]] Status read_dump_tar(std::unique_ptr<ByteSource> source, Shelf& shelf,
                                   const std::string& database);

/// Writes such a folder, each file packed if `pool` is not null. It is built beside its place and
/// gets its name in `finish`; a crash leaves only the folder with the temporary name.
/// Errors: exists (the folder is there and not empty), usage (a name that can be no folder's).
[[nodiscard]] Result<std::unique_ptr<DumpWriter>> make_dump_folder_writer(
    const std::filesystem::path& folder, const std::vector<CollectionInfo>& catalog,
    const std::string& server_version, CompressionPool* pool);

/// Writes a tar of such a folder, collection by collection: `insert` serves one at a time, up to
/// its `end_collection`. A member's length stands before it, so documents wait in a spool.
/// `modified`: seconds since 1970, for the members.
[[nodiscard]] Result<std::unique_ptr<DumpWriter>> make_dump_tar_writer(
    std::unique_ptr<ByteSink> sink, const std::vector<CollectionInfo>& catalog,
    const std::string& server_version, const SpoolPlace& place, std::uint64_t modified);

}  // namespace holdfast::interop
