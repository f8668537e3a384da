#include "backup/backup_testing.h"

#include <algorithm>

#include "bson/order.h"
#include "mongo/scan.h"

namespace holdfast::backup {

namespace {

using repository::testing::OwnedEntry;

/// Ascending, as a segment has them.
std::vector<OwnedEntry> entries_of(const std::vector<std::string>& puts,
                                   const std::vector<std::string>& removes) {
  std::vector<OwnedEntry> entries;
  for (const std::string& text : puts) {
    entries.push_back({repository::Entry::Kind::put, mongo::from_text(text), 0});
  }
  for (const std::string& text : removes) {
    entries.push_back({repository::Entry::Kind::remove, mongo::from_text(text), 0});
  }
  std::sort(entries.begin(), entries.end(), [](const OwnedEntry& a, const OwnedEntry& b) {
    return bson::less(*a.document.view().find("_id"), *b.document.view().find("_id"));
  });
  return entries;
}

Result<repository::Layer> write_layer(repository::SnapshotWriter& writer,
                                      const std::vector<OwnedEntry>& entries) {
  HOLDFAST_TRY(const auto stream, writer.open_stream());
  HOLDFAST_TRY(const auto segment, stream->begin());
  for (const OwnedEntry& entry : entries) HOLDFAST_CHECK(segment->add(entry.view()));
  HOLDFAST_TRY(const auto reference, segment->finish());
  HOLDFAST_CHECK(stream->close());
  repository::Layer layer;
  if (reference) layer.segments.push_back(*reference);
  return layer;
}

/// Fingerprint and size as if a patch had been honest.
Status account(repository::SnapshotWriter& writer, const DocumentHasher& hasher,
               const std::vector<OwnedEntry>& entries, repository::SnapshotCollection& collection) {
  for (const OwnedEntry& entry : entries) {
    HOLDFAST_TRY(const auto before,
                 writer.find(collection.layers, *entry.document.view().find("_id")));
    if (before) {
      collection.fingerprint.subtract(hasher.hash(before->bytes()));
      collection.document_bytes -= before->bytes().size();
    }
    if (entry.kind == repository::Entry::Kind::remove) continue;
    collection.fingerprint.add(hasher.hash(entry.document.bytes()));
    collection.document_bytes += entry.document.bytes().size();
  }
  return {};
}

}  // namespace

void LiveBackup::SetUp() {
  ASSERT_TRUE(place_.init().ok());
  HOLDFAST_ASSERT_OK(repository_, place_.open());
}

void LiveBackup::command(const std::string& text) { mongo::run_text(*client_, "shop", text); }

void LiveBackup::admin(const std::string& text) { mongo::run_text(*client_, "admin", text); }

Result<BackupOutcome> LiveBackup::back_up(const BackupOptions& options, ProgressSink& progress) {
  auto outcome = run_backup(*client_, *repository_, options, clock_, random_, progress, {});
  if (outcome.ok()) {
    HOLDFAST_TRY(reader_, repository_->open_snapshot(outcome->summary.id));
  }
  return outcome;
}

Result<BackupOutcome> LiveBackup::back_up(const BackupOptions& options) {
  SilentProgress progress;
  return back_up(options, progress);
}

void LiveBackup::expect_same_as_live(const BackupOutcome& outcome) {
  EXPECT_EQ(outcome.summary.consistency.kind, Consistency::Kind::exact)
      << outcome.summary.consistency.reason;
  const auto live = mongo::make_live_reader(*client_, {"shop"});
  HOLDFAST_ASSERT_OK(auto there, live->catalog());
  HOLDFAST_ASSERT_OK(auto kept, reader_->catalog());
  std::vector<std::string> live_names;
  std::vector<std::string> kept_names;
  for (const auto& info : there) live_names.push_back(info.ns.text());
  for (const auto& info : kept) kept_names.push_back(info.ns.text());
  ASSERT_EQ(kept_names, live_names);
  for (std::size_t i = 0; i < there.size(); ++i) {
    EXPECT_EQ(kept[i].options, there[i].options) << there[i].ns.text();
    EXPECT_EQ(kept[i].indexes, there[i].indexes) << there[i].ns.text();
    if (there[i].type == CollectionType::view) continue;
    HOLDFAST_ASSERT_OK(auto live_cursor, live->open(there[i].ns));
    HOLDFAST_ASSERT_OK(auto kept_cursor, reader_->open(there[i].ns));
    HOLDFAST_ASSERT_OK(const auto wanted, mongo::read_all(*live_cursor));
    HOLDFAST_ASSERT_OK(const auto found, mongo::read_all(*kept_cursor));
    EXPECT_TRUE(found == wanted) << there[i].ns.text() << ": " << found.size() << " documents, "
                                 << wanted.size() << " on the server";
  }
}

void LiveBackup::expect_whole() {
  HOLDFAST_ASSERT_OK(const auto report, repository::testing::verify_all(*repository_));
  EXPECT_EQ(repository::testing::damage_text(report), "");
}

std::vector<bson::Document> LiveBackup::documents(const std::string& collection) {
  auto read = repository::testing::read_all(*reader_, {"shop", collection});
  return read.ok() ? std::move(*read) : std::vector<bson::Document>();
}

Result<repository::SnapshotSummary> LiveBackup::commit_lie(
    const std::string& about, const std::string& collection, const std::vector<std::string>& puts,
    const std::vector<std::string>& removes) {
  HOLDFAST_TRY(repository::Manifest manifest, repository_->manifest(about));
  HOLDFAST_TRY(const auto writer,
               repository_->begin_snapshot(manifest.summary.source, {}, manifest.files));
  const auto entries = entries_of(puts, removes);
  for (repository::SnapshotCollection& one : manifest.collections) {
    if (one.info.ns.collection != collection) continue;
    HOLDFAST_TRY(const repository::Layer patch, write_layer(*writer, entries));
    HOLDFAST_CHECK(account(*writer, repository_->hasher(), entries, one));
    one.layers.push_back(patch);
  }
  manifest.summary.parent = about;
  manifest.summary.finished = {};
  return writer->commit(std::move(manifest));
}

std::string LiveBackup::damage_of(const std::string& snapshot) {
  SilentProgress progress;
  const auto report = repository_->verify(true, {snapshot}, progress, {});
  return report.ok() ? repository::testing::damage_text(*report) : report.error().message();
}

BackupOptions of_shop() {
  BackupOptions options;
  options.databases = {"shop"};
  return options;
}

BackupOptions incremental_of_shop() {
  BackupOptions options = of_shop();
  options.kind = BackupKind::incremental;
  return options;
}

}  // namespace holdfast::backup
