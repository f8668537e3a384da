#include "cli/commands/restore_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

restore::RestoredCollection identical(const std::string& name) {
  return {.target = {"shop", name},
          .documents = 10,
          .refused = {},
          .refused_count = 0,
          .compared = true,
          .identical = true,
          .differences = {}};
}

restore::RestoreOutcome outcome_of(std::vector<restore::RestoredCollection> collections) {
  restore::RestoreOutcome outcome;
  outcome.identical = true;
  for (const auto& one : collections) outcome.identical = outcome.identical && one.identical;
  outcome.collections = std::move(collections);
  return outcome;
}

TEST(RestoreReport, identical_is_said_and_done_only_when_everything_is) {
  const restore::RestorePlan plan;
  const auto outcome = outcome_of({identical("a"), identical("b")});
  EXPECT_EQ(exit_code_of(outcome, plan), ExitCode::done);
  EXPECT_THAT(outcome_text(outcome, plan), HasSubstr("identical with snapshot"));
}

TEST(RestoreReport, one_difference_is_a_finding_and_is_named) {
  const restore::RestorePlan plan;
  auto broken = identical("b");
  broken.identical = false;
  broken.differences = {"9 documents instead of 10"};
  const auto outcome = outcome_of({identical("a"), broken});
  EXPECT_EQ(exit_code_of(outcome, plan), ExitCode::findings);
  const std::string text = outcome_text(outcome, plan);
  EXPECT_THAT(text, HasSubstr("9 documents instead of 10"));
  EXPECT_THAT(text, HasSubstr("NOT identical"));
  EXPECT_THAT(text, Not(HasSubstr("identical with snapshot")));
}

TEST(RestoreReport, refused_documents_are_partial_named_and_counted) {
  const restore::RestorePlan plan;
  auto broken = identical("b");
  broken.identical = false;
  broken.refused = {"_id 7: duplicate key"};
  broken.refused_count = 1234;
  const auto outcome = outcome_of({broken});
  EXPECT_EQ(exit_code_of(outcome, plan), ExitCode::partial);
  const std::string text = outcome_text(outcome, plan);
  EXPECT_THAT(text, HasSubstr("_id 7: duplicate key"));
  EXPECT_THAT(text, HasSubstr("and 1,233 more refused"));
  EXPECT_THAT(text, HasSubstr("NOT complete"));
}

TEST(RestoreReport, a_merge_as_told_is_done_but_not_called_identical) {
  restore::RestorePlan plan;
  plan.snapshot_id = "0123456789abcdef";
  auto merged = identical("b");
  merged.identical = false;
  merged.kept = 10;
  merged.beside = 2;
  auto outcome = outcome_of({identical("a"), merged});
  EXPECT_EQ(exit_code_of(outcome, plan), ExitCode::done);
  std::string text = outcome_text(outcome, plan);
  EXPECT_THAT(text, HasSubstr("every document of snapshot 0123456789abcdef is there; beside them"));
  EXPECT_THAT(text, Not(HasSubstr("identical with snapshot")));

  outcome.collections.back().kept_different = 1;
  EXPECT_EQ(exit_code_of(outcome, plan), ExitCode::done);
  text = outcome_text(outcome, plan);
  EXPECT_THAT(text, HasSubstr("1 document of the server's kept in place of those of snapshot"));
  EXPECT_THAT(text, Not(HasSubstr("identical with snapshot")));
}

TEST(RestoreReport, what_was_not_compared_is_never_called_identical) {
  restore::RestorePlan plan;
  auto blind = identical("a");
  blind.compared = false;
  blind.identical = false;
  const auto outcome = outcome_of({blind});
  // Comparing was asked for and did not happen: that is no success.
  EXPECT_EQ(exit_code_of(outcome, plan), ExitCode::findings);
  plan.options.compare = false;
  EXPECT_EQ(exit_code_of(outcome, plan), ExitCode::done);
  const std::string text = outcome_text(outcome, plan);
  EXPECT_THAT(text, HasSubstr("not compared"));
  EXPECT_THAT(text, Not(HasSubstr("identical")));
}

TEST(RestoreReport, json_says_the_same_as_the_exit_code) {
  const restore::RestorePlan plan;
  const auto outcome = outcome_of({identical("کاربران")});
  const Json json = outcome_json(outcome, plan, exit_code_of(outcome, plan));
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["identical"], true);
  EXPECT_EQ(json["collections"][0]["target"], "shop.کاربران");
}

}  // namespace
}  // namespace holdfast::cli
