#include "changelog/fold_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/external_sorter.h"
#include "bson/builder.h"
#include "bson/order.h"
#include "bson/same_values.h"
#include "changelog/change_record.h"
#include "changelog/event.h"
#include "changelog/fold.h"

namespace holdfast::changelog {

namespace {

/// More keys than this are not read again; they stay marked as of uncertain order.
constexpr std::size_t max_reread_keys = 1'000'000;

Uuid identity_of_event(const Event& event) {
  if (event.uuid) return *event.uuid;
  return identity_of(Namespace{std::string(event.database), std::string(event.collection)});
}

/// Where servers tell no UUIDs in events but do in the catalog, names lead to identities.
class IdentityResolver {
 public:
  IdentityResolver(const HeldCollections& held, bool names_only,
                   const std::map<Uuid, Uuid>& aliases = {})
      : names_only_(names_only), aliases_(aliases) {
    if (!names_only) return;
    for (const auto& [uuid, collection] : held) by_name_[collection.info.ns] = uuid;
  }
  [[nodiscard]] Uuid of(const Event& event) const {
    if (!names_only_) {
      const Uuid identity = identity_of_event(event);
      const auto alias = aliases_.find(identity);
      return alias == aliases_.end() ? identity : alias->second;
    }
    const auto known =
        by_name_.find(Namespace{std::string(event.database), std::string(event.collection)});
    return known == by_name_.end() ? identity_of_event(event) : known->second;
  }

 private:
  bool names_only_;
  std::map<Uuid, Uuid> aliases_;
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

  /// What is kept of a document that is being folded: documents may have 16 MiB.
  struct Digest {
    Fingerprint hash;
    std::uint64_t bytes = 0;
    bool operator==(const Digest&) const = default;
  };
  [[nodiscard]] std::optional<Digest> digest(const std::optional<bson::Document>& document) const {
    if (!document) return std::nullopt;
    return Digest{hasher_.hash(document->bytes()), document->bytes().size()};
  }

