#include "backup/reread_phase.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/spool.h"
#include "bson/order.h"
#include "changelog/catalog_changes.h"
#include "mongo/scan.h"

namespace holdfast::backup {

namespace {

using changelog::HeldCollection;
using changelog::HeldCollections;

/// Bounds of one query: its `$in` list, and what it is expected to return.
constexpr std::size_t max_keys_per_query = 500;
constexpr std::size_t bytes_per_query = 8U * 1024 * 1024;

bool key_less(const bson::Value& a, const bson::Value& b) { return bson::less(a.view(), b.view()); }

bool document_less(const bson::Document& a, const bson::Document& b) {
  return bson::less(*a.view().find("_id"), *b.view().find("_id"));
}

/// Stores what was read of one collection, leaving out what changed meanwhile.
class RereadPatch {
 public:
  RereadPatch(HeldCollection& held, const std::vector<bson::Value>& changed,
              repository::SnapshotWriter& writer, const DocumentHasher& hasher)
      : held_(held), changed_(changed), writer_(writer), hasher_(hasher) {}

  /// `documents`: records from here on, as many as were read, ascending by `_id`.
  Status write(SpoolReader& documents, std::uint64_t count, repository::SegmentStream& stream) {
    HOLDFAST_TRY(const auto segment, stream.begin());
    std::uint64_t stored = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      HOLDFAST_TRY(const auto record, documents.next_record());
      if (!record) return Error(ErrorCode::corrupt, "the spool of documents is too short");
      const bson::DocumentView now(*record);
      const bson::ValueView key = *now.find("_id");
      if (std::binary_search(changed_.begin(), changed_.end(), bson::Value(key), key_less)) {
        continue;
      }
      HOLDFAST_CHECK(replace(key, now, *segment));
      ++stored;
    }
    held_.order_uncertain += held_.to_reread.size() - stored;
    HOLDFAST_TRY(auto reference, segment->finish());
    if (reference) held_.layers.push_back({.segments = {std::move(*reference)}});
    return {};
  }

 private:
  Status replace(bson::ValueView key, bson::DocumentView now, repository::SegmentWriter& segment) {
    std::optional<bson::Document> stored;
    if (!held_.layers.empty()) {
      HOLDFAST_TRY(stored, writer_.find(held_.layers, key));
    }
    if (stored && same_bytes(stored->bytes(), now.bytes())) return {};
    if (stored) {
      held_.fingerprint.subtract(hasher_.hash(stored->bytes()));
      held_.document_bytes -= stored->bytes().size();
    }
    held_.fingerprint.add(hasher_.hash(now.bytes()));
    held_.document_bytes += now.bytes().size();
    return segment.add({.kind = repository::Entry::Kind::put, .document = now});
  }

  HeldCollection& held_;
  const std::vector<bson::Value>& changed_;
  repository::SnapshotWriter& writer_;
  const DocumentHasher& hasher_;
};

/// So many keys that what one query returns stays small.
std::size_t keys_per_query(const HeldCollection& held) {
  const std::uint64_t average = std::max<std::uint64_t>(
      1, held.document_bytes / std::max<std::uint64_t>(1, held.fingerprint.documents));
  return std::clamp<std::size_t>(bytes_per_query / average, std::size_t{1}, max_keys_per_query);
}

/// Reads the documents of one collection into a spool, ascending; returns how many there were.
Result<std::uint64_t> read_into_spool(mongo::Client& client, const HeldCollection& held,
                                      const mongo::ScanOptions& options, EncryptedSpool& spool,
                                      ClusterTime& latest_read, const std::stop_token& stop) {
  std::uint64_t count = 0;
  const std::size_t step = keys_per_query(held);
  for (std::size_t at = 0; at < held.to_reread.size(); at += step) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    const auto begin = held.to_reread.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = held.to_reread.begin() +
                     static_cast<std::ptrdiff_t>(std::min(at + step, held.to_reread.size()));
    ClusterTime read_at;
    HOLDFAST_TRY(auto batch, mongo::read_by_id(client, held.info, {begin, end}, options, read_at));
    latest_read = std::max(latest_read, read_at);
    std::sort(batch.begin(), batch.end(), document_less);
    for (const bson::Document& document : batch) {
      HOLDFAST_CHECK(spool.append_record(document.bytes()));
    }
    count += batch.size();
  }
  return count;
}

}  // namespace

Result<std::uint64_t> reread_documents(mongo::Client& client, changelog::StreamDrain& drain,
                                       const changelog::Boundary& boundary,
                                       const std::string& marker_database, HeldCollections& held,
                                       const changelog::FoldTools& tools) {
  std::uint64_t keys = 0;
  for (auto& [uuid, collection] : held) {
    sort_reread_keys(collection);
    keys += collection.to_reread.size();
  }
  if (keys == 0) return keys;
  tools.progress.stage("read again", keys, 0);

  HOLDFAST_TRY(const auto spool, EncryptedSpool::create(tools.settings.spool_folder, tools.random));
  std::map<Uuid, std::uint64_t> read;
  ClusterTime latest_read;
  for (const auto& [uuid, collection] : held) {
    if (collection.to_reread.empty()) continue;
    HOLDFAST_TRY(read[uuid], read_into_spool(client, collection, {.not_before = boundary.time},
                                             *spool, latest_read, tools.stop));
    tools.progress.advance(collection.to_reread.size(), 0);
  }
  HOLDFAST_CHECK(spool->flush());
  HOLDFAST_TRY(
      const changelog::Boundary behind,
      drain.barrier(marker_database, latest_read, barrier_patience, tools.progress, tools.stop));
  const changelog::DrainedEvents window(drain, boundary, behind);
  HOLDFAST_TRY(auto changed, find_changed_keys(window, held));
  HOLDFAST_TRY(const auto moved,
               read_catalog_changes(window, [](std::string_view) { return true; }));
  const auto documents = spool->reader();
  HOLDFAST_TRY(const auto stream, tools.writer.open_stream());
  for (auto& [uuid, collection] : held) {
    if (collection.to_reread.empty()) continue;
    // Read under a name that may have meant another collection: nothing of it counts.
    if (moved.rebinds(collection)) changed[uuid] = collection.to_reread;
    RereadPatch patch(collection, changed[uuid], tools.writer, tools.hasher);
    HOLDFAST_CHECK(patch.write(*documents, read[uuid], *stream));
    collection.to_reread.clear();
  }
  HOLDFAST_CHECK(stream->close());
  return keys;
}

}  // namespace holdfast::backup
