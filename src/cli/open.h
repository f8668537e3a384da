#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "blob/blob_store.h"
#include "blob/open_blob_store.h"
#include "cli/command.h"
#include "mongo/client.h"
#include "repository/repository.h"

namespace holdfast::cli {

/// The configured repository's store. Errors: usage (none configured), no_repository (no such
/// place, and not to be created), …
[[nodiscard]] Result<std::unique_ptr<blob::BlobStore>> open_store(Context& context,
                                                                  blob::OpenMode mode);

/// The configured repository, opened by the configured key; on a terminal it asks for a password
/// where none is configured and one is needed. Errors: those of Repository::open, usage.
[[nodiscard]] Result<std::unique_ptr<repository::Repository>> open_repository(Context& context,
                                                                              blob::OpenMode mode);

/// The configured server. Errors: usage (none configured), those of Client::connect.
[[nodiscard]] Result<std::unique_ptr<mongo::Client>> connect(Context& context);

/// The secret that was configured, read from where it lies; an empty Unlock if none was.
[[nodiscard]] Result<repository::Unlock> read_key(const std::optional<KeyChoice>& choice);

/// Asks twice for a new password. Errors: usage (they differ, or it is empty), cancelled.
[[nodiscard]] Result<SecretBytes> ask_new_password(Context& context, std::string_view what);

/// The database that a URI names, unless it is "admin": that one is there to authenticate.
[[nodiscard]] std::string data_database(const mongo::Client& client);

/// "yes" at a terminal, or `yes` already said. Errors: usage (nobody to ask; says --yes),
/// precondition (another answer), cancelled (asked to stop).
[[nodiscard]] Status confirm(Context& context, bool yes, std::string_view question);

}  // namespace holdfast::cli
