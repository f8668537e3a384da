#include "cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/show_snapshot.h"
#include "cli/terminal_testing.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Output, text_and_json_never_mix_on_standard_output) {
  FakeTerminal terminal;
  Output output(terminal, true, false, false);
  output.print("for people\n");
  output.report("for people\n");
  output.document("holdfast.test/1", Json{{"a", 1}});
  EXPECT_EQ(terminal.out, "{\"format\":\"holdfast.test/1\",\"a\":1}\n");
}

TEST(Output, quiet_keeps_what_was_asked_for_and_drops_reports) {
  FakeTerminal terminal;
  Output output(terminal, false, true, false);
  output.print("a list\n");
  output.report("done\n");
  output.document("holdfast.test/1", Json::object());
  output.warn("look out");
  EXPECT_EQ(terminal.out, "a list\n");
  EXPECT_EQ(terminal.errors, "warning: look out\n");
}

TEST(Output, errors_are_masked_and_safe_for_a_terminal) {
  FakeTerminal terminal;
  Output output(terminal, true, false, false);
  output.error(Error(ErrorCode::denied, "mongodb://me:hunter2@h/ said \x1b[2J no", "try again"),
               ExitCode::failed);
  EXPECT_THAT(terminal.errors, Not(HasSubstr("hunter2")));
  EXPECT_THAT(terminal.errors, Not(HasSubstr("\x1b")));
  EXPECT_THAT(terminal.errors, HasSubstr("hint: try again"));
  EXPECT_THAT(terminal.out, Not(HasSubstr("hunter2")));
  EXPECT_EQ(Json::parse(terminal.out)["code"], "denied");
}

TEST(Output, bytes_that_are_not_utf_8_become_the_replacement_character) {
  EXPECT_EQ(json_line(Json{{"name", "a\xff"}}), "{\"name\":\"a\uFFFD\"}\n");
}

TEST(Output, times_are_utc_and_never_is_null) {
  EXPECT_EQ(json_time(WallTime{std::chrono::seconds(1795425254)}), "2026-11-23T09:14:14Z");
  EXPECT_TRUE(json_time(WallTime{}).is_null());
}

TEST(ShowSnapshot, consistency_always_says_why_it_is_weak) {
  Consistency weak{.kind = Consistency::Kind::best_effort, .time = {}, .reason = "no log"};
  EXPECT_EQ(consistency_text(weak), "best-effort: no log");
  EXPECT_EQ(consistency_json(weak)["reason"], "no log");
  Consistency exact{.kind = Consistency::Kind::exact, .time = {1795425254, 3}, .reason = {}};
  EXPECT_THAT(consistency_text(exact), HasSubstr("(1795425254:3)"));
  EXPECT_EQ(consistency_json(exact)["cluster_time"]["increment"], 3);
}

TEST(ShowSnapshot, counts_in_words) {
  EXPECT_EQ(counted(0, "snapshot"), "0 snapshots");
  EXPECT_EQ(counted(1, "snapshot"), "1 snapshot");
  EXPECT_EQ(counted(1234, "document"), "1,234 documents");
}

}  // namespace
}  // namespace holdfast::cli
