#include "interop/dump_metadata.h"

#include <algorithm>

#include "bson/builder.h"
#include "bson/extended_json.h"

namespace holdfast::interop {

namespace {

bson::Document without_field(bson::DocumentView document, std::string_view name) {
  bson::Builder builder;
  for (const bson::Element& element : document) {
    if (element.name != name) builder.append(element.name, element.value);
  }
  return std::move(builder).finish();
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '-');
  const auto bytes = from_hex(digits);
  Uuid uuid{};
  if (!bytes || bytes->size() != uuid.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), uuid.begin());
  return uuid;
}

Error damaged(const Namespace& ns, std::string_view what) {
  return Error(ErrorCode::corrupt, "the metadata of " + ns.text() + " " + std::string(what));
}

CollectionType type_of(bson::DocumentView metadata, const bson::Document& options) {
  const auto type = metadata.find_string("type");
  if (type == "view" || options.view().find("viewOn")) return CollectionType::view;
  if (type == "timeseries" || options.view().find("timeseries")) return CollectionType::timeseries;
  return CollectionType::collection;
}

}  // namespace

std::string write_metadata(const CollectionInfo& info) {
  bson::Builder builder;
  builder.append_document("options", info.options.view());
  builder.begin_array("indexes");
  for (std::size_t i = 0; i < info.indexes.size(); ++i) {
    builder.append_document(bson::array_index_name(i), info.indexes[i].view());
  }
  builder.end();
  if (info.uuid && info.type == CollectionType::collection) {
    builder.append_string("uuid", to_hex(*info.uuid));
  }
  builder.append_string("collectionName", info.ns.collection);
  builder.append_string("type", name_of(info.type));
  return bson::to_json(std::move(builder).finish().view(), bson::JsonMode::canonical);
}

Result<CollectionInfo> read_metadata(std::string_view json, const Namespace& fallback) {
  CollectionInfo info;
  info.ns = fallback;
  if (json.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return bare_collection(fallback);
  }
  const auto parsed = bson::from_json(json);
  if (!parsed.ok()) return damaged(fallback, "is damaged: " + parsed.error().message());
  const bson::DocumentView metadata = parsed->view();
  if (const auto name = metadata.find_string("collectionName")) {
    if (name->empty() || name->find('\0') != std::string_view::npos) {
      return damaged(fallback, "holds no usable name");
    }
    info.ns.collection = *name;
  }
  if (const auto options = metadata.find_document("options")) {
    info.options = without_field(*options, "create");
  }
  info.type = type_of(metadata, info.options);
  if (const auto uuid = metadata.find_string("uuid")) {
    info.uuid = parse_uuid(*uuid);
    if (!info.uuid) return damaged(fallback, "holds no usable uuid");
  }
  if (const auto indexes = metadata.find("indexes");
      indexes && indexes->type() != bson::Type::null) {
    if (indexes->type() != bson::Type::array) return damaged(fallback, "has no list of indexes");
    for (const bson::Element& index : indexes->as_document()) {
      if (index.value.type() != bson::Type::document ||
          !index.value.as_document().find_document("key")) {
        return damaged(fallback, "has an index without a key");
      }
      info.indexes.push_back(without_field(index.value.as_document(), "ns"));
    }
  }
  return info;
}

bson::Document plain_id_index() {
  bson::Builder index;
  index.append_int32("v", 2);
  index.begin_document("key").append_int32("_id", 1).end();
  index.append_string("name", "_id_");
  return std::move(index).finish();
}

CollectionInfo bare_collection(const Namespace& ns) {
  CollectionInfo info;
  info.ns = ns;
  info.indexes.push_back(plain_id_index());
  return info;
}

}  // namespace holdfast::interop
