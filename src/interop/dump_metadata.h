#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "dataset/types.h"

namespace holdfast::interop {

/// A metadata file is a validator and some indexes; far above what servers hold.
inline constexpr std::uint64_t max_metadata_bytes = 32ULL * 1024 * 1024;

/// The text of X.metadata.json: canonical Extended JSON of `options`, `indexes`, `uuid`,
/// `collectionName` and `type`.
[[nodiscard]] std::string write_metadata(const CollectionInfo& info);

/// Reads it, also the forms of older tools: without `collectionName`, `type` or `uuid`, with plain
/// numbers, with `ns` in its indexes (dropped: servers refuse it now). The name is `fallback`'s
/// where the metadata holds none. Errors: corrupt.
[[nodiscard]] Result<CollectionInfo> read_metadata(std::string_view json,
                                                   const Namespace& fallback);

/// What a dump without metadata says of a collection: nothing but its name.
[[nodiscard]] CollectionInfo bare_collection(const Namespace& ns);

/// The `_id` index as servers describe it, for collections that come without metadata.
[[nodiscard]] bson::Document plain_id_index();

}  // namespace holdfast::interop
