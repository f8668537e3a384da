#include "repository/key_store.h"

#include <algorithm>
#include <optional>
#include <set>

#include "bson/builder.h"
#include "repository/checked_json.h"
#include "repository/header.h"
#include "repository/names.h"

namespace holdfast::repository {
namespace {

/// Far more keys than anybody hands out; bounds what a crowded folder makes us read.
constexpr std::size_t max_keys = 10'000;

std::string kinds_text(const std::vector<KeyFile>& files) {
  std::set<std::string_view> kinds;
  for (const KeyFile& file : files) kinds.insert(name_of(file.kind));
  std::string text;
  for (const std::string_view kind : kinds) {
    text += text.empty() ? "" : ", ";
    text += kind;
  }
  return text.empty() ? "the repository has no intact key"
                      : "the repository has keys of kind: " + text;
}

/// The key opened, but it was taken out of use: is that genuine?
bool removed_by_owner(const blob::BlobReader& store, const RepositoryId& repository,
                      const std::string& id, const SecretBytes& master) {
  const RepositoryKeys keys = derive_keys(master);
  const std::string name = key_tombstone_name(id);
  const auto bytes = store.get(name, max_checked_json_bytes);
  return bytes.ok() &&
         open_object({repository, keys.objects}, SealKind::key_tombstone, name, *bytes).ok();
}

}  // namespace

bool KeyListing::has_tombstone(const std::string& id) const {
  return std::find(tombstones.begin(), tombstones.end(), id) != tombstones.end();
}

Result<KeyListing> list_keys(const blob::BlobReader& store, const RepositoryId& repository) {
  HOLDFAST_TRY(const std::vector<blob::BlobInfo> blobs, store.list(keys_prefix));
  if (blobs.size() > max_keys) {
    return Error(ErrorCode::corrupt, "there are more than 10 000 files in keys/");
  }
  KeyListing listing;
  for (const blob::BlobInfo& blob : blobs) {
    const auto name = parse_key_blob(blob.name);
    if (!name) continue;
    if (name->removed) {
      listing.tombstones.push_back(name->id);
      continue;
    }
    const auto bytes = store.get(blob.name, max_checked_json_bytes);
    if (!bytes.ok()) {
      const ErrorCode code = bytes.error().code();
      if (code == ErrorCode::not_found) continue;  // removed since it was listed
      if (code != ErrorCode::precondition) return bytes.error();
      listing.damaged.emplace_back(name->id, bytes.error());
      continue;
    }
    auto file = decode_key_file(name->id, *bytes);
    if (!file.ok()) {
      listing.damaged.emplace_back(name->id, file.error());
    } else if (file->repository != to_hex(repository)) {
      listing.foreign.push_back(name->id);
    } else {
      listing.files.push_back(std::move(*file));
    }
  }
  return listing;
}

Result<SecretBytes> unlock_master_key(const blob::BlobReader& store, const RepositoryId& repository,
                                      const Unlock& unlock) {
  HOLDFAST_TRY(const std::optional<KeySecret> secret, secret_of(unlock));
  HOLDFAST_TRY(const KeyListing listing, list_keys(store, repository));
  const std::string kinds = kinds_text(listing.files);
  if (!secret) {
    if (listing.files.empty() && !listing.damaged.empty()) return listing.damaged.front().second;
    return Error(ErrorCode::wrong_key, "the repository is encrypted and no key was given", kinds);
  }
  for (const KeyFile& file : listing.files) {
    if (file.kind != secret->kind) continue;
    auto master = unwrap_master_key(file, *secret);
    if (!master.ok()) {
      if (master.error().code() == ErrorCode::wrong_key) continue;
      return master.error();
    }
    if (listing.has_tombstone(file.info.id) &&
        removed_by_owner(store, repository, file.info.id, *master)) {
      return Error(ErrorCode::wrong_key, "key " + file.info.id + " was removed", kinds);
    }
    return std::move(*master);
  }
  if (!listing.damaged.empty()) {
    return Error(ErrorCode::corrupt,
                 listing.damaged.front().second.message() +
                     "; no other key opens with the one given, which may be right",
                 "restore that file from a copy, or use another key");
  }
  const std::string given(name_of(secret->kind));
  return Error(ErrorCode::wrong_key, "no key of this repository opens with the " + given + " given",
               kinds);
}

Result<bool> is_key_removed(const Context& context, const std::string& id) {
  const auto tombstone = get_object(context, SealKind::key_tombstone, key_tombstone_name(id));
  if (tombstone.ok()) return true;
  if (tombstone.error().code() == ErrorCode::not_found) return false;
  return tombstone.error();
}

Result<std::vector<KeyFile>> usable_keys(const Context& context) {
  HOLDFAST_TRY(KeyListing listing, list_keys(context.store, context.id));
  std::vector<KeyFile> usable;
  for (KeyFile& file : listing.files) {
    if (listing.has_tombstone(file.info.id)) {
      const auto removed = is_key_removed(context, file.info.id);
      // A damaged tombstone takes nothing out of use; verify reports it.
      if (!removed.ok() && removed.error().code() != ErrorCode::corrupt) return removed.error();
      if (removed.ok() && *removed) continue;
    }
    usable.push_back(std::move(file));
  }
  return usable;
}

Result<std::vector<std::string>> expected_key_ids(const Context& context) {
  HOLDFAST_TRY(const KeyListing listing, list_keys(context.store, context.id));
  std::set<std::string> ids;
  for (const KeyFile& file : listing.files) ids.insert(file.info.id);
  for (const auto& [id, why] : listing.damaged) ids.insert(id);
  for (const std::string& id : listing.tombstones) ids.insert(id);
  return std::vector<std::string>(ids.begin(), ids.end());
}

Status remove_key_file(Context& context, const std::string& id) {
  HOLDFAST_TRY(const KeyListing listing, list_keys(context.store, context.id));
  const bool intact = std::any_of(listing.files.begin(), listing.files.end(),
                                  [&id](const KeyFile& file) { return file.info.id == id; });
  const bool damaged = std::any_of(listing.damaged.begin(), listing.damaged.end(),
                                   [&id](const auto& entry) { return entry.first == id; });
  if (!intact && !damaged) return Error(ErrorCode::not_found, "there is no key " + id);

  bson::Builder content;
  content.append_string("key", id).append_date("removed", to_milliseconds(context.clock.now()));
  const std::string tombstone = key_tombstone_name(id);
  const Status put = put_object(context, SealKind::key_tombstone, tombstone,
                                {std::move(content).finish().bytes()});
  // After a crash between the tombstone and the removal, the same call goes on here.
  if (!put.ok() && put.error().code() != ErrorCode::exists) return put;

  // Looked at after the tombstone is there, so that of two calls for the last two keys one fails.
  HOLDFAST_TRY(const std::vector<KeyFile> rest, usable_keys(context));
  if (rest.empty()) {
    HOLDFAST_CHECK(context.store.remove(tombstone));
    return Error(ErrorCode::precondition, "this is the last key; without it nothing opens",
                 "add another key first");
  }
  const Status removed = context.store.remove(key_name(id));
  if (!removed.ok() && removed.error().code() != ErrorCode::not_found) return removed;
  return {};
}

}  // namespace holdfast::repository
