#include "repository/verify.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "repository/checked_json.h"
#include "repository/header.h"
#include "repository/key_store.h"
#include "repository/verify_log.h"
#include "repository/verify_state.h"

namespace holdfast::repository {
namespace {

void check_header(const Context& context, VerifyState& state) {
  const auto bytes = context.store.get(header_name, max_checked_json_bytes);
  const auto header = bytes.ok() ? decode_header(*bytes) : Result<Header>(bytes.error());
  std::string problem;
  if (!header.ok()) {
    problem = header.error().message();
  } else if (header->id != context.id || header->encrypted != context.encrypted) {
    problem = "it is another repository's header";
  }
  if (!problem.empty()) state.add_damage("header", std::string(header_name), problem);
}

/// Every manifest names those before it, so one that is gone leaves a trace.
void check_chain(const CatalogListing& listing, VerifyState& state) {
  std::set<std::pair<std::string, std::string>> known;
  for (const CatalogEntry& entry : listing.snapshots) {
    known.emplace(entry.summary.source.id, entry.summary.id);
  }
  for (const SnapshotTombstone& tombstone : listing.tombstones) {
    known.emplace(tombstone.source, tombstone.id);
  }
  for (const auto& [name, error] : listing.damaged) known.emplace(name.source, name.id);

  std::set<std::string> reported;
  const auto check = [&](const std::string& source, const std::string& successor,
                         const std::vector<std::string>& predecessors) {
    for (const std::string& id : predecessors) {
      if (known.contains({source, id})) continue;
      if (!reported.insert(id).second) continue;
      state.add_damage("manifest", manifest_name(source, id, 1),
                       "a snapshot is missing: " + successor + " names it as its predecessor",
                       {id});
    }
  };
  for (const CatalogEntry& entry : listing.snapshots) {
    check(entry.summary.source.id, entry.summary.id, entry.summary.predecessors);
  }
  for (const SnapshotTombstone& tombstone : listing.tombstones) {
    check(tombstone.source, tombstone.id, tombstone.predecessors);
  }
}

Status check_keys(const Context& context, const std::set<std::string>& expected,
                  VerifyState& state) {
  if (!context.encrypted) return {};
  HOLDFAST_TRY(const KeyListing listing, list_keys(context.store, context.id));
  std::set<std::string> found;
  for (const KeyFile& file : listing.files) found.insert(file.info.id);
  for (const auto& [id, error] : listing.damaged) {
    found.insert(id);
    state.add_damage("key", key_name(id), error.message());
  }
  for (const std::string& id : listing.tombstones) {
    const auto removed = is_key_removed(context, id);
    if (removed.ok() && *removed) {
      found.insert(id);
    } else if (!removed.ok()) {
      if (!tells_of_damage(removed.error())) return removed.error();
      found.insert(id);
      state.add_damage("tombstone", key_tombstone_name(id), removed.error().message());
    }
  }
  for (const std::string& id : expected) {
    if (found.contains(id)) continue;
    state.add_damage("key", key_name(id),
                     "a key is missing: a snapshot says that it was there, and nobody removed it");
  }
  return {};
}

/// The entries of `listing` that were asked for.
Result<std::vector<CatalogEntry>> chosen_entries(SnapshotCatalog& catalog,
                                                 const CatalogListing& listing,
                                                 const std::vector<std::string>& ids) {
  if (ids.empty()) return listing.snapshots;
  std::vector<CatalogEntry> chosen;
  for (const std::string& id : ids) {
    HOLDFAST_TRY(CatalogEntry entry, catalog.resolve(id));
    const bool twice = std::any_of(chosen.begin(), chosen.end(), [&entry](const auto& one) {
      return one.summary.id == entry.summary.id;
    });
    if (!twice) chosen.push_back(std::move(entry));
  }
  return chosen;
}

/// The manifest whole; nothing if the snapshot was removed meanwhile.
Result<std::optional<Manifest>> read_manifest(SnapshotCatalog& catalog,
                                              const CatalogEntry& listed) {
  CatalogEntry entry = listed;
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto manifest = catalog.read(entry.summary.source.id, entry.summary.id, entry.generation);
    if (manifest.ok()) return std::optional(std::move(*manifest));
    if (manifest.error().code() != ErrorCode::not_found) return manifest.error();
    auto again = catalog.resolve(entry.summary.id);
    if (!again.ok()) {
      if (again.error().code() == ErrorCode::not_found) return std::optional<Manifest>();
      return again.error();
    }
    entry = std::move(*again);
  }
  return Error(ErrorCode::corrupt, "the manifest is listed but cannot be read");
}

Status read_manifests(SnapshotCatalog& catalog, const std::vector<CatalogEntry>& entries,
                      VerifyState& state, std::set<std::string>& expected_keys,
                      const std::stop_token& stop) {
  for (const CatalogEntry& entry : entries) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    const std::string& id = entry.summary.id;
    const std::string name = manifest_name(entry.summary.source.id, id, entry.generation);
    const auto manifest = read_manifest(catalog, entry);
    Status added;
    if (!manifest.ok()) {
      if (!tells_of_damage(manifest.error())) return manifest.error();
      added = manifest.error();
    } else if (*manifest) {
      ++state.report.snapshots;
      expected_keys.insert((*manifest)->keys.begin(), (*manifest)->keys.end());
      added = state.add_manifest(**manifest);
    }
    if (!added.ok()) state.add_damage("manifest", name, added.error().message(), {id});
  }
  return {};
}

