#include "changelog/catalog_changes.h"

namespace holdfast::changelog {

namespace {

void note_catalog_change(const Event& event, CatalogChanges& changes) {
  if (event.kind == EventKind::drop_database) {
    changes.dropped_databases.emplace(event.database);
    return;
  }
  const Namespace ns{std::string(event.database), std::string(event.collection)};
  changes.touched.insert(ns);
  if (event.kind == EventKind::modify) return;
  changes.rebound.insert(ns);
  if (event.kind == EventKind::create && event.uuid) changes.born.insert(*event.uuid);
  if (event.kind != EventKind::rename) return;
  const Namespace to{std::string(event.to_database), std::string(event.to_collection)};
  changes.touched.insert(to);
  changes.rebound.insert(to);
  if (event.replaced_uuid) changes.rebound_uuids.insert(*event.replaced_uuid);
}

}  // namespace

Result<CatalogChanges> read_catalog_changes(const EventSequence& events,
                                            const std::function<bool(std::string_view)>& in_scope) {
  CatalogChanges changes;
  const auto visit = [&](const Event& event) -> Status {
    if (event.is_document_change()) {
      changes.document_changes += 1;
      changes.names_only = changes.names_only || !event.uuid;
      return {};
    }
    const bool renamed_into = event.kind == EventKind::rename && in_scope(event.to_database);
    if (in_scope(event.database) || renamed_into) note_catalog_change(event, changes);
    return {};
  };
  HOLDFAST_CHECK(events.visit(visit));
  return changes;
}

}  // namespace holdfast::changelog
