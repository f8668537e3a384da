#pragma once

#include <optional>

#include "mongo/catalog.h"

namespace holdfast::mongo {

/// The raw listCollections entry of one name, or nothing.
[[nodiscard]] Result<std::optional<bson::Document>> find_listed(Client& client,
                                                                const Namespace& ns);

/// The same, tried again while the server is away.
[[nodiscard]] Result<std::optional<bson::Document>> find_listed_retrying(Client& client,
                                                                         const Namespace& ns);
/// Whether `expected` still stands under its name with its UUID. Errors: precondition (dropped,
/// renamed, replaced).
[[nodiscard]] Status check_still_there(Client& client, const CollectionInfo& expected);

/// The UUID of a listCollections entry.
[[nodiscard]] std::optional<Uuid> uuid_of(bson::DocumentView listed);

}  // namespace holdfast::mongo
