#include "repository/repository.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/scratch_folder.h"
#include "blob/layered_store.h"
#include "blob/local_store.h"
#include "repository/checked_json.h"
#include "repository/context.h"
#include "repository/header.h"
#include "repository/key_store.h"
#include "repository/log_store.h"
#include "repository/names.h"
#include "repository/open_repository.h"
#include "repository/optimize.h"
#include "repository/recovery_text.h"
#include "repository/snapshot_catalog.h"
#include "repository/snapshot_reader.h"
#include "repository/snapshot_writer.h"
#include "repository/verify.h"
#include "repository/verify_log.h"

namespace holdfast::repository {
namespace {

/// Indexes of about 300 GB of documents.
constexpr std::size_t index_cache_bytes = 32U * 1024 * 1024;
constexpr int max_attempts = 8;

Result<Header> read_header(const blob::BlobReader& store) {
  const auto bytes = store.get(header_name, max_checked_json_bytes);
  if (bytes.ok()) return decode_header(*bytes);
  if (bytes.error().code() == ErrorCode::precondition) {
    return Error(ErrorCode::corrupt, std::string(header_name) + " is damaged: it is too long");
  }
  if (bytes.error().code() != ErrorCode::not_found) return bytes.error();
  HOLDFAST_TRY(const std::vector<blob::BlobInfo> blobs, store.list(""));
  const bool traces = std::any_of(blobs.begin(), blobs.end(), [](const blob::BlobInfo& blob) {
    return parse_key_blob(blob.name) || parse_snapshot_blob(blob.name) || parse_log_blob(blob.name);
  });
  if (traces) {
    return Error(ErrorCode::corrupt, "the repository's header is missing at " + store.location(),
                 "restore holdfast.json from a copy; if it was init that stopped, run init again");
  }
  return Error(ErrorCode::no_repository, "there is no repository at " + store.location(),
               "make one with: holdfast init");
}

class StoredRepository final : public Repository {
 public:
  StoredRepository(std::unique_ptr<blob::BlobStore> store, const Header& header,
                   std::optional<SecretBytes> master, RandomSource& random, const Clock& clock,
                   const PasswordCost& cost, std::optional<ScratchFolder> scratch = std::nullopt)
      : scratch_(std::move(scratch)),
        store_(std::move(store)),
        header_(header),
        master_(std::move(master)),
        cost_(cost),
        context_{*store_,
                 random,
                 clock,
                 header.id,
                 header.id_text(),
                 header.encrypted,
                 master_ ? derive_keys(*master_) : plain_keys(header.id),
                 BlockIndexCache(index_cache_bytes)},
        catalog_(context_),
        log_(context_) {}

  const std::string& id() const override { return context_.id_text; }
  bool encrypted() const override { return context_.encrypted; }
  const DocumentHasher& hasher() const override { return context_.keys.hasher; }
  blob::BlobStore& store() override { return *store_; }

  Result<Listing> list() override;
  Result<Manifest> manifest(std::string_view id) override;
  Result<std::unique_ptr<SnapshotReader>> open_snapshot(std::string_view id) override;
  Result<std::unique_ptr<SnapshotWriter>> begin_snapshot(
      const SourceIdentity& source, const LayoutSettings& layout,
      std::vector<FileRef> parent_files) override;
  Result<std::unique_ptr<Repository>> with_scratch(const std::filesystem::path& parent) override;
  Status set_tags(std::string_view id, const std::vector<std::string>& tags) override;
  Result<OptimizeOutcome> optimize(std::string_view id, const OptimizeSettings& settings,
                                   ProgressSink& progress, std::stop_token stop) override;
  Status remove_snapshot(std::string_view id) override;
  Result<LogListing> list_log(const std::string& source) override;
  Result<LogSegmentInfo> put_log_segment(const LogSegmentInfo& info,
                                         const LogEventSource& events) override {
    return log_.put(info, events);
  }
  Status read_log_segment(const LogSegmentInfo& info, const LogEventVisitor& visit) override {
    return log_.read(info, visit);
  }
  Result<std::vector<KeyInfo>> keys() override;
  Result<std::pair<KeyInfo, std::optional<SecretBytes>>> add_key(const Unlock& key, bool recovery,
                                                                 std::string_view label) override;
  Status remove_key(std::string_view key_id) override;
  Result<VerifyReport> verify(bool read_data, const std::vector<std::string>& snapshots,
                              ProgressSink& progress, std::stop_token stop) override;

