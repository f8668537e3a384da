#include "backup/backup_testing.h"

#include "mongo/scan.h"

namespace holdfast::backup {

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
