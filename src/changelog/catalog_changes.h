#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/result.h"
#include "changelog/event_sequence.h"
#include "changelog/held_collection.h"

namespace holdfast::changelog {

/// What changes of the catalog a sequence of events holds.
struct CatalogChanges {
  /// Created, dropped or renamed (from and to): rows read under these names during the window
  /// may belong to another collection.
  std::set<Namespace> rebound;
  std::set<Uuid> rebound_uuids;
  /// Also those whose options or indexes changed: their catalog entry must be read again.
  std::set<Namespace> touched;
  std::set<std::string> dropped_databases;
  /// Created inside the window, by UUID: empty at first, so that folding makes them whole.
  std::set<Uuid> born;
  /// UUIDs that a server gave to a collection that it renamed, and what it had before.
  std::map<Uuid, Uuid> aliases;
  /// Some document change told no UUID (a server before 6.0): identities go by name.
  bool names_only = false;
  std::uint64_t document_changes = 0;
  [[nodiscard]] bool none() const { return touched.empty() && dropped_databases.empty(); }
  [[nodiscard]] bool touches(const Namespace& ns) const {
    return touched.contains(ns) || dropped_databases.contains(ns.database);
  }
  [[nodiscard]] bool rebinds(const HeldCollection& held) const {
    return rebound.contains(held.info.ns) || rebound_uuids.contains(identity_of(held.info)) ||
           dropped_databases.contains(held.info.ns.database);
  }
};

/// Collects them. `in_scope`: databases that matter. Errors: those of the sequence.
[[nodiscard]] Result<CatalogChanges> read_catalog_changes(
    const EventSequence& events, const std::function<bool(std::string_view)>& in_scope);

}  // namespace holdfast::changelog
