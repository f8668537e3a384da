#include "cli/open.h"

#include <fmt/format.h>

#include "cli/secret_input.h"

namespace holdfast::cli {
namespace {

/// Typing slips happen; a stranger's guesses are slowed by argon2id anyway.
constexpr int password_tries = 3;

Result<std::unique_ptr<repository::Repository>> open_with(Context& context, blob::OpenMode mode,
                                                          const repository::Unlock& unlock) {
  HOLDFAST_TRY(auto store, open_store(context, mode));
  return repository::Repository::open(std::move(store), unlock, context.random, context.clock);
}

}  // namespace

Result<std::unique_ptr<blob::BlobStore>> open_store(Context& context, blob::OpenMode mode) {
  const std::string& place = context.settings.repository;
  if (place.empty()) {
    return Error(ErrorCode::usage, "no repository is named",
                 "give --repository, set BACKUP_PATH, or write repository: into the "
                 "configuration file");
  }
  auto store = blob::open_blob_store(place, mode);
  if (store.ok() || store.error().code() != ErrorCode::not_found) return store;
  return Error(ErrorCode::no_repository, fmt::format("there is no repository at {}", place),
               "'holdfast init' makes one");
}

Result<repository::Unlock> read_key(const std::optional<KeyChoice>& choice) {
  repository::Unlock unlock;
  if (!choice) return unlock;
  switch (choice->kind) {
    case KeyChoice::Kind::password: unlock.password = SecretBytes(as_bytes(choice->value)); break;
    case KeyChoice::Kind::password_file: {
      HOLDFAST_TRY(unlock.password, read_secret_line(choice->value));
      break;
    }
    case KeyChoice::Kind::key_file: {
      HOLDFAST_TRY(unlock.key_file, read_secret_file(choice->value));
      break;
    }
    case KeyChoice::Kind::recovery_key_file: {
      HOLDFAST_TRY(unlock.recovery_key, read_secret_line(choice->value));
      break;
    }
  }
  return unlock;
}

Result<std::unique_ptr<repository::Repository>> open_repository(Context& context,
                                                                blob::OpenMode mode) {
  HOLDFAST_TRY(const repository::Unlock unlock, read_key(context.settings.key));
  auto opened = open_with(context, mode, unlock);
  const bool lacks_key =
      !context.settings.key && !opened.ok() && opened.error().code() == ErrorCode::wrong_key;
  if (!lacks_key) return opened;
  if (!context.terminal.can_ask()) {
    const Error& error = opened.error();
    std::string hint = "give --password-file, --key-file, --recovery-key-file or HOLDFAST_PASSWORD";
    if (!error.hint().empty()) hint += "; " + error.hint();
    return Error(error.code(), error.message(), hint);
  }
  for (int i = 0; i < password_tries; ++i) {
    repository::Unlock typed;
    HOLDFAST_TRY(typed.password,
                 context.terminal.ask_secret(
                     fmt::format("Password of {}: ", context.settings.repository), context.stop));
    opened = open_with(context, mode, typed);
    if (opened.ok() || opened.error().code() != ErrorCode::wrong_key) break;
    if (i + 1 < password_tries) context.terminal.write_error("that is not it\n");
  }
  return opened;
}

Result<std::unique_ptr<mongo::Client>> connect(Context& context) {
  if (context.settings.uri.empty()) {
    return Error(ErrorCode::usage, "no server is named",
                 "give --uri, set MONGODB_URI, or write uri: into the configuration file");
  }
  return mongo::Client::connect(context.settings.uri);
}

Result<SecretBytes> ask_new_password(Context& context, std::string_view what) {
  HOLDFAST_TRY(SecretBytes first,
               context.terminal.ask_secret(fmt::format("{}: ", what), context.stop));
  if (first.empty()) return Error(ErrorCode::usage, "an empty password protects nothing");
  HOLDFAST_TRY(const SecretBytes second, context.terminal.ask_secret("Once more: ", context.stop));
  if (!same_secret(first.view(), second.view())) {
    return Error(ErrorCode::usage, "the two passwords differ");
  }
  return first;
}

std::string data_database(const mongo::Client& client) {
  return client.default_database() == "admin" ? std::string{} : client.default_database();
}

Status confirm(Context& context, bool yes, std::string_view question) {
  if (yes) return {};
  if (!context.terminal.can_ask()) {
    return Error(ErrorCode::usage, fmt::format("{} Nobody is here to answer.", question),
                 "say --yes");
  }
  HOLDFAST_TRY(const std::string answer,
               context.terminal.ask(fmt::format("{} Type yes to go on: ", question), context.stop));
  if (answer == "yes") return {};
  return Error(ErrorCode::precondition, "not confirmed; nothing was changed");
}

}  // namespace holdfast::cli
