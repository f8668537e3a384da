#include "transfer/catalog_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bson/builder.h"
#include "changelog/held_collection.h"
#include "interop/dump_metadata.h"

namespace holdfast::transfer {

namespace {

Error malformed(std::string_view what, const Namespace& ns) {
  return {ErrorCode::corrupt, fmt::format("the oplog's {} of {} is malformed", what, ns.text())};
}

void put_index(CollectionInfo& info, bson::DocumentView index) {
  bson::Builder builder;
  for (const bson::Element& element : index) {
    if (element.name != "ns") builder.append(element.name, element.value);
  }
  bson::Document document = std::move(builder).finish();
  const auto name = document.view().find_string("name");
  for (bson::Document& known : info.indexes) {
    if (known.view().find_string("name") != name) continue;
    known = std::move(document);
    return;
  }
  info.indexes.push_back(std::move(document));
}

/// A document with one field set, in its place or at the end.
bson::Document with_field(bson::DocumentView document, std::string_view name,
                          bson::ValueView value) {
  bson::Builder builder;
  bool met = false;
  for (const bson::Element& element : document) {
    const bool same = element.name == name;
    builder.append(element.name, same ? value : element.value);
    met = met || same;
  }
  if (!met) builder.append(name, value);
  return std::move(builder).finish();
}

Status modify_index(bson::DocumentView change, CollectionInfo& info) {
  const auto name = change.find_string("name");
  const auto index = std::find_if(info.indexes.begin(), info.indexes.end(), [&](const auto& one) {
    return name && one.view().find_string("name") == name;
  });
  // An index that was made and dropped around the dump's reading of the catalog.
  if (index == info.indexes.end()) return {};
  for (const bson::Element& element : change) {
    if (element.name == "name" || element.name == "keyPattern") continue;
    *index = with_field(index->view(), element.name, element.value);
  }
  return {};
}

Status modify_collection(bson::DocumentView command, CollectionInfo& info) {
  bool first = true;
  for (const bson::Element& element : command) {
    if (std::exchange(first, false)) continue;  // collMod itself
    if (element.name == "index") {
      if (element.value.type() != bson::Type::document) return malformed("collMod", info.ns);
      HOLDFAST_CHECK(modify_index(element.value.as_document(), info));
      continue;
    }
    if (element.name.starts_with('$') || element.name == "lsid") continue;
    info.options = bson::Document(with_field(info.options.view(), element.name, element.value));
  }
  return {};
}

Status drop_indexes(bson::DocumentView command, CollectionInfo& info) {
  const auto which = command.find_string("index");
  if (!which) return malformed("dropIndexes", info.ns);
  std::erase_if(info.indexes, [&](const bson::Document& index) {
    const auto name = index.view().find_string("name");
    return name != "_id_" && (*which == "*" || name == which);
  });
  return {};
}

}  // namespace

Result<CollectionInfo> created_collection(const Namespace& ns, bson::DocumentView command) {
  CollectionInfo info;
  info.ns = ns;
  bson::Builder options;
  bool first = true;
  bool clustered = false;
  for (const bson::Element& element : command) {
    if (std::exchange(first, false)) continue;  // create itself
    if (element.name == "idIndex") {
      if (element.value.type() != bson::Type::document) return malformed("create", ns);
      put_index(info, element.value.as_document());
      continue;
    }
    clustered = clustered || element.name == "clusteredIndex";
    options.append(element.name, element.value);
  }
  info.options = std::move(options).finish();
  if (info.options.view().find("viewOn")) info.type = CollectionType::view;
  if (info.options.view().find("timeseries")) info.type = CollectionType::timeseries;
  const bool plain = info.type == CollectionType::collection && !clustered;
  if (plain && info.indexes.empty()) info.indexes.push_back(interop::plain_id_index());
  return info;
}

Status apply_modification(bson::DocumentView command, CollectionInfo& info) {
  const std::string_view name = command.begin()->name;
  if (name == "collMod") return modify_collection(command, info);
  if (name == "dropIndexes" || name == "deleteIndexes") return drop_indexes(command, info);
  if (name == "createIndexes") {
    bson::Builder index;
    bool first = true;
    for (const bson::Element& element : command) {
      if (!std::exchange(first, false)) index.append(element.name, element.value);
    }
    const bson::Document document = std::move(index).finish();
    if (!document.view().find_string("name")) return malformed("createIndexes", info.ns);
    put_index(info, document.view());
    return {};
  }
  if (name == "commitIndexBuild") {
    const auto indexes = command.find("indexes");
    if (!indexes || indexes->type() != bson::Type::array) {
      return malformed("commitIndexBuild", info.ns);
    }
    for (const bson::Element& index : indexes->as_document()) {
      if (index.value.type() != bson::Type::document) {
        return malformed("commitIndexBuild", info.ns);
      }
      put_index(info, index.value.as_document());
    }
    return {};
  }
  return Error(ErrorCode::unsupported, fmt::format("the oplog's command {}", name));
}

Status apply_view_change(const changelog::Event& event, std::map<Uuid, CollectionInfo>& catalog) {
  if (event.kind == changelog::EventKind::update) {
    return Error(ErrorCode::unsupported, "a change of a view by difference");
  }
  if (event.key->type() != bson::Type::string) return Error(ErrorCode::corrupt, "a view's name");
  const std::string_view name = event.key->as_string();
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return Error(ErrorCode::corrupt, "a view's name");
  CollectionInfo view;
  view.ns = {std::string(name.substr(0, dot)), std::string(name.substr(dot + 1))};
  view.type = CollectionType::view;
  const Uuid identity = changelog::identity_of(view.ns);
  if (event.kind == changelog::EventKind::remove) {
    catalog.erase(identity);
    return {};
  }
  bson::Builder options;
  for (const bson::Element& element : *event.body) {
    if (element.name != "_id") options.append(element.name, element.value);
  }
  view.options = std::move(options).finish();
  // What is behind a time series is a view, too, of buckets that no dump shows.
  const bool buckets =
      view.options.view().find_string("viewOn").value_or("").starts_with("system.buckets.");
  if (!buckets) catalog[identity] = std::move(view);
  return {};
}

}  // namespace holdfast::transfer
