#include "interop/dump_layout.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "bson/extended_json.h"
#include "interop/dump_metadata.h"
#include "interop/dump_names.h"

namespace holdfast::interop {

namespace {

/// A path taken apart: "a/b/shop/users.bson" → root "a/b", folder "shop", file "users.bson".
struct Place {
  std::string root;
  std::string folder;
  std::string file;
  std::size_t depth = 0;  ///< Folders above the file.
};

Result<Place> take_apart(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    std::string part = path.substr(at, end - at);
    if (part == "..") return Error(ErrorCode::corrupt, path + " climbs out of the dump");
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    at = end + 1;
  }
  Place place;
  if (parts.empty()) return place;
  place.depth = parts.size() - 1;
  place.file = parts.back();
  if (parts.size() >= 2) place.folder = parts[parts.size() - 2];
  for (std::size_t i = 0; i + 2 < parts.size(); ++i) place.root += parts[i] + "/";
  return place;
}

bool is_root_file(const std::string& file) {
  return file == "oplog.bson" || file == "oplog.bson.gz" || file == "prelude.json" ||
         file == "prelude.json.gz";
}

/// The folder that holds the databases' folders, by the files that must lie in such.
Result<std::string> find_root(const std::vector<Place>& places) {
  std::optional<std::string> root;
  for (const Place& place : places) {
    if (is_root_file(place.file) || !parse_dump_file_name(place.folder, place.file)) continue;
    if (!root) root = place.root;
    if (*root != place.root) {
      return Error(ErrorCode::usage,
                   fmt::format("it holds several dumps, in '{}' and in '{}'", *root, place.root),
                   "name one of them; --adopt takes a folder of dumps");
    }
  }
  if (root) return *root;
  // Nothing but an oplog, e.g. of an empty server: its folder is the root.
  for (const Place& place : places) {
    if (place.file.starts_with("oplog.bson")) {
      return place.folder.empty() ? std::string() : place.root + place.folder + "/";
    }
  }
  return Error(ErrorCode::not_found, "it holds no dump: no file there is named *.bson");
}

}  // namespace

Result<DumpLayout> find_dump_layout(const std::vector<std::string>& paths,
                                    const std::string& database) {
  std::vector<Place> places;
  for (const std::string& path : paths) {
    HOLDFAST_TRY(Place place, take_apart(path));
    places.push_back(std::move(place));
  }
  HOLDFAST_TRY(const std::string root, find_root(places));
  DumpLayout layout;
  std::map<std::pair<std::string, std::string>, DumpLayout::Collection> collections;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const bool in_root = place.root + (place.folder.empty() ? "" : place.folder + "/") == root;
    const bool at_top = in_root || place.depth == 0;
    const auto name =
        parse_dump_file_name(at_top && is_root_file(place.file) ? "" : place.folder, place.file);
    if (!name) continue;
    if (name->kind == DumpFileName::Kind::oplog) {
      layout.oplog = i;
      continue;
    }
    if (name->kind == DumpFileName::Kind::prelude) {
      layout.prelude = i;
      continue;
    }
    const std::string& folder = place.folder.empty() ? database : place.folder;
    if (folder.empty()) {
      return Error(ErrorCode::usage,
                   fmt::format("{} lies in no folder that names its database", place.file),
                   "say which with --database");
    }
    auto& collection = collections[{folder, name->escaped}];
    collection.database = folder;
    collection.escaped = name->escaped;
    auto& slot =
        name->kind == DumpFileName::Kind::metadata ? collection.metadata : collection.documents;
    if (slot) {
      return Error(ErrorCode::corrupt, fmt::format("{} is there twice", paths[i]));
    }
    slot = i;
  }
  for (auto& [key, collection] : collections) layout.collections.push_back(std::move(collection));
  return layout;
}

Result<CollectionInfo> describe_dumped(const DumpLayout::Collection& collection,
                                       const std::optional<std::string>& metadata) {
  const auto name = unescape_collection(collection.escaped);
  const Namespace fallback{collection.database, name.value_or(collection.escaped)};
  CollectionInfo info = bare_collection(fallback);
  bool named = name.has_value();
  if (metadata) {
    HOLDFAST_TRY(info, read_metadata(*metadata, fallback));
    named = named || info.ns.collection != fallback.collection;
  }
  if (named) return info;
  return Error(ErrorCode::corrupt,
               fmt::format("the name of {}/{}.bson was shortened, and there is no metadata to tell "
                           "it",
                           collection.database, collection.escaped));
}

std::string reason_of_missing_documents(const CollectionInfo& info) {
  if (info.type == CollectionType::view) return {};
  if (info.type == CollectionType::timeseries) {
    return info.ns.text() +
           " is left out: a time series whose measurements are not in the dump, only packed "
           "buckets";
  }
  return info.ns.text() + " has metadata, but its documents are missing";
}

std::string server_version_of_prelude(const std::string& json) {
  const auto prelude = bson::from_json(json);
  if (!prelude.ok()) return {};
  return std::string(prelude->view().find_string("ServerVersion").value_or(""));
}

}  // namespace holdfast::interop
