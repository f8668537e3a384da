#include "moments/moment_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "base/file.h"
#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/same_values.h"

namespace holdfast::moments {

namespace {

std::string text_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

std::string key_of(bson::ValueView id) {
  bson::Builder key;
  key.append("", id);
  return text_of(std::move(key).finish().view().bytes());
}

std::string show(bson::DocumentView document) {
  return bson::to_json(document, bson::JsonMode::relaxed);
}

std::string show(const std::vector<bson::Document>& documents) {
  std::string text;
  for (const bson::Document& document : documents) text += "\n      " + show(document.view());
  return text;
}

void apply(bson::DocumentView entry, ModelState& state) {
  const std::string ns(entry.find_string("ns").value_or(""));
  if (entry.find_string("kind") == "doc") {
    auto& documents = state.at(ns).documents;
    const std::string key = text_of(entry.find_document("key")->bytes());
    documents.erase(key);
    if (const auto after = entry.find_document("after")) documents.emplace(key, *after);
    return;
  }
  state.erase(ns);
  const auto info = entry.find_document("info");
  if (!info) return;
  ModelCollection collection;
  collection.type = info->find_string("type").value_or("");
  collection.options = bson::Document(*info->find_document("options"));
  for (const auto index : info->find("indexes")->as_document()) {
    collection.indexes.emplace_back(index.value.as_document());
  }
  for (const auto document : entry.find("docs")->as_document()) {
    const auto content = document.value.as_document();
    collection.documents.emplace(key_of(*content.find("_id")), content);
  }
  state.emplace(ns, std::move(collection));
}

/// Without what a server's createIndexes events leave out.
std::vector<bson::Document> bare(const std::vector<bson::Document>& indexes, bool only_keys) {
  std::vector<bson::Document> all;
  for (const bson::Document& index : indexes) {
    bson::Builder kept;
    for (const auto element : index.view()) {
      if (!only_keys || element.name == "key" || element.name == "name") {
        kept.append(element.name, element.value);
      }
    }
    all.push_back(std::move(kept).finish());
  }
  std::sort(all.begin(), all.end(), [](const bson::Document& a, const bson::Document& b) {
    return a.view().find_string("name") < b.view().find_string("name");
  });
  return all;
}

/// Without options that say what is so anyway.
bson::Document without_defaults(const bson::Document& options) {
  bson::Builder kept;
  for (const auto element : options.view()) {
    const bool text = element.value.type() == bson::Type::string;
    const bool usual =
        (element.name == "validationLevel" && text && element.value.as_string() == "strict") ||
        (element.name == "validationAction" && text && element.value.as_string() == "error") ||
        (element.name == "validator" && element.value.type() == bson::Type::document &&
         element.value.as_document().empty());
    if (!usual) kept.append(element.name, element.value);
  }
  return std::move(kept).finish();
}

bool same_options(const bson::Document& a, const bson::Document& b, bool defaults_shown) {
  if (defaults_shown) return bson::same_values(a.view(), b.view());
  return bson::same_values(without_defaults(a).view(), without_defaults(b).view());
}

bool same_indexes(const std::vector<bson::Document>& a, const std::vector<bson::Document>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const bson::Document& one, const bson::Document& other) {
                      return bson::same_values(one.view(), other.view());
                    });
}

void compare_catalog(const ModelCollection& wanted, const CollectionInfo& found,
                     const CompareSettings& settings, Comparison& comparison) {
  const std::string ns = found.ns.text();
  if (wanted.type != name_of(found.type)) {
    comparison.wrong.push_back(
        fmt::format("{} is a {}, not a {}", ns, name_of(found.type), wanted.type));
  }
  if (settings.untold.contains(ns)) return;
  if (!same_options(wanted.options, found.options, settings.defaults_shown)) {
    comparison.wrong.push_back(fmt::format("{}: options {} instead of {}", ns,
                                           show(found.options.view()),
                                           show(wanted.options.view())));
  }
  const bool only_keys = settings.index_options_untold;
  const auto wanted_indexes = bare(wanted.indexes, only_keys);
  const auto found_indexes = bare(found.indexes, only_keys);
  if (!same_indexes(wanted_indexes, found_indexes)) {
    comparison.wrong.push_back(fmt::format("{}: indexes{}\n    instead of{}", ns,
                                           show(found_indexes), show(wanted_indexes)));
  }
}

