#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "blob/probe_store.h"
#include "repository/header.h"
#include "repository/key_store.h"
#include "repository/names.h"
#include "repository/open_repository.h"
#include "repository/recovery_text.h"

namespace holdfast::repository {
namespace {

/// Errors: exists, precondition (something else is there).
Status check_place(const blob::BlobStore& store) {
  HOLDFAST_TRY(const std::vector<blob::BlobInfo> blobs, store.list(""));
  for (const blob::BlobInfo& blob : blobs) {
    if (blob.name == header_name) {
      return Error(ErrorCode::exists, "there is a repository at " + store.location());
    }
  }
  for (const blob::BlobInfo& blob : blobs) {
    // Keys without a header are what an interrupted init leaves.
    const bool leavings = blob.name.starts_with(keys_prefix) || blob.name.starts_with(probe_prefix);
    if (!leavings) {
      return Error(ErrorCode::precondition,
                   store.location() + " is not empty: it holds " + blob.name,
                   "choose an empty place");
    }
  }
  return {};
}

/// The keys that init made, so that it can take them back.
struct MadeKeys {
  std::vector<std::string> names;
  std::optional<SecretBytes> recovery_text;
};

Status put_key(blob::BlobStore& store, const NewKey& key, MadeKeys& made) {
  const std::string name = key_name(key.info.id);
  HOLDFAST_CHECK(store.put(name, as_bytes(key.json)));
  made.names.push_back(name);
  return {};
}

Status make_keys(blob::BlobStore& store, const Header& header, const KeySecret& first,
                 RandomSource& random, const PasswordCost& cost, MadeKeys& made) {
  SecretBytes master(master_key_bytes);
  random.fill(master.span());
  HOLDFAST_TRY(const NewKey key,
               wrap_master_key(master, header.id, first, "first", header.created, cost, random));
  HOLDFAST_CHECK(put_key(store, key, made));

  KeySecret recovery{KeyKind::recovery, SecretBytes(recovery_key_bytes)};
  random.fill(recovery.bytes.span());
  HOLDFAST_TRY(const NewKey recovery_key, wrap_master_key(master, header.id, recovery, "recovery",
                                                          header.created, cost, random));
  HOLDFAST_CHECK(put_key(store, recovery_key, made));
  made.recovery_text = recovery_text(recovery.bytes.view());
  return {};
}

/// After our header won: keys of an init that was interrupted, or that lost against this one.
void remove_foreign_keys(blob::BlobStore& store, const RepositoryId& id) {
  const auto listing = list_keys(store, id);
  if (!listing.ok()) return;  // they are harmless
  for (const std::string& foreign : listing->foreign) {
    [[maybe_unused]] const Status removed = store.remove(key_name(foreign));
  }
}

void take_back(blob::BlobStore& store, const MadeKeys& made) {
  for (const std::string& name : made.names) {
    [[maybe_unused]] const Status removed = store.remove(name);
  }
}

}  // namespace

Result<InitOutcome> init_repository(blob::BlobStore& store, const InitOptions& options,
                                    RandomSource& random, const Clock& clock,
                                    const PasswordCost& cost) {
  HOLDFAST_TRY(const std::optional<KeySecret> first, secret_of(options.first_key));
  if (options.encrypt && !first) {
    return Error(ErrorCode::usage, "an encrypted repository needs a password or a key file");
  }
  if (options.encrypt && first->kind == KeyKind::recovery) {
    return Error(ErrorCode::usage, "the first key is a password or a key file");
  }
  if (!options.encrypt && first) {
    return Error(ErrorCode::usage, "a repository without encryption takes no key");
  }
  HOLDFAST_CHECK(check_place(store));
  if (const Status probed = blob::probe_store(store); !probed.ok()) {
    if (probed.error().code() != ErrorCode::unsupported) return probed.error();
    return Error(ErrorCode::precondition, probed.error().message(), probed.error().hint());
  }

  Header header;
  header.id = random.bytes<16>();
  header.encrypted = options.encrypt;
  header.created = clock.now();
  MadeKeys made;
  Status done;
  if (options.encrypt) done = make_keys(store, header, *first, random, cost, made);
  if (done.ok()) done = store.put(header_name, as_bytes(encode_header(header)));
  if (!done.ok()) {
    // Only `exists` says for certain that the header is not ours; else the keys may be needed.
    if (done.error().code() == ErrorCode::exists) {
      take_back(store, made);
      return Error(ErrorCode::exists, "there is a repository at " + store.location());
    }
    return done.error();
  }
  remove_foreign_keys(store, header.id);
  return InitOutcome{header.id_text(), std::move(made.recovery_text)};
}

}  // namespace holdfast::repository
