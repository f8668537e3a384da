#include <gtest/gtest.h>

#include "base/temporary_folder_testing.h"
#include "blob/faulty_store_testing.h"
#include "blob/local_store.h"
#include "blob/memory_store_testing.h"

namespace holdfast::blob {
namespace {

class FaultyStoreTest : public testing::Test {
 protected:
  void fail(Operation operation, Fault::When when, ErrorCode code = ErrorCode::io) {
    Fault fault;
    fault.operations = {operation};
    fault.when = when;
    fault.code = code;
    plan_->set(fault);
  }

  std::shared_ptr<MemoryBlobs> blobs_ = std::make_shared<MemoryBlobs>();
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  FaultyStore store_{std::make_unique<MemoryStore>(blobs_), plan_};
};

TEST_F(FaultyStoreTest, fails_before_or_after_the_effect) {
  fail(Operation::commit, Fault::When::before, ErrorCode::no_space);
  EXPECT_EQ(store_.put("a", as_bytes("x")).error().code(), ErrorCode::no_space);
  EXPECT_TRUE(blobs_->names().empty());
  fail(Operation::commit, Fault::When::after, ErrorCode::retry);
  EXPECT_EQ(store_.put("a", as_bytes("x")).error().code(), ErrorCode::retry);
  EXPECT_EQ(blobs_->names().size(), 1U);
  fail(Operation::remove, Fault::When::after);
  EXPECT_FALSE(store_.remove("a").ok());
  EXPECT_TRUE(blobs_->names().empty());
}

TEST_F(FaultyStoreTest, counts_and_fails_the_nth_write_once_or_for_good) {
  Fault fault;
  fault.at = 5;  // the second blob's append
  plan_->set(fault);
  EXPECT_TRUE(store_.put("a", {}).ok());
  EXPECT_FALSE(store_.put("b", {}).ok());
  EXPECT_TRUE(plan_->triggered());
  EXPECT_TRUE(store_.put("c", {}).ok());
  EXPECT_EQ(plan_->writes(), 8U);
  fault.lasting = true;
  fault.at = 1;
  plan_->set(fault);
  EXPECT_FALSE(store_.put("d", {}).ok());
  EXPECT_FALSE(store_.put("e", {}).ok());
  EXPECT_TRUE(store_.get("a", 1).ok());
  plan_->clear();
  EXPECT_TRUE(store_.put("f", {}).ok());
  EXPECT_EQ(plan_->count(Operation::get), 1U);
}

TEST_F(FaultyStoreTest, calls_the_action) {
  bool called = false;
  Fault fault;
  fault.action = [&] { called = true; };
  plan_->set(fault);
  EXPECT_FALSE(store_.put("a", {}).ok());
  EXPECT_TRUE(called);
}

TEST(FaultyLocalStore, a_crash_leaves_the_torn_write_behind) {
  const TemporaryFolder folder;
  const auto plan = std::make_shared<FaultPlan>();
  FaultyStore store(open_local_store(folder.path(), true).value(), plan);
  Fault fault;
  fault.operations = {Operation::append};
  fault.when = Fault::When::halfway;
  fault.crash = true;
  plan->set(fault);
  EXPECT_FALSE(store.put("a", Bytes(4'000'000)).ok());
  EXPECT_TRUE(plan->crashed());
  EXPECT_FALSE(store.list("").ok());
  EXPECT_FALSE(store.put("b", {}).ok());

  const auto reopened = open_local_store(folder.path(), false).value();
  EXPECT_TRUE(reopened->list("")->empty());
  EXPECT_EQ(*reopened->remove_unfinished(0), 2'000'000U);
  plan->revive();
  EXPECT_TRUE(store.put("a", as_bytes("x")).ok());
}

}  // namespace
}  // namespace holdfast::blob
