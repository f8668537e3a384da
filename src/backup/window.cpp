#include "backup/window.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/external_sorter.h"
#include "bson/builder.h"
#include "bson/order.h"
#include "changelog/change_record.h"
#include "changelog/event.h"
#include "changelog/fold.h"

namespace holdfast::backup {

namespace {

using changelog::ChangeRecord;
using changelog::Event;
using changelog::EventKind;

/// More keys than this are not read again; they stay marked as of uncertain order.
constexpr std::size_t max_reread_keys = 1'000'000;

Uuid identity_of_event(const Event& event) {
  if (event.uuid) return *event.uuid;
  return identity_of(Namespace{std::string(event.database), std::string(event.collection)});
}

/// Where servers tell no UUIDs in events but do in the catalog, names lead to identities.
class IdentityResolver {
 public:
  IdentityResolver(const HeldCollections& held, bool names_only) : names_only_(names_only) {
    if (!names_only) return;
    for (const auto& [uuid, collection] : held) by_name_[collection.info.ns] = uuid;
  }
  [[nodiscard]] Uuid of(const Event& event) const {
    if (!names_only_) return identity_of_event(event);
    const auto known =
        by_name_.find(Namespace{std::string(event.database), std::string(event.collection)});
    return known == by_name_.end() ? identity_of_event(event) : known->second;
  }

 private:
  bool names_only_;
  std::map<Namespace, Uuid> by_name_;
};

/// Writes the folded documents of one collection after the other as a patch.
class PatchWriter {
 public:
  PatchWriter(repository::SnapshotWriter& writer, const DocumentHasher& hasher)
      : writer_(writer), hasher_(hasher) {}

  Status begin(HeldCollection& held) {
    held_ = &held;
    base_layers_ = held.layers;
    if (!stream_) {
      HOLDFAST_TRY(stream_, writer_.open_stream());
    }
    HOLDFAST_TRY(segment_, stream_->begin());
    layer_ = {};
    return {};
  }

  Result<std::optional<bson::Document>> base(bson::ValueView key) {
    if (base_layers_.empty()) return std::optional<bson::Document>();
    return writer_.find(base_layers_, key);
  }

  /// `before` and `after` of one key; keys ascend.
  Status put(bson::ValueView key, const std::optional<bson::Document>& before,
             const std::optional<bson::Document>& after) {
    if (before == after) return {};
    ++changed_;
    if (before) {
      held_->fingerprint.subtract(hasher_.hash(before->bytes()));
      held_->document_bytes -= before->bytes().size();
    }
    if (segment_->full()) {
      HOLDFAST_CHECK(finish_segment());
      HOLDFAST_TRY(segment_, stream_->begin());
    }
    if (after) {
      held_->fingerprint.add(hasher_.hash(after->bytes()));
      held_->document_bytes += after->bytes().size();
      return segment_->add({.kind = repository::Entry::Kind::put, .document = after->view()});
    }
    bson::Builder removed;
    removed.append("_id", key);
    const bson::Document document = std::move(removed).finish();
    return segment_->add({.kind = repository::Entry::Kind::remove, .document = document.view()});
  }

  Status end() {
    HOLDFAST_CHECK(finish_segment());
    segment_.reset();
    if (!layer_.segments.empty()) held_->layers.push_back(std::move(layer_));
    return {};
  }

  Status close() { return stream_ ? stream_->close() : Status(); }
  [[nodiscard]] std::uint64_t changed() const { return changed_; }

 private:
  Status finish_segment() {
    HOLDFAST_TRY(auto reference, segment_->finish());
    if (reference) layer_.segments.push_back(std::move(*reference));
    return {};
  }

  repository::SnapshotWriter& writer_;
  const DocumentHasher& hasher_;
  std::unique_ptr<repository::SegmentStream> stream_;
  std::unique_ptr<repository::SegmentWriter> segment_;
  HeldCollection* held_ = nullptr;
  std::vector<repository::Layer> base_layers_;
  repository::Layer layer_;
  std::uint64_t changed_ = 0;
};

Status sort_changes(const Window& window, const CatalogChanges& changes, HeldCollections& held,
                    ExternalSorter& sorter, const std::stop_token& stop) {
  const IdentityResolver resolver(held, changes.names_only);
  Bytes record;
  return window.drain.visit(window.from, window.to, [&](const Event& event) -> Status {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    if (!event.is_document_change()) return {};
    const Uuid identity = resolver.of(event);
    const auto target = held.find(identity);
    if (target == held.end()) return {};
    if (target->second.positional()) {
      target->second.stale = true;
      return {};
    }
    changelog::encode_change(identity, event, record);
    return sorter.add(record);
  });
}

/// Folds the sorted changes, key by key.
class WindowFolder {
 public:
  WindowFolder(HeldCollections& held, PatchWriter& patch, ProgressSink& progress)
      : held_(held), patch_(patch), progress_(progress) {}

  Status take(const ChangeRecord& change) {
    if (!collection_ || change.uuid != uuid_) {
      HOLDFAST_CHECK(finish_collection());
      uuid_ = change.uuid;
      collection_ = &held_.at(uuid_);
      HOLDFAST_CHECK(patch_.begin(*collection_));
    }
    if (!key_ || bson::compare(key_->view(), change.key) != 0) {
      HOLDFAST_CHECK(finish_key());
      key_.emplace(change.key);
      HOLDFAST_TRY(before_, patch_.base(change.key));
      fold_.emplace(before_, bson::UpdateFit::fuzzy);
    }
    progress_.advance(1, change.body.bytes().size());
    return fold_->apply(change);
  }

