#include "repository/verify_state.h"

#include <algorithm>

#include "repository/names.h"

namespace holdfast::repository {
namespace {

/// A damaged file may be shared by very many snapshots; nobody reads on beyond this.
constexpr std::size_t max_affects = 1000;

}  // namespace

bool tells_of_damage(const Error& error) {
  switch (error.code()) {
    case ErrorCode::corrupt:
    case ErrorCode::io:
    case ErrorCode::denied:
    case ErrorCode::not_found:
    case ErrorCode::precondition: return true;
    default: return false;
  }
}

Status VerifyState::add_manifest(const Manifest& manifest) {
  const std::size_t snapshot = snapshots.size();
  SnapshotCheck check;
  check.id = manifest.summary.id;
  const std::string& source = manifest.summary.source.id;
  std::vector<FileCheck*> by_index;
  for (const FileRef& file : manifest.files) {
    const auto [at, fresh] = files.try_emplace(segment_name(source, file.name));
    if (fresh) {
      at->second.source = source;
      at->second.reference = file;
    } else if (at->second.reference.length != file.length ||
               at->second.reference.digest != file.digest) {
      return Error(ErrorCode::corrupt, "it describes file " + file.name + " unlike another one");
    }
    by_index.push_back(&at->second);
  }
  for (const SnapshotCollection& collection : manifest.collections) {
    SnapshotCheck::Collection& light = check.collections.emplace_back();
    light.ns = collection.info.ns;
    light.fingerprint = collection.fingerprint;
    light.document_bytes = collection.document_bytes;
    for (const Layer& layer : collection.layers) {
      auto& segments = light.layers.emplace_back();
      for (const SegmentRef& segment : layer.segments) {
        FileCheck* const file = by_index[segment.file];
        std::unique_ptr<SegmentCheck>& known = file->segments[segment.index_offset];
        if (!known) {
          known = std::make_unique<SegmentCheck>();
          known->reference = segment;
        } else if (known->reference.index_length != segment.index_length ||
                   known->reference.index_block != segment.index_block ||
                   known->reference.entries != segment.entries ||
                   known->reference.document_bytes != segment.document_bytes) {
          return Error(ErrorCode::corrupt, "it describes a segment unlike another one");
        }
        known->uses.push_back({snapshot, check.collections.size() - 1});
        segments.emplace_back(file, known.get());
      }
    }
  }
  snapshots.push_back(std::move(check));
  return {};
}

void VerifyState::add_damage(std::string what, std::string where, std::string sentence,
                             std::vector<std::string> affects) {
  const std::scoped_lock lock(mutex_);
  report.damage.push_back(
      {std::move(what), std::move(where), std::move(sentence), std::move(affects)});
}

void VerifyState::add_segment_damage(SegmentCheck& segment, const std::string& where,
                                     const std::string& sentence, const std::string& range) {
  std::vector<std::string> affects;
  {
    const std::scoped_lock lock(mutex_);
    affects = mark_users(segment, range);
  }
  add_damage("block", where, sentence, std::move(affects));
}

void VerifyState::add_file_damage(FileCheck& file, const std::string& blob,
                                  const std::string& sentence) {
  std::vector<std::string> affects;
  {
    const std::scoped_lock lock(mutex_);
    file.present = false;
    for (const auto& [offset, segment] : file.segments) {
      const std::string range = " _id from " + key_text(first_key_of(segment->reference)) + " to " +
                                key_text(last_key_of(segment->reference));
      for (std::string& text : mark_users(*segment, range)) {
        if (affects.size() < max_affects) affects.push_back(std::move(text));
      }
    }
  }
  add_damage("file", blob, sentence, std::move(affects));
}

void VerifyState::add_collection_damage(const CollectionUse& use, const std::string& sentence) {
  std::string where;
  {
    const std::scoped_lock lock(mutex_);
    snapshots[use.snapshot].whole = false;
    where = use_text(use);
  }
  add_damage("manifest", where, sentence, {where});
}

std::string VerifyState::use_text(const CollectionUse& use) const {
  const SnapshotCheck& snapshot = snapshots[use.snapshot];
  return snapshot.id + " " + snapshot.collections[use.collection].ns.text();
}

std::vector<std::string> VerifyState::mark_users(SegmentCheck& segment, const std::string& range) {
  segment.whole = false;
  std::vector<std::string> affects;
  for (const CollectionUse& use : segment.uses) {
    snapshots[use.snapshot].whole = false;
    if (affects.size() < max_affects) affects.push_back(use_text(use) + range);
  }
  return affects;
}

}  // namespace holdfast::repository
