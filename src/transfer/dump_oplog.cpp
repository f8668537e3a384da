#include "transfer/dump_oplog.h"

#include <algorithm>
#include <set>
#include <utility>

#include "changelog/held_collection.h"
#include "transfer/catalog_commands.h"

namespace holdfast::transfer {

using changelog::Event;
using changelog::EventKind;
using changelog::OplogChange;

/// Which collection a name means at the current place of the oplog.
class DumpOplog::Names {
 public:
  explicit Names(const std::vector<CollectionInfo>& base) {
    for (const CollectionInfo& info : base) {
      const Uuid identity = changelog::identity_of(info);
      by_name_[info.ns] = identity;
      known_.insert(identity);
      // Dumps of older tools tell no UUID; there the name decides.
      if (!info.uuid) nameless_.insert(identity);
    }
  }

  [[nodiscard]] std::optional<Uuid> find(const Event& event) const {
    if (event.uuid && known_.contains(*event.uuid)) return event.uuid;
    const auto named = by_name_.find(name_of(event));
    if (named == by_name_.end()) return std::nullopt;
    // Another UUID under this name: that collection was gone before the dump read it.
    const bool fits = !event.uuid || nameless_.contains(named->second);
    return fits ? std::optional(named->second) : std::nullopt;
  }

  static Namespace name_of(const Event& event) {
    return {std::string(event.database), std::string(event.collection)};
  }

  /// The identity of a collection that begins here; nothing if the dump holds it already.
  std::optional<Uuid> create(const Event& event) {
    const Namespace ns = name_of(event);
    if (event.uuid && known_.contains(*event.uuid)) return std::nullopt;
    // The dump read a later collection of this name; this one ends before.
    if (by_name_.contains(ns)) return std::nullopt;
    const Uuid identity = event.uuid.value_or(changelog::identity_of(ns));
    if (!event.uuid) nameless_.insert(identity);
    by_name_[ns] = identity;
    known_.insert(identity);
    return identity;
  }

  void drop(const Uuid& identity) {
    std::erase_if(by_name_, [&](const auto& entry) { return entry.second == identity; });
    known_.erase(identity);
  }

  void rename(const Uuid& identity, Namespace to) {
    std::erase_if(by_name_, [&](const auto& entry) { return entry.second == identity; });
    by_name_[std::move(to)] = identity;
  }

  [[nodiscard]] std::optional<Uuid> at(const Namespace& ns) const {
    const auto named = by_name_.find(ns);
    return named == by_name_.end() ? std::nullopt : std::optional(named->second);
  }

  [[nodiscard]] std::vector<Uuid> of_database(std::string_view database) const {
    std::vector<Uuid> found;
    for (const auto& [ns, identity] : by_name_) {
      if (ns.database == database) found.push_back(identity);
    }
    return found;
  }

 private:
  std::map<Namespace, Uuid> by_name_;
  std::set<Uuid> known_;
  std::set<Uuid> nameless_;
};

Status DumpOplog::read(Names& names, const std::function<Status(const OplogChange&)>& visit,
                       ClusterTime* last, bool* cut, std::size_t* open) const {
  HOLDFAST_TRY(const auto cursor, dump_.open_oplog());
  changelog::OplogReader reader;
  const auto take = [&](const OplogChange& change) -> Status {
    if (before_ && change.event.time >= *before_) {
      if (cut != nullptr) *cut = true;
      return {};
    }
    if (last != nullptr) *last = std::max(*last, change.event.time);
    OplogChange resolved = change;
    Event& event = resolved.event;
    if (event.kind == EventKind::create) {
      event.uuid = names.create(event);
    } else if (event.kind != EventKind::drop_database) {
      event.uuid = names.find(event);
    }
    // Not of a collection that is in the dump or was made here.
    const bool of_views = event.collection == "system.views";
    if (!event.uuid && event.kind != EventKind::drop_database && !of_views) return {};
    HOLDFAST_CHECK(visit(resolved));
    if (event.kind == EventKind::drop) names.drop(*event.uuid);
    if (event.kind == EventKind::rename) {
      const Namespace to{std::string(event.to_database), std::string(event.to_collection)};
      if (const auto target = names.at(to); target && target != event.uuid) names.drop(*target);
      names.rename(*event.uuid, to);
    }
    if (event.kind == EventKind::drop_database) {
      for (const Uuid& identity : names.of_database(event.database)) names.drop(identity);
    }
    return {};
  };
  while (true) {
    HOLDFAST_TRY(const auto entry, cursor->next());
    if (!entry) break;
    const Status taken = reader.take(*entry, take);
    if (!taken.ok()) return taken.error().with_context("oplog");
  }
  if (open != nullptr) *open = reader.open_transactions();
  return {};
}

Status DumpOplog::prepare(const std::vector<CollectionInfo>& base) {
  base_ = base;
  for (const CollectionInfo& info : base) catalog_[changelog::identity_of(info)] = info;
  Names names(base_);
  const auto drop = [&](const Uuid& identity) { catalog_.erase(identity); };
  return read(
      names,
      [&](const OplogChange& change) -> Status {
        const Event& event = change.event;
        if (event.collection == "system.views" && event.is_document_change()) {
          return apply_view_change(event, catalog_);
        }
        switch (event.kind) {
          case EventKind::create: {
            HOLDFAST_TRY(CollectionInfo info,
                         created_collection(Names::name_of(event), *change.command));
            info.uuid = event.uuid;
            catalog_[*event.uuid] = std::move(info);
            return {};
          }
          case EventKind::drop: drop(*event.uuid); return {};
          case EventKind::drop_database:
            for (const Uuid& identity : names.of_database(event.database)) drop(identity);
            std::erase_if(catalog_, [&](const auto& entry) {
              return entry.second.ns.database == event.database;
            });
            return {};
          case EventKind::rename: {
            const Namespace to{std::string(event.to_database), std::string(event.to_collection)};
            if (const auto target = names.at(to); target && target != event.uuid) drop(*target);
            catalog_[*event.uuid].ns = to;
            return {};
          }
          case EventKind::modify: return apply_modification(*change.command, catalog_[*event.uuid]);
          default: ++document_changes_; return {};
        }
      },
      &last_time_, &cut_, &open_transactions_);
}

Status DumpOplog::visit(const std::function<Status(const Event&)>& visit) const {
  Names names(base_);
  return read(
      names,
      [&](const OplogChange& change) -> Status {
        const bool document = change.event.is_document_change() && change.event.uuid &&
                              change.event.collection != "system.views";
        return document ? visit(change.event) : Status();
      },
      nullptr, nullptr, nullptr);
}

}  // namespace holdfast::transfer
