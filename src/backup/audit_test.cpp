// A full backup over a parent is an audit of it: what the parent gets wrong is found, named and
// put right. Also an incremental one over a parent that the log does not fit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "backup/backup_testing.h"

namespace holdfast::backup {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Audit = LiveBackup;

/// A document as JSON.
std::string document(int id, const std::string& rest) {
  return R"({"_id":)" + std::to_string(id) + "," + rest + "}";
}

TEST_F(Audit, Core_names_just_the_documents_that_differ_and_stores_the_truth) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto honest, back_up(of_shop()));
  HOLDFAST_ASSERT_OK(const auto lie,
                     commit_lie(honest.summary.id, "b",
                                {document(3, R"("pad":"altered")"), document(9000, R"("n":1)")},
                                {R"({"_id":7})"}));
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(of_shop()));
  EXPECT_EQ(outcome.summary.parent, lie.id);
  EXPECT_TRUE(outcome.audited);
  ASSERT_THAT(outcome.findings, SizeIs(1));
  EXPECT_THAT(outcome.findings[0], HasSubstr("shop.b: 3 document(s) differ"));
  EXPECT_THAT(outcome.findings[0], HasSubstr("_id 3, 7, 9000;"));
  expect_same_as_live(outcome);
  expect_whole();
  HOLDFAST_ASSERT_OK(const auto again, back_up(of_shop()));
  EXPECT_THAT(again.findings, IsEmpty());
}

TEST_F(Audit, Core_does_not_name_what_events_explain) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto honest, back_up(of_shop()));
  HOLDFAST_ASSERT_OK(
      const auto lie,
      commit_lie(honest.summary.id, "b",
                 {document(3, R"("pad":"altered")"), document(4, R"("pad":"altered")")}, {}));
  // Honest changes, and one that replaces a lie as a whole.
  command(R"({"update":"b","updates":[{"q":{"_id":4},"u":{"_id":4,"replaced":true}},
                                      {"q":{"_id":5},"u":{"$set":{"x":1}}}]})");
  command(R"({"insert":"b","documents":[{"_id":1000}]})");
  command(R"({"delete":"b","deletes":[{"q":{"_id":6},"limit":1}]})");
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(of_shop()));
  EXPECT_EQ(outcome.summary.parent, lie.id);
  ASSERT_THAT(outcome.findings, SizeIs(1));
  EXPECT_THAT(outcome.findings[0], HasSubstr("shop.b: 1 document(s) differ"));
  EXPECT_THAT(outcome.findings[0], HasSubstr("_id 3;"));
  expect_same_as_live(outcome);
}

TEST_F(Audit, Core_puts_an_order_of_fields_right_without_calling_it_a_finding) {
  HOLDFAST_START_FILLED_SERVER();
  command(R"({"insert":"b","documents":[{"_id":1000,"x":1,"y":{"z":1,"w":2}}]})");
  HOLDFAST_ASSERT_OK(const auto honest, back_up(of_shop()));
  HOLDFAST_EXPECT_OK(
      commit_lie(honest.summary.id, "b", {R"({"_id":1000,"y":{"w":2,"z":1},"x":1})"}, {}));
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(of_shop()));
  EXPECT_THAT(outcome.findings, IsEmpty());
  EXPECT_EQ(outcome.order_corrected, 1U);
  expect_same_as_live(outcome);
}

TEST_F(Audit, Core_rewrites_a_damaged_segment_from_what_is_on_the_server) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto first, back_up(of_shop()));
  std::string file;
  for (const std::string& name : place_.blobs->names()) {
    if (name.find("/segments/") != std::string::npos) file = name;
  }
  ASSERT_FALSE(file.empty());
  place_.blobs->flip_bit(file, place_.blobs->find(file)->size() / 2);
  ASSERT_NE(damage_of(first.summary.id), "");
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(of_shop()));
  EXPECT_EQ(outcome.summary.parent, first.summary.id);
  EXPECT_THAT(outcome.findings, Not(IsEmpty()));
  EXPECT_EQ(damage_of(outcome.summary.id), "");
  expect_same_as_live(outcome);
  HOLDFAST_ASSERT_OK(const auto again, back_up(of_shop()));
  EXPECT_THAT(again.findings, IsEmpty());
}

TEST_F(Audit, Core_an_incremental_over_a_parent_that_the_log_does_not_fit_compares_and_says_so) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto honest, back_up(of_shop()));
  HOLDFAST_ASSERT_OK(
      const auto lie,
      commit_lie(honest.summary.id, "b", {document(3, R"("pad":"altered")")}, {R"({"_id":7})"}));
  command(R"({"update":"b","updates":[{"q":{"_id":7},"u":{"$set":{"x":1}}}]})");
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
  EXPECT_EQ(outcome.summary.parent, lie.id);
  ASSERT_THAT(outcome.findings, SizeIs(1));
  EXPECT_THAT(outcome.findings[0],
              AllOf(HasSubstr(lie.id), HasSubstr("does not fit"), HasSubstr("shop.b")));
  expect_same_as_live(outcome);
  expect_whole();
}

TEST_F(Audit, Core_an_incremental_over_a_damaged_parent_writes_it_anew) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(const auto first, back_up(of_shop()));
  for (const std::string& name : place_.blobs->names()) {
    if (name.find("/segments/") == std::string::npos) continue;
    place_.blobs->truncate(name, place_.blobs->find(name)->size() / 3);
  }
  command(R"({"update":"b","updates":[{"q":{"_id":7},"u":{"$set":{"x":1}}}]})");
  HOLDFAST_ASSERT_OK(const auto outcome, back_up(incremental_of_shop()));
  EXPECT_THAT(outcome.findings, Not(IsEmpty()));
  EXPECT_EQ(damage_of(outcome.summary.id), "");
  expect_same_as_live(outcome);
}

/// A machine whose clock is wrong.
class ShiftedClock final : public Clock {
 public:
  explicit ShiftedClock(std::chrono::hours by) : by_(by) {}
  WallTime now() const override { return std::chrono::system_clock::now() + by_; }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }

 private:
  std::chrono::hours by_;
};

TEST_F(Audit, Core_no_parent_and_no_fold_depends_on_the_clock_of_this_machine) {
  HOLDFAST_START_FILLED_SERVER();
  HOLDFAST_ASSERT_OK(auto latest, back_up(of_shop()));
  int round = 0;
  for (const int hours : {48, -48, 0, 48, -48}) {
    const ShiftedClock clock{std::chrono::hours(hours)};
    HOLDFAST_ASSERT_OK(repository_, place_.open_by_clock(clock));
    command(R"({"insert":"b","documents":[{"_id":"round )" + std::to_string(++round) + R"("}]})");
    SilentProgress progress;
    HOLDFAST_ASSERT_OK(auto outcome, run_backup(*client_, *repository_, incremental_of_shop(),
                                                clock, random_, progress, {}));
    EXPECT_EQ(outcome.summary.parent, latest.summary.id) << hours;
    EXPECT_EQ(outcome.events, 1U) << hours;
    EXPECT_GT(outcome.summary.consistency.time, latest.summary.consistency.time);
    EXPECT_THAT(outcome.findings, IsEmpty());
    HOLDFAST_ASSERT_OK(reader_, repository_->open_snapshot(outcome.summary.id));
    expect_same_as_live(outcome);
    reader_.reset();
    latest = std::move(outcome);
  }
  HOLDFAST_ASSERT_OK(repository_, place_.open());
}

}  // namespace
}  // namespace holdfast::backup
