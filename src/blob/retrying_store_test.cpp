#include "blob/retrying_store.h"

#include <gtest/gtest.h>

#include "base/temporary_folder_testing.h"
#include "blob/conformance_testing.h"
#include "blob/faulty_store_testing.h"
#include "blob/local_store.h"
#include "blob/memory_store_testing.h"

namespace holdfast::blob {
namespace {

using namespace std::chrono_literals;

class StillClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override { return {}; }
  [[nodiscard]] SteadyTime steady_now() const override { return now_; }
  SteadyTime now_{};
};

std::unique_ptr<BlobStore> retrying_local(std::uint64_t replay_limit_bytes) {
  static int number = 0;
  static TemporaryFolder folder;
  static const SystemClock clock;
  static SystemRandom random;
  RetrySettings settings;
  settings.replay_limit_bytes = replay_limit_bytes;
  return make_retrying_store(
      open_local_store(folder.path() / std::to_string(++number), true).value(), settings, clock,
      random, [](std::chrono::milliseconds) { return Status(); });
}

INSTANTIATE_TEST_SUITE_P(
    Retrying, BlobStoreConformance,
    testing::Values(StoreUnderTest{"replaying", [] { return retrying_local(1U << 20U); }},
                    StoreUnderTest{"streaming", [] { return retrying_local(0); }}));

class RetryingStore : public testing::Test {
 protected:
  void open(const RetrySettings& settings = {}) {
    store_ = make_retrying_store(
        std::make_unique<FaultyStore>(std::make_unique<MemoryStore>(blobs_), plan_), settings,
        clock_, random_, [this](std::chrono::milliseconds delay) -> Status {
          delays_.push_back(delay);
          clock_.now_ += delay;
          if (stopped_) return Error(ErrorCode::cancelled, "stopped");
          return {};
        });
  }

  void fail(Operation operation, Fault::When when, std::uint64_t at = 1, bool lasting = false) {
    Fault fault;
    fault.operations = {operation};
    fault.at = at;
    fault.when = when;
    fault.code = ErrorCode::retry;
    fault.lasting = lasting;
    plan_->set(fault);
  }

  std::shared_ptr<MemoryBlobs> blobs_ = std::make_shared<MemoryBlobs>();
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  StillClock clock_;
  SystemRandom random_;
  std::vector<std::chrono::milliseconds> delays_;
  bool stopped_ = false;
  std::unique_ptr<BlobStore> store_;
};

TEST_F(RetryingStore, repeats_what_may_succeed_later) {
  open();
  fail(Operation::commit, Fault::When::before);
  EXPECT_TRUE(store_->put("a", as_bytes("x")).ok());
  fail(Operation::get, Fault::When::before);
  EXPECT_TRUE(store_->get("a", 10).ok());
  fail(Operation::list, Fault::When::before);
  EXPECT_EQ(store_->list("")->size(), 1U);
  EXPECT_EQ(delays_.size(), 3U);
}

TEST_F(RetryingStore, leaves_other_errors_alone) {
  open();
  EXPECT_EQ(store_->get("a", 1).error().code(), ErrorCode::not_found);
  EXPECT_TRUE(delays_.empty());
}

TEST_F(RetryingStore, a_put_whose_reply_was_lost_is_done) {
  open();
  fail(Operation::commit, Fault::When::after);
  EXPECT_TRUE(store_->put("a", as_bytes("mine")).ok());
  EXPECT_EQ(as_text(*store_->get("a", 10)), "mine");
}

TEST_F(RetryingStore, a_name_that_another_took_meanwhile_is_not_ours) {
  open();
  fail(Operation::commit, Fault::When::before);
  auto writer = store_->create("a");
  ASSERT_TRUE((*writer)->append(as_bytes("mine")).ok());
  blobs_->overwrite("a", to_bytes(as_bytes("them")));
  EXPECT_EQ((*writer)->commit().error().code(), ErrorCode::exists);
}

TEST_F(RetryingStore, an_equal_blob_that_was_there_before_is_not_ours) {
  open();
  blobs_->overwrite("a", to_bytes(as_bytes("same")));
  EXPECT_EQ(store_->put("a", as_bytes("same")).error().code(), ErrorCode::exists);
}

TEST_F(RetryingStore, a_remove_whose_reply_was_lost_is_done) {
  open();
  blobs_->overwrite("a", {});
  fail(Operation::remove, Fault::When::after);
  EXPECT_TRUE(store_->remove("a").ok());
  EXPECT_EQ(store_->remove("a").error().code(), ErrorCode::not_found);
}

TEST_F(RetryingStore, a_long_blob_whose_reply_was_lost_is_done) {
  RetrySettings settings;
  settings.replay_limit_bytes = 10;
  open(settings);
  fail(Operation::commit, Fault::When::after);
  EXPECT_TRUE(store_->put("a", Bytes(3'000'000, 7)).ok());
  EXPECT_EQ(store_->stat("a")->size, 3'000'000U);
}

TEST_F(RetryingStore, a_long_blob_that_did_not_arrive_is_the_callers_to_repeat) {
  RetrySettings settings;
  settings.replay_limit_bytes = 10;
  open(settings);
  fail(Operation::commit, Fault::When::before);
  EXPECT_EQ(store_->put("a", Bytes(100)).error().code(), ErrorCode::retry);
  EXPECT_TRUE(store_->put("a", Bytes(100)).ok());
}

TEST_F(RetryingStore, gives_up_and_says_how_often_it_tried) {
  open();
  fail(Operation::get, Fault::When::before, 1, true);
  const auto outcome = store_->get("a", 1);
  EXPECT_EQ(outcome.error().code(), ErrorCode::retry);
  EXPECT_EQ(outcome.error().message(), "gave up after 6 attempts: injected fault: cannot get");
  ASSERT_EQ(delays_.size(), 5U);
  for (std::size_t at = 0; at < delays_.size(); ++at) {
    EXPECT_GE(delays_[at], 100ms * (1 << at));
    EXPECT_LE(delays_[at], 200ms * (1 << at));
  }
}

TEST_F(RetryingStore, gives_up_when_its_time_is_over) {
  RetrySettings settings;
  settings.max_attempts = 1000;
  settings.give_up_after = 3s;
  open(settings);
  fail(Operation::get, Fault::When::before, 1, true);
  EXPECT_EQ(store_->get("a", 1).error().code(), ErrorCode::retry);
  EXPECT_LE(clock_.now_.time_since_epoch(), 3s);
}

TEST_F(RetryingStore, a_stop_ends_the_waiting) {
  open();
  stopped_ = true;
  fail(Operation::get, Fault::When::before);
  EXPECT_EQ(store_->get("a", 1).error().code(), ErrorCode::cancelled);
}

}  // namespace
}  // namespace holdfast::blob
