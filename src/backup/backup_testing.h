#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "backup/backup.h"
#include "base/clock.h"
#include "base/progress.h"
#include "base/random.h"
#include "bson/document.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"
#include "repository/repository_testing.h"

namespace holdfast::backup {

/// A server of its own, and a repository in memory.
class LiveBackup : public ::testing::Test {
 protected:
  void SetUp() override;

  /// Runs a command on the database "shop", or on "admin".
  void command(const std::string& text);
  void admin(const std::string& text);
  /// Opens `reader_` on what was backed up.
  Result<BackupOutcome> back_up(const BackupOptions& options, ProgressSink& progress);
  Result<BackupOutcome> back_up(const BackupOptions& options);
  /// Fails unless every collection of the snapshot is exact and holds just what the quiet server
  /// holds now.
  void expect_same_as_live(const BackupOutcome& outcome);
  /// Fails unless everything in the repository is whole.
  void expect_whole();
  std::vector<bson::Document> documents(const std::string& collection);
  /// Commits a snapshot that says to be the same moment as another one, but lies about documents
  /// of a collection: those of `puts` (JSON) are as given, those of `removes` ({"_id": …}) missing.
  Result<repository::SnapshotSummary> commit_lie(const std::string& about,
                                                 const std::string& collection,
                                                 const std::vector<std::string>& puts,
                                                 const std::vector<std::string>& removes);

  /// What is wrong with one snapshot, in words.
  std::string damage_of(const std::string& snapshot);

  repository::testing::TestPlace place_;
  std::unique_ptr<repository::Repository> repository_;
  std::unique_ptr<mongo::TestServer> server_;  // ends after the client: it waits for clients
  std::unique_ptr<mongo::Client> client_;
  std::unique_ptr<repository::SnapshotReader> reader_;
  SystemClock clock_;
  SystemRandom random_;
};

[[nodiscard]] BackupOptions of_shop();
[[nodiscard]] BackupOptions incremental_of_shop();

}  // namespace holdfast::backup

/// Starts the fixture's server with these ServerOptions; skips the test where it cannot be had.
#define HOLDFAST_START_SHOP(...)               \
  HOLDFAST_START_SERVER(server, __VA_ARGS__);  \
  server_ = std::move(server);                 \
  client_ = mongo::connect_to(server_->uri()); \
  mongo::run_text(*client_, "shop", R"({"dropDatabase":1})")

/// The same with two collections: "a" of some megabytes, "b" of fifty documents.
#define HOLDFAST_START_FILLED_SERVER()                          \
  HOLDFAST_START_SHOP({});                                      \
  mongo::fill_with_numbers(*client_, {"shop", "a"}, 4000, 300); \
  mongo::fill_with_numbers(*client_, {"shop", "b"}, 50)