  Status finish_collection() {
    if (!collection_) return {};
    HOLDFAST_CHECK(finish_key());
    collection_ = nullptr;
    return patch_.end();
  }

 private:
  Status finish_key() {
    if (!key_) return {};
    changelog::FoldedDocument folded = std::move(*fold_).finish();
    // Updates of a document that nobody inserted: the scan must have missed it. It should not
    // happen; reading the collection again settles it.
    if (folded.unsettled) collection_->stale = true;
    if (folded.order_uncertain) {
      if (collection_->to_reread.size() < max_reread_keys) {
        collection_->to_reread.push_back(*key_);
      } else {
        ++collection_->order_uncertain;
      }
    }
    const Status written = patch_.put(key_->view(), before_, folded.document);
    key_.reset();
    fold_.reset();
    return written;
  }

  HeldCollections& held_;
  PatchWriter& patch_;
  ProgressSink& progress_;
  Uuid uuid_{};
  HeldCollection* collection_ = nullptr;
  std::optional<bson::Value> key_;
  std::optional<bson::Document> before_;
  std::optional<changelog::DocumentFold> fold_;
};

}  // namespace

Result<CatalogChanges> read_catalog_changes(const Window& window,
                                            const std::function<bool(std::string_view)>& in_scope) {
  CatalogChanges changes;
  const auto visit = [&](const Event& event) -> Status {
    if (event.is_document_change()) {
      changes.document_changes += 1;
      changes.names_only = changes.names_only || !event.uuid;
      return {};
    }
    const bool renamed_into = event.kind == EventKind::rename && in_scope(event.to_database);
    if (!in_scope(event.database) && !renamed_into) return {};
    if (event.kind == EventKind::drop_database) {
      changes.dropped_databases.emplace(event.database);
      return {};
    }
    const Namespace ns{std::string(event.database), std::string(event.collection)};
    changes.touched.insert(ns);
    if (event.kind == EventKind::modify) return {};
    changes.rebound.insert(ns);
    if (event.kind == EventKind::create) {
      if (event.uuid) changes.born.insert(*event.uuid);
      return {};
    }
    if (event.kind == EventKind::rename) {
      const Namespace to{std::string(event.to_database), std::string(event.to_collection)};
      changes.touched.insert(to);
      changes.rebound.insert(to);
      if (event.replaced_uuid) changes.rebound_uuids.insert(*event.replaced_uuid);
    }
    return {};
  };
  HOLDFAST_CHECK(window.drain.visit(window.from, window.to, visit));
  return changes;
}

Result<std::uint64_t> fold_window(const Window& window, const CatalogChanges& changes,
                                  HeldCollections& held, repository::SnapshotWriter& writer,
                                  const DocumentHasher& hasher, const BackupOptions& options,
                                  RandomSource& random, ProgressSink& progress,
                                  const std::stop_token& stop) {
  if (changes.document_changes == 0) return std::uint64_t{0};
  progress.stage("fold", changes.document_changes, 0);
  ExternalSorter sorter(changelog::change_before,
                        {.memory_bytes = options.memory_bytes, .folder = options.spool_folder},
                        random);
  HOLDFAST_CHECK(sort_changes(window, changes, held, sorter, stop));
  PatchWriter patch(writer, hasher);
  WindowFolder folder(held, patch, progress);
  while (true) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    HOLDFAST_TRY(const auto record, sorter.next());
    if (!record) break;
    HOLDFAST_CHECK(folder.take(changelog::decode_change(*record)));
  }
  HOLDFAST_CHECK(folder.finish_collection());
  HOLDFAST_CHECK(patch.close());
  return patch.changed();
}

Result<std::map<Uuid, std::vector<bson::Value>>> find_changed_keys(const Window& window,
                                                                   const HeldCollections& wanted) {
  std::map<Uuid, std::vector<bson::Value>> changed;
  const IdentityResolver resolver(wanted, false);
  const IdentityResolver by_name(wanted, true);
  const auto visit = [&](const Event& event) -> Status {
    if (!event.is_document_change()) return {};
    const Uuid identity = event.uuid ? resolver.of(event) : by_name.of(event);
    const auto target = wanted.find(identity);
    if (target == wanted.end()) return {};
    const auto& keys = target->second.to_reread;
    const auto before = [](const bson::Value& a, bson::ValueView b) {
      return bson::less(a.view(), b);
    };
    const auto place = std::lower_bound(keys.begin(), keys.end(), *event.key, before);
    if (place != keys.end() && bson::compare(place->view(), *event.key) == 0) {
      changed[identity].push_back(*place);
    }
    return {};
  };
  HOLDFAST_CHECK(window.drain.visit(window.from, window.to, visit));
  for (auto& [uuid, keys] : changed) {
    std::sort(keys.begin(), keys.end(),
              [](const auto& a, const auto& b) { return bson::less(a.view(), b.view()); });
  }
  return changed;
}

}  // namespace holdfast::backup
