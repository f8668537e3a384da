#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "blob/blob_store.h"
#include "repository/context.h"
#include "repository/key_file.h"

namespace holdfast::repository {

/// What lies below "keys/".
struct KeyListing {
  std::vector<KeyFile> files;                          ///< Of this repository.
  std::vector<std::pair<std::string, Error>> damaged;  ///< Id and why.
  /// Ids whose files belong to another repository: an interrupted init's leavings, or brought
  /// here by somebody. They open nothing.
  std::vector<std::string> foreign;
  std::vector<std::string> tombstones;  ///< Ids; not yet authenticated.

  [[nodiscard]] bool has_tombstone(const std::string& id) const;
};
[[nodiscard]] Result<KeyListing> list_keys(const blob::BlobReader& store,
                                           const RepositoryId& repository);

/// Finds the master key. Errors: wrong_key (its hint names the kinds of key that there are),
/// corrupt (only a damaged key file could have fitted), usage.
[[nodiscard]] Result<SecretBytes> unlock_master_key(const blob::BlobReader& store,
                                                    const RepositoryId& repository,
                                                    const Unlock& unlock);

/// Whether the key's tombstone is there and genuine. Errors: corrupt, io, …
[[nodiscard]] Result<bool> is_key_removed(const Context& context, const std::string& id);
/// Keys that open the repository: intact and not removed.
[[nodiscard]] Result<std::vector<KeyFile>> usable_keys(const Context& context);
/// Ids of all keys that should be there from now on: what a manifest records.
[[nodiscard]] Result<std::vector<std::string>> expected_key_ids(const Context& context);
/// Errors: not_found, precondition (the last key).
[[nodiscard]] Status remove_key_file(Context& context, const std::string& id);

}  // namespace holdfast::repository
