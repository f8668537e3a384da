#pragma once

#include <map>

#include "base/result.h"
#include "bson/document.h"
#include "changelog/event.h"
#include "dataset/types.h"

namespace holdfast::transfer {

// What the commands of an oplog do to a catalog. Pure functions.

/// The collection that {create: name, …} makes: its options, and its `_id` index.
[[nodiscard]] Result<CollectionInfo> created_collection(const Namespace& ns,
                                                        bson::DocumentView command);

/// createIndexes (one index, in the command itself), commitIndexBuild ({indexes: […]}), dropIndexes
/// and deleteIndexes ({index: name} or "*"), collMod ({index: {name, …}}, and options). An index
/// that is there already stays as the new one. Errors: corrupt (malformed), unsupported.
[[nodiscard]] Status apply_modification(bson::DocumentView command, CollectionInfo& info);

/// A document of system.views inserted, replaced or deleted: {_id: "db.view", viewOn, pipeline}.
/// Errors: corrupt, unsupported (an update by difference).
[[nodiscard]] Status apply_view_change(const changelog::Event& event,
                                       std::map<Uuid, CollectionInfo>& catalog);

}  // namespace holdfast::transfer