Status compare_documents(const ModelCollection& wanted, const Namespace& ns,
                         repository::SnapshotReader& reader, const CompareSettings& settings,
                         Comparison& comparison) {
  HOLDFAST_TRY(const auto cursor, reader.open(ns));
  std::set<std::string> seen;
  while (true) {
    HOLDFAST_TRY(const auto document, cursor->next());
    if (!document) break;
    ++comparison.documents;
    const std::string key = key_of(*document->find("_id"));
    seen.insert(key);
    const auto known = wanted.documents.find(key);
    if (known == wanted.documents.end()) {
      comparison.wrong.push_back(
          fmt::format("{}: {} should not be there", ns.text(), show(*document)));
      continue;
    }
    if (same_bytes(known->second.bytes(), document->bytes())) continue;
    if (settings.order_may_differ && bson::same_values(known->second.view(), *document)) {
      ++comparison.other_order;
      continue;
    }
    comparison.wrong.push_back(fmt::format("{}: {}\n    instead of {}", ns.text(), show(*document),
                                           show(known->second.view())));
  }
  for (const auto& [key, document] : wanted.documents) {
    if (!seen.contains(key)) {
      comparison.wrong.push_back(fmt::format("{}: missing {}", ns.text(), show(document.view())));
    }
  }
  return {};
}

}  // namespace

Result<MomentModel> MomentModel::read(const std::filesystem::path& record) {
  std::ifstream file(record, std::ios::binary);
  if (!file) return Error(ErrorCode::io, "cannot read " + record.string());
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  MomentModel model;
  for (std::size_t at = 0; at + 4 <= text.size();) {
    const ByteView rest = as_bytes(std::string_view(text).substr(at));
    const std::size_t size =
        rest[0] | rest[1] << 8U | rest[2] << 16U | static_cast<std::size_t>(rest[3]) << 24U;
    if (size < 5 || size > rest.size()) return Error(ErrorCode::corrupt, "a cut record");
    model.entries_.emplace_back(bson::DocumentView(rest.first(size)));
    at += size;
  }
  return model;
}

const ModelState& MomentModel::advance(ClusterTime moment) {
  const auto time_of = [](const bson::Document& entry) {
    return ClusterTime::from_packed(entry.view().find("time")->as_timestamp());
  };
  for (; next_ < entries_.size() && time_of(entries_[next_]) <= moment; ++next_) {
    apply(entries_[next_].view(), state_);
  }
  return state_;
}

void MomentModel::rewind() {
  next_ = 0;
  state_.clear();
}

Status compare(const ModelState& model, repository::SnapshotReader& reader,
               const CompareSettings& settings, Comparison& comparison) {
  HOLDFAST_TRY(const auto catalog, reader.catalog());
  std::set<std::string> seen;
  for (const CollectionInfo& info : catalog) {
    ++comparison.collections;
    const std::string ns = info.ns.text();
    seen.insert(ns);
    const auto wanted = model.find(ns);
    if (wanted == model.end()) {
      comparison.wrong.push_back(ns + " should not be there");
      continue;
    }
    compare_catalog(wanted->second, info, settings, comparison);
    if (info.type == CollectionType::view) continue;
    HOLDFAST_CHECK(compare_documents(wanted->second, info.ns, reader, settings, comparison));
  }
  for (const auto& [ns, collection] : model) {
    if (!seen.contains(ns)) comparison.wrong.push_back(ns + " is missing");
  }
  return {};
}

}  // namespace holdfast::moments
