#include "changelog/catalog_fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bson/builder.h"

namespace holdfast::changelog {

namespace {

constexpr std::array collection_options{
    std::string_view("validator"),          std::string_view("validationLevel"),
    std::string_view("validationAction"),   std::string_view("viewOn"),
    std::string_view("pipeline"),           std::string_view("changeStreamPreAndPostImages"),
    std::string_view("expireAfterSeconds"), std::string_view("recordPreImages"),
};

/// SecantusDB's Rust server tells these where $out takes the indexes of what it replaces over.
constexpr std::array internal_index_fields{
    std::string_view("entryFormat"), std::string_view("numberKeys"), std::string_view("multikey")};

std::optional<bson::DocumentView> description_of(const Event& event) {
  return event.raw.find_document("operationDescription");
}

bool same_name(bson::DocumentView a, bson::DocumentView b) {
  return a.find_string("name") == b.find_string("name");
}

/// `document` with `name` set to `value`, in its place or at the end; without it if no value.
bson::Document with_field(bson::DocumentView document, std::string_view name,
                          std::optional<bson::ValueView> value) {
  bson::Builder changed;
  bool placed = false;
  for (const auto element : document) {
    if (element.name != name) {
      changed.append(element.name, element.value);
    } else if (value && !std::exchange(placed, true)) {
      changed.append(name, *value);
    }
  }
  if (value && !placed) changed.append(name, *value);
  return std::move(changed).finish();
}

bool is_empty_document(bson::ValueView value) {
  return value.type() == bson::Type::document && value.as_document().empty();
}

bson::Document id_index() {
  bson::Builder index;
  index.append_int32("v", 2);
  index.begin_document("key").append_int32("_id", 1).end();
  index.append_string("name", "_id_");
  return std::move(index).finish();
}

/// The index of the `_id` always has the collection's collation, whether the event says so or not.
bson::Document id_index_of(bson::DocumentView description) {
  const auto told = description.find_document("idIndex");
  const auto collation = description.find("collation");
  const bson::Document index = told ? bson::Document(*told) : id_index();
  if (!collation || index.view().find("collation")) return index;
  return with_field(index.view(), "collation", collation);
}

/// A create event's description as listCollections would show the options.
bson::Document options_of(bson::DocumentView description) {
  bson::Builder options;
  for (const auto element : description) {
    if (element.name == "idIndex" || element.name == "uuid" || element.name == "temp") continue;
    const bool other_name = element.name == "viewPipeline";
    options.append(other_name ? "pipeline" : element.name, element.value);
  }
  return std::move(options).finish();
}

CollectionType type_of(bson::DocumentView options) {
  if (options.find("viewOn")) return CollectionType::view;
  return options.find("timeseries") ? CollectionType::timeseries : CollectionType::collection;
}

Error misfit(std::string_view what, const Namespace& ns, const Event& event) {
  return Error(ErrorCode::corrupt, fmt::format("the log does not fit the catalog: {} {} at {}",
                                               what, ns.text(), event.time.text()));
}

/// What listIndexes would show of an index.
bson::Document shown_index(bson::DocumentView index) {
  bson::Builder shown;
  for (const auto element : index) {
    if (std::find(internal_index_fields.begin(), internal_index_fields.end(), element.name) ==
        internal_index_fields.end()) {
      shown.append(element.name, element.value);
    }
  }
  return std::move(shown).finish();
}

void add_index(CollectionInfo& info, bson::DocumentView index) {
  const auto known =
      std::find_if(info.indexes.begin(), info.indexes.end(),
                   [&](const bson::Document& each) { return same_name(each.view(), index); });
  if (known == info.indexes.end()) info.indexes.push_back(shown_index(index));
}

void drop_index(CollectionInfo& info, bson::DocumentView index) {
  std::erase_if(info.indexes,
                [&](const bson::Document& each) { return same_name(each.view(), index); });
}

/// collMod of one index: named, or known by its key pattern.
void modify_index(CollectionInfo& info, bson::DocumentView change) {
  const auto key = change.find_document("keyPattern");
  for (bson::Document& index : info.indexes) {
    const auto own_key = index.view().find_document("key");
    const bool by_key = key && own_key && same_bytes(key->bytes(), own_key->bytes());
    if (!same_name(index.view(), change) && !by_key) continue;
    for (const auto element : change) {
      if (element.name == "name" || element.name == "keyPattern") continue;
      // An index that is shown again, or no longer prepared, has no such field.
      const bool off = element.value.type() == bson::Type::boolean && !element.value.as_bool();
      index =
          with_field(index.view(), element.name, off ? std::nullopt : std::optional(element.value));
    }
  }
}

void modify_option(CollectionInfo& info, std::string_view name, bson::ValueView value) {
  const bool removed = name == "validator" && is_empty_document(value);
  info.options =
      with_field(info.options.view(), name, removed ? std::nullopt : std::optional(value));
}

/// A collMod of one of the three writes all of them down, with their defaults (mongod's
/// Collection::setValidator and its like).
void complete_validation(CollectionInfo& info) {
  bson::Builder defaults;
  defaults.append_string("validationLevel", "strict").append_string("validationAction", "error");
  const bson::Document complete = std::move(defaults).finish();
  for (const auto element : complete.view()) {
    if (info.options.view().find(element.name)) continue;
    info.options = with_field(info.options.view(), element.name, element.value);
  }
}

}  // namespace

CatalogFold::CatalogFold(const std::vector<CollectionInfo>& base,
                         std::function<bool(std::string_view)> in_scope)
    : in_scope_(std::move(in_scope)) {
  for (const CollectionInfo& info : base) names_.emplace(info.ns, info);
}

Uuid CatalogFold::canonical(const Uuid& uuid) const {
  const auto known = aliases_.find(uuid);
  return known == aliases_.end() ? uuid : known->second;
}

Status CatalogFold::apply(const Event& event) {
  if (event.is_document_change() && event.uuid && event.uuid == last_uuid_) return {};
  const Namespace ns{std::string(event.database), std::string(event.collection)};
  if (event.kind == EventKind::rename) {
    return in_scope_(event.database) || in_scope_(event.to_database) ? rename(event, ns) : Status();
  }
  if (!in_scope_(event.database)) return {};
  switch (event.kind) {
    case EventKind::create: return create(event, ns);
    case EventKind::drop: return drop(event, ns);
    case EventKind::drop_database: drop_database(event.database); return {};
    case EventKind::modify: return modify(event, ns);
    default: return event.is_document_change() ? note_document(event, ns) : Status();
  }
}

void CatalogFold::add(const Namespace& ns, CollectionInfo info) {
  info.ns = ns;
  if (info.uuid) born_.insert(*info.uuid);
  renamed_.erase(ns);
  unclear_.erase(ns);
  names_.insert_or_assign(ns, std::move(info));
}

Result<CollectionInfo*> CatalogFold::find(const Namespace& ns, std::string_view operation) {
  const auto known = names_.find(ns);
  if (known != names_.end()) return &known->second;
  return Error(ErrorCode::corrupt,
               fmt::format("the log does not fit the catalog: {} of {}, which is not there",
                           operation, ns.text()));
}

Status CatalogFold::create(const Event& event, const Namespace& ns) {
  if (names_.contains(ns)) return misfit("a create of what is there,", ns, event);
  CollectionInfo info;
  const auto description = description_of(event).value_or(bson::DocumentView());
  info.options = options_of(description);
  info.type = type_of(info.options.view());
  if (info.type == CollectionType::collection && !info.clustered()) {
    info.indexes.push_back(id_index_of(description));
  }
  if (info.type != CollectionType::view) info.uuid = event.uuid;
  add(ns, std::move(info));
  return {};
}

Status CatalogFold::drop(const Event& event, const Namespace& ns) {
  if (names_.erase(ns) == 0) {
    // Made and dropped before anything else told of it: servers are allowed that.
    if (event.uuid && !born_.contains(canonical(*event.uuid))) {
      return misfit("a drop of what is not there,", ns, event);
    }
  }
  renamed_.erase(ns);
  unclear_.erase(ns);
  return {};
}

void CatalogFold::drop_database(std::string_view database) {
  std::erase_if(unclear_, [&](const Namespace& ns) { return ns.database == database; });
  std::erase_if(names_, [&](const auto& entry) { return entry.first.database == database; });
}

Status CatalogFold::rename(const Event& event, const Namespace& ns) {
  const Namespace to{std::string(event.to_database), std::string(event.to_collection)};
  const auto known = names_.find(ns);
  if (known == names_.end()) return misfit("a rename of what is not there,", ns, event);
  CollectionInfo info = std::move(known->second);
  names_.erase(known);
  names_.erase(to);  // What a rename replaces may come without a drop of its own.
  renamed_.erase(ns);
  unclear_.erase(to);
  if (unclear_.erase(ns) > 0 && in_scope_(to.database)) unclear_.insert(to);
  if (!in_scope_(to.database)) return {};
  info.ns = to;
  names_.insert_or_assign(to, std::move(info));
  renamed_.insert(to);
  last_uuid_.reset();
  return {};
}

Status CatalogFold::modify(const Event& event, const Namespace& ns) {
  HOLDFAST_TRY(CollectionInfo* const info, find(ns, "a change"));
  const auto description = description_of(event);
  if (!description || description->empty()) {
    unclear_.insert(ns);
    return {};
  }
  const std::string_view operation = event.raw.find_string("operationType").value_or("");
  for (const auto element : *description) {
    if (element.name == "indexes" && element.value.type() == bson::Type::array) {
      for (const auto index : element.value.as_document()) {
        if (index.value.type() != bson::Type::document) continue;
        if (operation == "dropIndexes") {
          drop_index(*info, index.value.as_document());
        } else {
          add_index(*info, index.value.as_document());
        }
      }
    } else if (element.name == "index" && element.value.type() == bson::Type::document) {
      modify_index(*info, element.value.as_document());
    } else if (element.name == "cappedSize" || element.name == "cappedMax") {
      modify_option(*info, element.name == "cappedSize" ? "size" : "max", element.value);
    } else if (std::find(collection_options.begin(), collection_options.end(), element.name) !=
               collection_options.end()) {
      modify_option(*info, element.name, element.value);
      if (element.name.starts_with("valid")) complete_validation(*info);
    } else if (element.name == "viewPipeline") {
      modify_option(*info, "pipeline", element.value);
    } else {
      return Error(ErrorCode::unsupported,
                   fmt::format("{} at {}: a change of the catalog that this version does not "
                               "know, '{}'",
                               ns.text(), event.time.text(), element.name));
    }
  }
  return {};
}

Status CatalogFold::note_document(const Event& event, const Namespace& ns) {
  if (!event.uuid) {
    return Error(ErrorCode::unsupported,
                 "the events tell no UUIDs of collections (servers before 6.0), so moments between "
                 "snapshots cannot be made of them");
  }
  last_uuid_ = event.uuid;
  const auto known = names_.find(ns);
  if (known != names_.end()) {
    const std::optional<Uuid>& own = known->second.uuid;
    if (!own || *own == canonical(*event.uuid)) return {};
    if (renamed_.erase(ns) > 0) {
      aliases_[*event.uuid] = *own;
      return {};
    }
  }
  // Created without an event of its own, or dropped and created again so ($out does it).
  if (event.kind != EventKind::insert) return {};
  CollectionInfo info;
  info.uuid = event.uuid;
  info.indexes.push_back(id_index());
  add(ns, std::move(info));
  return {};
}

std::vector<CollectionInfo> CatalogFold::catalog() const {
  std::vector<CollectionInfo> all;
  all.reserve(names_.size());
  for (const auto& [ns, info] : names_) all.push_back(info);
  return all;
}

}  // namespace holdfast::changelog
