#include "restore/index_split.h"

#include <fmt/format.h>

#include <map>

#include "bson/builder.h"
#include "bson/extended_json.h"

namespace holdfast::restore {

namespace {

std::string name_of(const bson::Document& index) {
  return std::string(index.view().find_string("name").value_or(""));
}

/// The definition without what servers add or drop by themselves between versions.
std::string normalised(const bson::Document& index) {
  bson::Builder kept;
  std::map<std::string, bson::ValueView> options;
  for (const bson::Element& element : index.view()) {
    if (element.name == "ns" || element.name == "background") continue;
    options.emplace(std::string(element.name), element.value);
  }
  for (const auto& [name, value] : options) kept.append(name, value);
  const bson::Document document = std::move(kept).finish();
  return bson::to_json(document.view(), bson::JsonMode::relaxed);
}

}  // namespace

IndexSplit split_indexes(const std::vector<bson::Document>& indexes) {
  IndexSplit split;
  for (const bson::Document& index : indexes) {
    if (name_of(index) == "_id_" || index.view().find_truthy("clustered")) continue;
    auto& side = index.view().find("expireAfterSeconds") ? split.expiring : split.ordinary;
    side.push_back(index);
  }
  return split;
}

std::vector<std::string> compare_indexes(const std::vector<bson::Document>& wanted,
                                         const std::vector<bson::Document>& actual) {
  std::map<std::string, std::string> there;
  for (const bson::Document& index : actual) there.emplace(name_of(index), normalised(index));
  std::vector<std::string> differences;
  for (const bson::Document& index : wanted) {
    const auto found = there.find(name_of(index));
    const std::string definition = normalised(index);
    if (found == there.end()) {
      differences.push_back(fmt::format("index {} is missing", name_of(index)));
    } else if (found->second != definition) {
      differences.push_back(
          fmt::format("index {} is {} instead of {}", name_of(index), found->second, definition));
    }
    if (found != there.end()) there.erase(found);
  }
  for (const auto& [name, definition] : there) {
    if (name == "_id_") continue;  // every collection gets it; a snapshot need not tell
    differences.push_back(fmt::format("index {} was not in the snapshot", name));
  }
  return differences;
}

}  // namespace holdfast::restore