 private:
  [[nodiscard]] Result<KeySecret> new_secret(const Unlock& key, bool recovery);

  const std::optional<ScratchFolder> scratch_;  ///< What the store writes to, if it is a view.
  const std::unique_ptr<blob::BlobStore> store_;
  const Header header_;
  const std::optional<SecretBytes> master_;
  const PasswordCost cost_;
  Context context_;
  SnapshotCatalog catalog_;
  LogStore log_;
};

Result<Repository::Listing> StoredRepository::list() {
  HOLDFAST_TRY(CatalogListing found, catalog_.list("", SnapshotCatalog::Reading::cached));
  Listing listing;
  for (CatalogEntry& entry : found.snapshots) listing.snapshots.push_back(std::move(entry.summary));
  for (const auto& [name, error] : found.damaged) {
    listing.damaged.push_back(damaged_snapshot_blob(name, error));
  }
  return listing;
}

Result<Manifest> StoredRepository::manifest(std::string_view id) {
  for (int attempt = 0;; ++attempt) {
    HOLDFAST_TRY(const CatalogEntry entry, catalog_.resolve(id));
    auto manifest = catalog_.read(entry.summary.source.id, entry.summary.id, entry.generation);
    const bool changed = !manifest.ok() && manifest.error().code() == ErrorCode::not_found;
    if (!changed || attempt == max_attempts) return manifest;
  }
}

Result<std::unique_ptr<SnapshotReader>> StoredRepository::open_snapshot(std::string_view id) {
  HOLDFAST_TRY(Manifest found, manifest(id));
  return std::unique_ptr<SnapshotReader>(
      std::make_unique<StoredSnapshotReader>(context_, std::move(found)));
}

Result<std::unique_ptr<SnapshotWriter>> StoredRepository::begin_snapshot(
    const SourceIdentity& source, const LayoutSettings& layout, std::vector<FileRef> parent_files) {
  HOLDFAST_TRY(auto writer, StoredSnapshotWriter::begin(context_, catalog_, source, layout,
                                                        std::move(parent_files)));
  return std::unique_ptr<SnapshotWriter>(std::move(writer));
}

Result<std::unique_ptr<Repository>> StoredRepository::with_scratch(
    const std::filesystem::path& parent) {
  HOLDFAST_TRY(ScratchFolder folder, ScratchFolder::create(parent));
  HOLDFAST_TRY(auto upper, blob::open_local_store(folder.path(), false));
  std::optional<SecretBytes> master;
  if (master_) master = master_->clone();
  return std::unique_ptr<Repository>(std::make_unique<StoredRepository>(
      blob::make_layered_store(*store_, std::move(upper)), header_, std::move(master),
      context_.random, context_.clock, cost_, std::move(folder)));
}

Status StoredRepository::set_tags(std::string_view id, const std::vector<std::string>& tags) {
  return catalog_.set_tags(id, tags);
}

Result<OptimizeOutcome> StoredRepository::optimize(std::string_view id,
                                                   const OptimizeSettings& settings,
                                                   ProgressSink& progress, std::stop_token stop) {
  return optimize_snapshot(context_, catalog_, id, settings, progress, stop);
}

Status StoredRepository::remove_snapshot(std::string_view id) { return catalog_.remove(id); }

Result<Repository::LogListing> StoredRepository::list_log(const std::string& source) {
  HOLDFAST_TRY(LogCatalogListing found, log_.list(source, LogStore::Reading::cached));
  LogListing listing;
  listing.segments = std::move(found.segments);
  for (const auto& [name, error] : found.damaged) {
    listing.damaged.push_back(damaged_log_segment(name, error));
  }
  return listing;
}

Result<std::vector<KeyInfo>> StoredRepository::keys() {
  std::vector<KeyInfo> infos;
  if (!context_.encrypted) return infos;
  HOLDFAST_TRY(const std::vector<KeyFile> files, usable_keys(context_));
  for (const KeyFile& file : files) infos.push_back(file.info);
  return infos;
}

Result<KeySecret> StoredRepository::new_secret(const Unlock& key, bool recovery) {
  HOLDFAST_TRY(std::optional<KeySecret> secret, secret_of(key));
  if (recovery) {
    if (secret) return Error(ErrorCode::usage, "a recovery key is made, not given");
    KeySecret made{KeyKind::recovery, SecretBytes(recovery_key_bytes)};
    context_.random.fill(made.bytes.span());
    return made;
  }
  if (!secret || secret->kind == KeyKind::recovery) {
    return Error(ErrorCode::usage, "give the password or the key file that is to be added");
  }
  return std::move(*secret);
}

Result<std::pair<KeyInfo, std::optional<SecretBytes>>> StoredRepository::add_key(
    const Unlock& key, bool recovery, std::string_view label) {
  if (!context_.encrypted) {
    return Error(ErrorCode::precondition, "the repository is not encrypted, so it has no keys");
  }
  HOLDFAST_TRY(const KeySecret secret, new_secret(key, recovery));
  HOLDFAST_TRY(const NewKey made, wrap_master_key(*master_, context_.id, secret, label,
                                                  context_.clock.now(), cost_, context_.random));
  HOLDFAST_CHECK(store_->put(key_name(made.info.id), as_bytes(made.json)));
  std::optional<SecretBytes> text;
  if (recovery) text = recovery_text(secret.bytes.view());
  return std::pair(made.info, std::move(text));
}

Status StoredRepository::remove_key(std::string_view key_id) {
  if (!context_.encrypted) {
    return Error(ErrorCode::precondition, "the repository is not encrypted, so it has no keys");
  }
  return remove_key_file(context_, std::string(key_id));
}

Result<VerifyReport> StoredRepository::verify(bool read_data,
                                              const std::vector<std::string>& snapshots,
                                              ProgressSink& progress, std::stop_token stop) {
  return verify_repository(context_, catalog_, log_, {read_data, snapshots}, progress, stop);
}

}  // namespace

Result<std::unique_ptr<Repository>> open_repository(std::unique_ptr<blob::BlobStore> store,
                                                    const Unlock& unlock, RandomSource& random,
                                                    const Clock& clock, const PasswordCost& cost) {
  HOLDFAST_TRY(const Header header, read_header(*store));
  std::optional<SecretBytes> master;
  if (header.encrypted) {
    HOLDFAST_TRY(master, unlock_master_key(*store, header.id, unlock));
  } else if (unlock.password || unlock.key_file || unlock.recovery_key) {
    return Error(
        ErrorCode::precondition,
        "a key was given, but the repository at " + store->location() + " is not encrypted",
        "if it should be, somebody put another in its place");
  }
  return std::unique_ptr<Repository>(std::make_unique<StoredRepository>(
      std::move(store), header, std::move(master), random, clock, cost));
}

Result<InitOutcome> Repository::init(blob::BlobStore& store, const InitOptions& options,
                                     RandomSource& random, const Clock& clock) {
  return init_repository(store, options, random, clock, PasswordCost{});
}

Result<std::unique_ptr<Repository>> Repository::open(std::unique_ptr<blob::BlobStore> store,
                                                     const Unlock& unlock, RandomSource& random,
                                                     const Clock& clock) {
  return open_repository(std::move(store), unlock, random, clock, PasswordCost{});
}

}  // namespace holdfast::repository
