#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/temporary_folder_testing.h"
#include "blob/local_store.h"
#include "repository/header.h"
#include "repository/repository_testing.h"
#include "repository/snapshot_catalog.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Concurrency, writers_readers_and_removers_don_t_disturb_each_other) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  constexpr int writers = 3;
  constexpr int rounds = 6;
  std::atomic<bool> done = false;
  std::atomic<int> failures = 0;
  const auto fail = [&failures](const std::string& why) {
    ++failures;
    ADD_FAILURE() << why;
  };
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&place, &fail, writer] {
      const auto repository = place.open().value();  // a view of its own, like a process
      for (int round = 0; round < rounds; ++round) {
        const auto written = write_snapshot(*repository, {guests(10 + writer)});
        if (!written.ok()) return fail("write: " + written.error().message());
        const Status tagged = repository->set_tags(written->id, {"t"});
        if (!tagged.ok()) return fail("tag: " + tagged.error().message());
        if (round % 2 == 0) continue;
        const Status removed = repository->remove_snapshot(written->id);
        if (!removed.ok()) return fail("remove: " + removed.error().message());
      }
    });
  }
  std::jthread reader([&place, &fail, &done] {
    const auto repository = place.open().value();
    while (!done) {
      const auto report = verify_all(*repository);
      if (!report.ok()) return fail("verify: " + report.error().message());
      if (!report->damage.empty()) return fail(damage_text(*report));
      const auto listing = repository->list();
      if (!listing.ok()) return fail("list: " + listing.error().message());
    }
  });
  threads.clear();
  done = true;
  reader.join();
  EXPECT_EQ(failures, 0);
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_THAT(listing.snapshots, SizeIs(writers * rounds / 2));
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
}

TEST(Concurrency, several_tag_one_snapshot) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {guests(3)}));
  {
    std::vector<std::jthread> threads;
    for (int at = 0; at < 4; ++at) {
      threads.emplace_back([&repository, &summary, at] {
        HOLDFAST_EXPECT_OK(repository->set_tags(summary.id, {std::to_string(at)}));
      });
    }
  }
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  ASSERT_THAT(listing.snapshots, SizeIs(1));
  EXPECT_THAT(listing.snapshots.front().tags, SizeIs(1));
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
}

TEST(Concurrency, processes_share_a_repository_on_disk) {
  const TemporaryFolder folder;
  TestPlace place;
  SystemRandom system_random;
  const auto open = [&] {
    return open_repository(blob::open_local_store(folder.path(), false).value(),
                           unlock_with(usual_key), system_random, place.clock, cheap_cost());
  };
  {
    const auto local = blob::open_local_store(folder.path(), false).value();
    InitOptions options;
    options.first_key = unlock_with(usual_key);
    HOLDFAST_EXPECT_OK(init_repository(*local, options, system_random, place.clock, cheap_cost()));
  }
  constexpr int processes = 3;
  constexpr int rounds = 4;
  std::vector<pid_t> children;
  for (int at = 0; at < processes; ++at) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto repository = open();
      if (!repository.ok()) _exit(1);
      for (int round = 0; round < rounds; ++round) {
        if (!write_snapshot(**repository, {guests(20 + at)}).ok()) _exit(2);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  HOLDFAST_ASSERT_OK(const auto repository, open());
  for (int at = 0; at < 5; ++at) {
    HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
    EXPECT_EQ(damage_text(report), "");
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_THAT(listing.snapshots, SizeIs(processes * rounds));
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
  EXPECT_EQ(report.unreferenced_files, 0U);
}

TEST(Concurrency, inits_at_once_make_one_repository) {
  for (int round = 0; round < 10; ++round) {
    TestPlace place;
    std::atomic<int> made = 0;
    {
      std::vector<std::jthread> threads;
      for (int at = 0; at < 3; ++at) {
        threads.emplace_back([&place, &made] {
          const auto outcome = place.init();
          if (outcome.ok()) ++made;
        });
      }
    }
    EXPECT_EQ(made, 1);
    HOLDFAST_ASSERT_OK(const auto repository, place.open());
    HOLDFAST_ASSERT_OK(const auto keys, repository->keys());
    EXPECT_THAT(keys, SizeIs(2));
  }
}

/// A catalog of its own over a repository without encryption, as the collector will have.
struct Collector {
  explicit Collector(TestPlace& place)
      : store(place.blobs),
        header(decode_header(*place.blobs->find("holdfast.json")).value()),
        context{store, place.random,          place.clock,          header.id, header.id_text(),
                false, plain_keys(header.id), BlockIndexCache(1024)},
        catalog(context) {}

  blob::MemoryStore store;
  Header header;
  Context context;
  SnapshotCatalog catalog;
};

TEST(Fences, a_fenced_writer_cannot_commit) {
  TestPlace place(false);
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  Collector collector(place);
  HOLDFAST_EXPECT_OK(collector.catalog.fence("shop", writer->snapshot_id()));
  HOLDFAST_EXPECT_ERROR(ErrorCode::exists, collector.catalog.fence("shop", writer->snapshot_id()));
  const auto committed = writer->commit({});
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code(), ErrorCode::precondition);
  EXPECT_THAT(committed.error().message(), ::testing::HasSubstr("fenced"));
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_THAT(listing.snapshots, IsEmpty());
  EXPECT_THAT(listing.damaged, IsEmpty());
  HOLDFAST_ASSERT_OK(const SnapshotSummary next, write_snapshot(*repository, {guests(2)}));
  EXPECT_THAT(next.predecessors, IsEmpty());
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
}

TEST(Fences, come_too_late_for_what_is_committed) {
  TestPlace place(false);
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {guests(2)}));
  Collector collector(place);
  HOLDFAST_EXPECT_ERROR(ErrorCode::exists, collector.catalog.fence("shop", summary.id));
  HOLDFAST_EXPECT_OK(repository->set_tags(summary.id, {"moved to another name"}));
  HOLDFAST_EXPECT_ERROR(ErrorCode::exists, collector.catalog.fence("shop", summary.id));
  HOLDFAST_EXPECT_OK(repository->remove_snapshot(summary.id));
  HOLDFAST_EXPECT_ERROR(ErrorCode::exists, collector.catalog.fence("shop", summary.id));
}

TEST(Fences, of_a_commit_and_a_fence_exactly_one_wins) {
  TestPlace place(false);
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  Collector collector(place);
  std::size_t commits = 0;
  for (int round = 0; round < 60; ++round) {
    HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
    std::atomic<bool> go = false;
    bool fenced = false;
    std::jthread fencing([&] {
      while (!go) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::microseconds(round * 40));
      fenced = collector.catalog.fence("shop", writer->snapshot_id()).ok();
    });
    go = true;
    const bool committed = writer->commit({}).ok();
    fencing.join();
    EXPECT_NE(committed, fenced);
    commits += committed ? 1 : 0;
  }
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_THAT(listing.snapshots, SizeIs(commits));
}

}  // namespace
}  // namespace holdfast::repository
