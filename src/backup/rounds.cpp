#include "backup/rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "backup/reread_phase.h"
#include "changelog/catalog_changes.h"
#include "mongo/catalog.h"

namespace holdfast::backup {

using changelog::CatalogChanges;
using changelog::DrainedEvents;
using changelog::HeldCollection;
using changelog::HeldCollections;
using changelog::identity_of;

Rounds::Rounds(const Tools& tools, repository::SnapshotWriter& writer,
               changelog::StreamDrain* drain)
    : tools_(tools),
      writer_(writer),
      drain_(drain),
      selection_(tools.options.collections, tools.options.exclude),
      fold_settings_{tools.options.memory_bytes, tools.options.spool_folder} {
  if (drain_ != nullptr) boundary_ = drain_->start_boundary();
}

bool Rounds::in_scope(std::string_view database) const {
  return std::binary_search(tools_.databases.begin(), tools_.databases.end(), database);
}

Status Rounds::read_selected_catalog() {
  std::vector<CollectionInfo> all;
  for (const std::string& database : tools_.databases) {
    auto part = mongo::read_catalog(tools_.client, database);
    if (!part.ok()) return part.error().with_context("catalog of " + database);
    std::move(part->begin(), part->end(), std::back_inserter(all));
  }
  if (!std::exchange(catalog_was_read_, true)) HOLDFAST_CHECK(check_selection(all));
  catalog_.clear();
  std::copy_if(all.begin(), all.end(), std::back_inserter(catalog_),
               [&](const CollectionInfo& info) { return selection_.contains(info.ns); });
  return {};
}

Status Rounds::check_selection(const std::vector<CollectionInfo>& found) {
  if (const auto lonely = selection_.unmatched(found); !lonely.empty()) {
    return Error(ErrorCode::not_found,
                 fmt::format("no collection matches {}", fmt::join(lonely, ", ")),
                 "names are case-sensitive; globs match \"collection\" or \"database.collection\"");
  }
  if (found.empty()) {
    return Error(
        ErrorCode::not_found,
        fmt::format("nothing to back up: {} has no collections", fmt::join(tools_.databases, ", ")),
        "check the database's name; a backup of nothing would look like success");
  }
  return {};
}

std::vector<CollectionInfo> Rounds::adopt_catalog() {
  HeldCollections still;  // What is gone from the catalog is let go.
  std::vector<CollectionInfo> wanted;
  for (const CollectionInfo& info : catalog_) {
    if (info.type == CollectionType::view) continue;
    const auto known = held_.find(identity_of(info));
    if (known == held_.end()) {
      wanted.push_back(info);
      continue;
    }
    known->second.info = info;
    // Born in an earlier window and folded from empty, which positions don't allow.
    if (known->second.positional() && known->second.layers.empty() &&
        known->second.fingerprint.documents == 0) {
      wanted.push_back(info);
      continue;
    }
    still.insert(held_.extract(known));
  }
  held_ = std::move(still);
  return wanted;
}

Status Rounds::scan(const std::vector<CollectionInfo>& wanted) {
  lost_.clear();
  if (wanted.empty()) return {};
  const ClusterTime not_before = drain_ != nullptr ? boundary_.time : ClusterTime{};
  const ScanTools scan_tools{tools_.client, writer_,         tools_.hasher, tools_.options,
                             tools_.random, tools_.progress, tools_.stop};
  HOLDFAST_TRY(ScanOutcome scanned,
               scan_collections(scan_tools, wanted, {bases_, audited_}, not_before));
  latest_read_ = std::max(latest_read_, scanned.latest_read);
  lost_ = std::move(scanned.lost);
  std::move(scanned.damaged_bases.begin(), scanned.damaged_bases.end(),
            std::back_inserter(damaged_parents));
  for (HeldCollection& collection : scanned.read) {
    const Uuid identity = identity_of(collection.info);
    held_.insert_or_assign(identity, std::move(collection));
  }
  return {};
}

bool Rounds::drop_stale(const CatalogChanges& changes, bool last) {
  bool any = !lost_.empty();
  for (auto entry = held_.begin(); entry != held_.end();) {
    HeldCollection& held = entry->second;
    // Rows that were read before this window are known by UUID; a rename does not matter to them.
    // Without UUIDs in events nothing follows a rename.
    const bool unsure = held.stale || (changes.names_only && changes.rebinds(held));
    if (!unsure) {
      ++entry;
      continue;
    }
    any = true;
    if (last) {
      held.best_effort_reason = fmt::format(
          "it changed in every one of {} scans in a way that events do not tell", rounds);
      ++entry;
    } else {
      ++scanned_again;
      entry = held_.erase(entry);
    }
  }
  return any;
}

Result<changelog::Boundary> Rounds::barrier() {
  return drain_->barrier(tools_.databases.front(), latest_read_, barrier_patience, tools_.progress,
                         tools_.stop);
}

Result<CatalogChanges> Rounds::fold_to(const changelog::EventSequence& window,
                                       const std::vector<CollectionInfo>& scanned) {
  HOLDFAST_TRY(const CatalogChanges changes,
               read_catalog_changes(window, [&](std::string_view d) { return in_scope(d); }));
  events += changes.document_changes;
  // Rows read while their name may have come to mean another collection don't count.
  for (const CollectionInfo& info : scanned) {
    const auto read = held_.find(identity_of(info));
    if (read != held_.end() && changes.rebinds(read->second)) read->second.stale = true;
  }
  for (const Uuid& uuid : changes.born) held_.try_emplace(uuid);
  HOLDFAST_TRY(const std::uint64_t different,
               fold_events(window, changes, held_,
                           {writer_, tools_.hasher, fold_settings_, tools_.random, tools_.progress,
                            tools_.stop}));
  changed += different;
  return changes;
}

Result<bool> Rounds::close_window(const std::vector<CollectionInfo>& scanned, bool last) {
  HOLDFAST_TRY(const changelog::Boundary end, barrier());
  HOLDFAST_TRY(const CatalogChanges changes,
               fold_to(DrainedEvents(*drain_, boundary_, end), scanned));
  boundary_ = end;
  const bool stale = drop_stale(changes, last);
  if (changes.none() && !stale) return true;
  if (last) HOLDFAST_CHECK(settle_last_round(changes));
  return false;
}

Status Rounds::settle_last_round(const CatalogChanges& changes) {
  HOLDFAST_CHECK(read_selected_catalog());
  for (const CollectionInfo& info : catalog_) {
    const auto known = held_.find(identity_of(info));
    if (known != held_.end()) known->second.info = info;
  }
  for (auto& [uuid, held] : held_) {
    if (!changes.touches(held.info.ns) || !held.best_effort_reason.empty()) continue;
    held.best_effort_reason = fmt::format(
        "it was created, dropped, renamed or altered in every one of {} windows", rounds);
  }
  return {};
}

Status Rounds::catch_up(HeldCollections held, const changelog::EventSequence* before) {
  held_ = std::move(held);
  HOLDFAST_CHECK(read_selected_catalog());
  const bool all_held = adopt_catalog().empty();
  HOLDFAST_TRY(const changelog::Boundary end, barrier());
  const DrainedEvents drained(*drain_, boundary_, end);
  std::vector<const changelog::EventSequence*> parts;
  if (before != nullptr) parts.push_back(before);
  parts.push_back(&drained);
  const auto folded = fold_to(changelog::JoinedEvents(parts), {});
  boundary_ = end;
  if (!folded.ok()) {
    held_.clear();
    return folded.error();
  }
  const bool stale = drop_stale(*folded, false);
  settled_ = all_held && !stale && folded->none();
  return {};
}

Status Rounds::begin_here() {
  HOLDFAST_TRY(boundary_, barrier());
  return {};
}

void Rounds::audit() {
  bases_ = std::exchange(held_, {});
  audited_ = true;
  settled_ = false;
}

void Rounds::add_bases(HeldCollections bases) { bases_.merge(bases); }

Result<bool> Rounds::run_round(bool last) {
  HOLDFAST_CHECK(read_selected_catalog());
  const std::vector<CollectionInfo> wanted = adopt_catalog();
  if (rounds > 1) scanned_again += wanted.size();
  HOLDFAST_CHECK(scan(wanted));
  if (drain_ == nullptr) return true;
  return close_window(wanted, last);
}

Status Rounds::run() {
  for (rounds = 1; !settled_; ++rounds) {
    const bool last = rounds >= tools_.options.max_rounds;
    HOLDFAST_TRY(settled_, run_round(last));
    if (settled_ || last) return {};
    // What is scanned again is still compared, to share what is equal; but the events that would
    // explain a difference lie in windows that are closed by then.
    audited_ = false;
  }
  return {};
}

Status Rounds::reread() {
  if (drain_ == nullptr) return {};
  HOLDFAST_TRY(
      reread_documents,
      holdfast::backup::reread_documents(
          tools_.client, *drain_, boundary_, tools_.databases.front(), held_,
          {writer_, tools_.hasher, fold_settings_, tools_.random, tools_.progress, tools_.stop}));
  return {};
}

}  // namespace holdfast::backup
