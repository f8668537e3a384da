#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/types.h"

namespace holdfast::interop {

/// What the files of a dump folder are, told by their paths alone. Indexes are into the list of
/// paths that it was made from.
struct DumpLayout {
  struct Collection {
    std::string database;
    std::string escaped;
    std::optional<std::size_t> documents;
    std::optional<std::size_t> metadata;
  };
  std::vector<Collection> collections;
  std::optional<std::size_t> oplog;
  std::optional<std::size_t> prelude;
};

/// Files and folders of one dump, at most.
inline constexpr std::size_t max_dump_files = 2'000'000;

/// `paths`: relative, parts divided by "/". The databases' folders may lie in further folders, as
/// in a tar of "TIMESTAMP/shop/users.bson", if all lie in the same. `database`: the name for files
/// that lie in no folder; empty: such are refused. Errors: usage (several dumps, no database),
/// corrupt (a path that climbs out), not_found (no dump).
[[nodiscard]] Result<DumpLayout> find_dump_layout(const std::vector<std::string>& paths,
                                                  const std::string& database);

/// The catalog's entry of one collection: from its metadata's text, or where there is none from
/// the name of its file. Errors: corrupt (nothing tells the name).
[[nodiscard]] Result<CollectionInfo> describe_dumped(const DumpLayout::Collection& collection,
                                                     const std::optional<std::string>& metadata);

/// Why a collection that has metadata and no documents is not simply empty; nothing for views.
[[nodiscard]] std::string reason_of_missing_documents(const CollectionInfo& info);

/// "ServerVersion" of a prelude.json; empty where it tells none.
[[nodiscard]] std::string server_version_of_prelude(const std::string& json);

}  // namespace holdfast::interop