void check_files(const CatalogListing& listing, bool all_manifests_read, VerifyState& state) {
  std::map<std::string, std::uint64_t> stored;
  for (const blob::BlobInfo& blob : listing.blobs) {
    if (parse_segment_blob(blob.name)) stored.emplace(blob.name, blob.size);
  }
  for (auto& [name, file] : state.files) {
    const auto found = stored.find(name);
    if (found == stored.end()) {
      state.add_file_damage(file, name, "the file is missing");
    } else if (found->second != file.reference.length) {
      state.add_file_damage(file, name,
                            "the file has " + std::to_string(found->second) + " bytes instead of " +
                                std::to_string(file.reference.length));
    }
    for (const auto& [offset, segment] : file.segments) {
      state.report.documents += segment->reference.entries;
      state.report.document_bytes += segment->reference.document_bytes;
    }
  }
  state.report.files = state.files.size();
  if (!all_manifests_read) return;
  for (const auto& [name, size] : stored) {
    if (!state.files.contains(name)) ++state.report.unreferenced_files;
  }
}

}  // namespace

Damage damaged_snapshot_blob(const SnapshotBlobName& name, const Error& error) {
  const bool tombstone = name.generation == 0;
  Damage damage;
  damage.what = tombstone ? "tombstone" : "manifest";
  damage.where = tombstone ? tombstone_name(name.source, name.id)
                           : manifest_name(name.source, name.id, name.generation);
  damage.sentence = error.message();
  damage.affects = {name.id};
  return damage;
}

Result<VerifyReport> verify_repository(Context& context, SnapshotCatalog& catalog, LogStore& log,
                                       const VerifyOptions& options, ProgressSink& progress,
                                       std::stop_token stop) {
  VerifyState state;
  progress.stage("read manifests", 0, 0);
  check_header(context, state);
  HOLDFAST_TRY(const CatalogListing listing, catalog.list("", SnapshotCatalog::Reading::afresh));
  for (const auto& [name, error] : listing.damaged) {
    state.report.damage.push_back(damaged_snapshot_blob(name, error));
  }
  check_chain(listing, state);
  HOLDFAST_TRY(const std::vector<CatalogEntry> entries,
               chosen_entries(catalog, listing, options.snapshots));
  std::set<std::string> expected_keys;
  HOLDFAST_CHECK(read_manifests(catalog, entries, state, expected_keys, stop));
  HOLDFAST_CHECK(check_keys(context, expected_keys, state));
  check_files(listing, options.snapshots.empty(), state);
  if (options.read_data) HOLDFAST_CHECK(verify_data(context, state, progress, stop));
  if (options.snapshots.empty()) {
    HOLDFAST_CHECK(verify_log(log, options.read_data, state, progress, stop));
  }
  for (const SnapshotCheck& snapshot : state.snapshots) {
    if (snapshot.whole) state.report.whole_snapshots.push_back(snapshot.id);
  }
  return std::move(state.report);
}

}  // namespace holdfast::repository