  /// `before` and `after` of one key; keys ascend.
  Status put(bson::ValueView key, const std::optional<Digest>& before,
             const std::optional<bson::Document>& after) {
    const std::optional<Digest> now = digest(after);
    if (before == now) return {};
    ++changed_;
    if (before) {
      held_->fingerprint.subtract(before->hash);
      held_->document_bytes -= before->bytes;
    }
    if (segment_->full()) {
      HOLDFAST_CHECK(finish_segment());
      HOLDFAST_TRY(segment_, stream_->begin());
    }
    if (after) {
      held_->fingerprint.add(now->hash);
      held_->document_bytes += now->bytes;
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

Status sort_changes(const EventSequence& events, const CatalogChanges& changes,
                    HeldCollections& held, ExternalSorter& sorter, const std::stop_token& stop) {
  const IdentityResolver resolver(held, changes.names_only, changes.aliases);
  Bytes record;
  return events.visit([&](const Event& event) -> Status {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    if (!event.is_document_change()) return {};
    const Uuid identity = resolver.of(event);
    const auto target = held.find(identity);
    if (target == held.end()) return {};
    if (target->second.positional()) {
      target->second.stale = true;
      return {};
    }
    encode_change(identity, event, record);
    return sorter.add(record);
  });
}

bool key_less(const bson::Value& a, const bson::Value& b) { return bson::less(a.view(), b.view()); }

/// Folds the sorted changes, key by key.
class KeyFolder {
 public:
  KeyFolder(HeldCollections& held, PatchWriter& patch, const FoldTools& tools)
      : held_(held), patch_(patch), tools_(tools) {}

  Status take(const ChangeRecord& change) {
    if (!collection_ || change.uuid != uuid_) {
      HOLDFAST_CHECK(finish_collection());
      uuid_ = change.uuid;
      collection_ = &held_.at(uuid_);
      HOLDFAST_CHECK(patch_.begin(*collection_));
    }
    if (!key_ || bson::compare(key_->view(), change.key) != 0) {
      HOLDFAST_CHECK(finish_key());
      HOLDFAST_CHECK(begin_key(change.key));
    }
    tools_.progress.advance(1, change.body.bytes().size());
    if (change.left_out) {
      something_left_out_ = true;
      return {};
    }
    if (expected_) HOLDFAST_CHECK(expected_->apply(change));
    const Status applied = fold_->apply(change);
    if (applied.ok()) return {};
    if (something_left_out_ && tools_.conflicts != nullptr) return note_conflict(change, applied);
    return applied.error().with_context(collection_->info.ns.text());
  }

  Status finish_collection() {
    if (!collection_) return {};
    HOLDFAST_CHECK(finish_key());
    collection_ = nullptr;
    return patch_.end();
  }

 private:
  Status note_conflict(const ChangeRecord& change, const Status& misfit) {
    FoldConflicts& conflicts = *tools_.conflicts;
    if (++conflicts.count <= FoldConflicts::max_named) {
      conflicts.named.push_back({collection_->info.ns, fmt::format("{} {}", change.time.text(),
                                                                   misfit.error().message())});
    }
    return {};
  }

  Status begin_key(bson::ValueView key) {
    key_.emplace(key);
    something_left_out_ = false;
    HOLDFAST_TRY(std::optional<bson::Document> base, patch_.base(key));
    before_ = patch_.digest(base);
    fold_.emplace(std::move(base), collection_->fit);
    if (!collection_->audit) return {};
    difference_ = find_difference();
    if (difference_ == nullptr) return {};
    std::optional<bson::Document> expected;
    if (!collection_->audit->expected.empty()) {
      HOLDFAST_TRY(expected, tools_.writer.find(collection_->audit->expected, key));
    }
    // Fuzzy: what an audit found wrong need not stop it.
    expected_.emplace(std::move(expected), bson::UpdateFit::fuzzy);
    return {};
  }

  Status finish_key() {
    if (!key_) return {};
    FoldedDocument folded = std::move(*fold_).finish();
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
    if (expected_) {
      difference_->verdict = judge(std::move(*expected_).finish().document, folded.document);
    }
    const Status written = patch_.put(key_->view(), before_, folded.document);
    key_.reset();
    fold_.reset();
    expected_.reset();
    return written;
  }

  static Difference::Verdict judge(const std::optional<bson::Document>& expected,
                                   const std::optional<bson::Document>& found) {
    if (expected == found) return Difference::Verdict::explained;
    const bool same = expected && found && bson::same_values(expected->view(), found->view());
    return same ? Difference::Verdict::order_only : Difference::Verdict::unexplained;
  }

  [[nodiscard]] Difference* find_difference() const {
    auto& different = collection_->audit->different;
    const auto at = std::lower_bound(
        different.begin(), different.end(), key_->view(),
        [](const Difference& a, bson::ValueView b) { return bson::less(a.key.view(), b); });
    if (at == different.end() || bson::compare(at->key.view(), key_->view()) != 0) return nullptr;
    return &*at;
  }

  HeldCollections& held_;
  PatchWriter& patch_;
  const FoldTools& tools_;
  Uuid uuid_{};
  HeldCollection* collection_ = nullptr;
  std::optional<bson::Value> key_;
  std::optional<PatchWriter::Digest> before_;
  std::optional<DocumentFold> fold_;
  bool something_left_out_ = false;  ///< Of this key.
  /// Of a key that an audit found different: what the parent and the log say.
  std::optional<DocumentFold> expected_;
  Difference* difference_ = nullptr;
};

}  // namespace

Result<std::uint64_t> fold_events(const EventSequence& events, const CatalogChanges& changes,
                                  HeldCollections& held, const FoldTools& tools) {
  if (changes.document_changes == 0) return std::uint64_t{0};
  tools.progress.stage("fold", changes.document_changes, 0);
  ExternalSorter sorter(
      change_before,
      {.memory_bytes = tools.settings.memory_bytes, .folder = tools.settings.spool_folder},
      tools.random);
  HOLDFAST_CHECK(sort_changes(events, changes, held, sorter, tools.stop));
  PatchWriter patch(tools.writer, tools.hasher);
  KeyFolder folder(held, patch, tools);
  while (true) {
    if (tools.stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    HOLDFAST_TRY(const auto record, sorter.next());
    if (!record) break;
    HOLDFAST_CHECK(folder.take(decode_change(*record)));
  }
  HOLDFAST_CHECK(folder.finish_collection());
  HOLDFAST_CHECK(patch.close());
  return patch.changed();
}

Result<std::map<Uuid, std::vector<bson::Value>>> find_changed_keys(const EventSequence& events,
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
  HOLDFAST_CHECK(events.visit(visit));
  for (auto& [uuid, keys] : changed) {
    std::sort(keys.begin(), keys.end(), key_less);
  }
  return changed;
}

}  // namespace holdfast::changelog
