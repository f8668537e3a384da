#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/temporary_folder_testing.h"
#include "blob/faulty_store_testing.h"
#include "blob/local_store.h"
#include "repository/repository_testing.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::SizeIs;

/// Everything that writes, one after another; goes on after errors, as several callers would.
void work(Repository& repository) {
  const auto second = write_snapshot(repository, {guests(40, "second")});
  [[maybe_unused]] const Status tagged = repository.set_tags("latest", {"tag"});
  const auto third = write_snapshot(repository, {guests(3, "third")});
  if (third.ok()) {
    [[maybe_unused]] const Status removed = repository.remove_snapshot(third->id);
  }
  if (!repository.encrypted()) return;
  const auto added = repository.add_key(unlock_with(2), false, "more");
  if (added.ok()) {
    [[maybe_unused]] const Status removed = repository.remove_key(added->first.id);
  }
}

/// What must hold after any crash or error.
void expect_sound(Repository& repository, const std::string& first_id, const std::string& trace) {
  SCOPED_TRACE(trace);
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(repository));
  EXPECT_EQ(damage_text(report), "");
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository.list());
  for (const SnapshotSummary& summary : listing.snapshots) {
    HOLDFAST_ASSERT_OK(const auto reader, repository.open_snapshot(summary.id));
    HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, {"shop", "guests"}));
    const std::vector<std::vector<bson::Document>> possible = {
        merged(guests(10)), merged(guests(40, "second")), merged(guests(3, "third"))};
    EXPECT_NE(std::find(possible.begin(), possible.end(), documents), possible.end());
  }
  HOLDFAST_ASSERT_OK(const auto reader, repository.open_snapshot(first_id));
  HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, {"shop", "guests"}));
  EXPECT_EQ(documents, merged(guests(10)));
  HOLDFAST_ASSERT_OK(const SnapshotSummary next, write_snapshot(repository, {guests(10)}));
  HOLDFAST_ASSERT_OK(const VerifyReport again, verify_all(repository));
  EXPECT_EQ(damage_text(again), "");
}

class Crash : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(EncryptedOrNot, Crash, ::testing::Bool());

TEST_P(Crash, at_every_write_leaves_a_sound_repository) {
  for (const auto when : {blob::Fault::When::before, blob::Fault::When::after}) {
    for (std::uint64_t n = 1;; ++n) {
      TestPlace place(GetParam(), n);
      HOLDFAST_ASSERT_OK(const InitOutcome outcome, place.init());
      HOLDFAST_ASSERT_OK(const auto before, place.open());
      HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*before, {guests(10)}));
      const auto plan = std::make_shared<blob::FaultPlan>();
      {
        HOLDFAST_ASSERT_OK(const auto repository,
                           place.open_store(std::make_unique<blob::FaultyStore>(
                               std::make_unique<blob::MemoryStore>(place.blobs), plan)));
        plan->set({.at = n, .when = when, .crash = true, .action = {}});
        work(*repository);
      }
      if (!plan->triggered()) {
        EXPECT_GT(n, 20U);
        break;
      }
      HOLDFAST_ASSERT_OK(const auto after, place.open());
      expect_sound(*after, first.id, "write " + std::to_string(n));
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
}

TEST_P(Crash, an_error_at_every_operation_leaves_a_sound_repository) {
  std::set<blob::Operation> all = blob::writing_operations();
  all.merge(blob::reading_operations());
  for (const ErrorCode code : {ErrorCode::io, ErrorCode::no_space, ErrorCode::retry}) {
    for (std::uint64_t n = 1;; ++n) {
      TestPlace place(GetParam(), n);
      HOLDFAST_ASSERT_OK(const InitOutcome outcome, place.init());
      const auto plan = std::make_shared<blob::FaultPlan>();
      HOLDFAST_ASSERT_OK(const auto repository,
                         place.open_store(std::make_unique<blob::FaultyStore>(
                             std::make_unique<blob::MemoryStore>(place.blobs), plan)));
      HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {guests(10)}));
      plan->set({.operations = all,
                 .at = n,
                 .when = blob::Fault::When::halfway,
                 .code = code,
                 .action = {}});
      work(*repository);
      if (!plan->triggered()) break;
      plan->clear();
      expect_sound(*repository, first.id, "operation " + std::to_string(n));
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
}

TEST_P(Crash, init_can_be_run_again_after_any) {
  for (std::uint64_t n = 1;; ++n) {
    TestPlace place(GetParam(), n);
    const auto plan = std::make_shared<blob::FaultPlan>();
    plan->set({.at = n, .crash = true, .action = {}});
    {
      blob::FaultyStore store(std::make_unique<blob::MemoryStore>(place.blobs), plan);
      InitOptions options;
      options.encrypt = GetParam();
      if (GetParam()) options.first_key = unlock_with(usual_key);
      const auto outcome = init_repository(store, options, place.random, place.clock, cheap_cost());
      if (!plan->triggered()) {
        EXPECT_TRUE(outcome.ok());
        break;
      }
    }
    const auto again = place.init();
    const bool was_there = !again.ok() && again.error().code() == ErrorCode::exists;
    EXPECT_TRUE(again.ok() || was_there) << again.error().message();
    HOLDFAST_ASSERT_OK(const auto repository, place.open());
    HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {guests(10)}));
    expect_sound(*repository, first.id, "write " + std::to_string(n));
  }
}

TEST_P(Crash, of_a_real_process_leaves_a_sound_repository_on_disk) {
  for (std::uint64_t n = 1; n < 200; n += 3) {
    const TemporaryFolder folder;
    SystemRandom random;  // a seeded one would say the same in both processes
    const SteppingClock clock;
    const auto open = [&](std::shared_ptr<blob::FaultPlan> plan) {
      auto local = blob::open_local_store(folder.path() / "repository", true).value();
      return open_repository(std::make_unique<blob::FaultyStore>(std::move(local), std::move(plan)),
                             GetParam() ? unlock_with(usual_key) : Unlock{}, random, clock,
                             cheap_cost());
    };
    {
      const auto local = blob::open_local_store(folder.path() / "repository", true).value();
      InitOptions options;
      options.encrypt = GetParam();
      if (GetParam()) options.first_key = unlock_with(usual_key);
      HOLDFAST_EXPECT_OK(init_repository(*local, options, random, clock, cheap_cost()));
    }
    const auto plan = std::make_shared<blob::FaultPlan>();
    HOLDFAST_ASSERT_OK(const auto repository, open(plan));
    HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {guests(10)}));
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      constexpr int died = 9;
      plan->set({.at = n, .action = [] { _exit(died); }});
      work(*repository);
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    HOLDFAST_ASSERT_OK(const auto after, open(std::make_shared<blob::FaultPlan>()));
    expect_sound(*after, first.id, "write " + std::to_string(n));
    if (WEXITSTATUS(status) == 0 || HasNonfatalFailure()) break;
  }
}

}  // namespace
}  // namespace holdfast::repository
