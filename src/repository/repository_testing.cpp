#include "repository/repository_testing.h"

#include <algorithm>

#include "bson/builder.h"
#include "repository/entry_codec.h"

namespace holdfast::repository::testing {
namespace {

struct KeyLess {
  bool operator()(const bson::Value& a, const bson::Value& b) const {
    return bson::less(a.view(), b.view());
  }
};

/// The newest entry of each key.
std::map<bson::Value, const OwnedEntry*, KeyLess> newest(const CollectionPlan& plan) {
  std::map<bson::Value, const OwnedEntry*, KeyLess> entries;
  for (const auto& layer : plan.layers) {
    for (const OwnedEntry& entry : layer) {
      const Entry view = entry.view();
      entries.insert_or_assign(bson::Value(*entry_key(view)), &entry);
    }
  }
  return entries;
}

}  // namespace

WallTime SteppingClock::now() const { return WallTime(std::chrono::seconds(seconds_++)); }

void SeededRandom::fill(std::span<std::uint8_t> out) {
  const std::scoped_lock lock(mutex_);
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
}

bson::Document make_document(int id, std::string_view text) {
  bson::Builder builder;
  builder.append_int32("_id", id).append_string("text", text);
  return std::move(builder).finish();
}

OwnedEntry put(int id, std::string_view text) { return put(make_document(id, text)); }
OwnedEntry put(bson::Document document) { return {Entry::Kind::put, std::move(document), 0}; }

OwnedEntry remove(int id) {
  bson::Builder builder;
  builder.append_int32("_id", id);
  return {Entry::Kind::remove, std::move(builder).finish(), 0};
}

OwnedEntry put_at(std::int64_t position, std::string_view text) {
  bson::Builder builder;
  builder.append_string("text", text).append_int32("_id", 7);
  return {Entry::Kind::put_at, std::move(builder).finish(), position};
}

std::vector<bson::Document> merged(const CollectionPlan& plan) {
  std::vector<bson::Document> documents;
  for (const auto& [key, entry] : newest(plan)) {
    if (entry->kind != Entry::Kind::remove) documents.push_back(entry->document);
  }
  return documents;
}

SecretBytes key_content(std::uint8_t number) {
  SecretBytes content(std::size_t{64});
  std::fill(content.span().begin(), content.span().end(), number);
  return content;
}

Unlock unlock_with(std::uint8_t number) {
  Unlock unlock;
  unlock.key_file = key_content(number);
  return unlock;
}

Unlock unlock_with_password(std::string_view password) {
  Unlock unlock;
  unlock.password = SecretBytes(as_bytes(password));
  return unlock;
}

PasswordCost cheap_cost() { return {.operations = 1, .memory_kib = 8}; }

LayoutSettings small_layout() {
  return {.compression = Compression::standard, .block_bytes = 256, .file_bytes = 4096};
}

SourceIdentity test_source(std::string_view id) {
  return {std::string(id), "rs0/db.example:27017", "7.0.14"};
}

Result<SnapshotCollection> write_collection(const DocumentHasher& hasher, SegmentStream& stream,
                                            const CollectionPlan& plan,
                                            std::size_t segment_entries) {
  SnapshotCollection collection;
  collection.info.ns = plan.ns;
  bson::Builder options;
  if (plan.capped) options.append_bool("capped", true);
  collection.info.options = std::move(options).finish();
  collection.consistency = {Consistency::Kind::exact, {1735689600, 1}, ""};
  for (const auto& entries : plan.layers) {
    Layer layer;
    for (std::size_t at = 0; at < entries.size();) {
      HOLDFAST_TRY(const std::unique_ptr<SegmentWriter> segment, stream.begin());
      const std::size_t end = std::min(entries.size(), at + segment_entries);
      for (; at < end && !segment->full(); ++at) HOLDFAST_CHECK(segment->add(entries[at].view()));
      HOLDFAST_TRY(const std::optional<SegmentRef> reference, segment->finish());
      if (reference) layer.segments.push_back(*reference);
    }
    collection.layers.push_back(std::move(layer));
  }
  for (const bson::Document& document : merged(plan)) {
    collection.fingerprint.add(hasher.hash(document.bytes()));
    collection.document_bytes += document.bytes().size();
  }
  return collection;
}

Result<SnapshotSummary> write_snapshot(Repository& repository,
                                       const std::vector<CollectionPlan>& plans,
                                       const SourceIdentity& source, const LayoutSettings& layout) {
  HOLDFAST_TRY(const std::unique_ptr<SnapshotWriter> writer,
               repository.begin_snapshot(source, layout));
  HOLDFAST_TRY(const std::unique_ptr<SegmentStream> stream, writer->open_stream());
  Manifest manifest;
  manifest.summary.databases = {"shop"};
  manifest.summary.consistency = {Consistency::Kind::exact, {1735689600, 1}, ""};
  for (const CollectionPlan& plan : plans) {
    HOLDFAST_TRY(SnapshotCollection collection,
                 write_collection(repository.hasher(), *stream, plan));
    manifest.collections.push_back(std::move(collection));
  }
  return writer->commit(std::move(manifest));
}

Result<std::vector<bson::Document>> read_all(DocumentCursor& cursor) {
  std::vector<bson::Document> documents;
  while (true) {
    HOLDFAST_TRY(const std::optional<bson::DocumentView> document, cursor.next());
    if (!document) return documents;
    documents.emplace_back(*document);
  }
}

Result<std::vector<bson::Document>> read_all(SnapshotReader& reader, const Namespace& ns) {
  HOLDFAST_TRY(const std::unique_ptr<DocumentCursor> cursor, reader.open(ns));
  return read_all(*cursor);
}

CollectionPlan guests(int count, std::string_view text) {
  CollectionPlan plan;
  plan.ns = {"shop", "guests"};
  std::vector<OwnedEntry>& layer = plan.layers.emplace_back();
  for (int id = 1; id <= count; ++id) {
    layer.push_back(put(id, std::string(text) + " " + std::to_string(id)));
  }
  return plan;
}

Result<VerifyReport> verify_all(Repository& repository, bool read_data) {
  SilentProgress progress;
  return repository.verify(read_data, {}, progress, {});
}

std::string damage_text(const VerifyReport& report) {
  std::string text;
  for (const Damage& damage : report.damage) {
    text += damage.what + " " + damage.where + ": " + damage.sentence + "\n";
  }
  return text;
}

LogSegmentInfo log_stretch(std::uint32_t from, std::uint32_t to) {
  const auto position = [](std::uint32_t seconds) {
    return LogPosition{{seconds, 1}, make_document(static_cast<int>(seconds), "token")};
  };
  LogSegmentInfo info;
  info.source = "shop";
  info.databases = {"shop", "stock"};
  info.start = position(from);
  info.end = position(to);
  info.writer = "capture";
  return info;
}

Result<LogSegmentInfo> put_log(Repository& repository, const LogSegmentInfo& info,
                               const std::vector<bson::Document>& events) {
  return repository.put_log_segment(info, [&events](const LogEventVisitor& visit) -> Status {
    for (const bson::Document& event : events) HOLDFAST_CHECK(visit(event.view()));
    return {};
  });
}

TestPlace::TestPlace(bool encrypt, std::uint64_t seed) : encrypted(encrypt), random(seed) {}

Result<InitOutcome> TestPlace::init() {
  blob::MemoryStore store(blobs);
  InitOptions options;
  options.encrypt = encrypted;
  if (encrypted) options.first_key = unlock_with(usual_key);
  return init_repository(store, options, random, clock, cheap_cost());
}

Result<std::unique_ptr<Repository>> TestPlace::open() {
  return open(encrypted ? unlock_with(usual_key) : Unlock{});
}

Result<std::unique_ptr<Repository>> TestPlace::open(const Unlock& unlock) {
  return open_repository(std::make_unique<blob::MemoryStore>(blobs), unlock, random, clock,
                         cheap_cost());
}

Result<std::unique_ptr<Repository>> TestPlace::open_by_clock(const Clock& other) {
  return open_repository(std::make_unique<blob::MemoryStore>(blobs),
                         encrypted ? unlock_with(usual_key) : Unlock{}, random, other,
                         cheap_cost());
}

Result<std::unique_ptr<Repository>> TestPlace::open_store(std::unique_ptr<blob::BlobStore> store) {
  return open_repository(std::move(store), encrypted ? unlock_with(usual_key) : Unlock{}, random,
                         clock, cheap_cost());
}

}  // namespace holdfast::repository::testing
