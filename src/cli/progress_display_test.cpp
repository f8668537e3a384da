#include "cli/progress_display.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/terminal_testing.h"

namespace holdfast::cli {
namespace {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override { return WallTime{}; }
  [[nodiscard]] SteadyTime steady_now() const override { return SteadyTime(elapsed.load()); }
  void advance(std::chrono::milliseconds time) {
    elapsed.store(elapsed.load() + std::chrono::duration_cast<SteadyTime::duration>(time));
  }
  std::atomic<SteadyTime::duration> elapsed{SteadyTime::duration(std::chrono::hours(1))};
};

StageState half_done() {
  StageState state;
  state.name = "scan";
  state.total_bytes = 2'000'000'000;
  state.bytes = 1'000'000'000;
  state.documents = 1234;
  state.bytes_per_second = 100'000'000;
  return state;
}

TEST(ProgressBar, shows_part_amount_rate_and_time_left) {
  const std::string bar = progress_bar(half_done(), 120);
  EXPECT_EQ(bar,
            "scan     [############------------]  50 %  1.0 GB of 2.0 GB  100.0 MB/s  10.0 s left");
}

TEST(ProgressBar, fits_any_width) {
  StageState state = half_done();
  state.name = "بازگرداندن collection";
  for (std::size_t width = 5; width < 120; ++width) {
    EXPECT_LE(display_width(progress_bar(state, width)), width);
  }
}

TEST(ProgressBar, claims_nothing_without_a_total) {
  StageState state = half_done();
  state.total_bytes = 0;
  const std::string bar = progress_bar(state, 120);
  EXPECT_EQ(bar.find('%'), std::string::npos);
  EXPECT_EQ(bar.find("left"), std::string::npos);
}

TEST(ProgressBar, never_passes_a_hundred_percent) {
  StageState state = half_done();
  state.bytes = 3'000'000'000;
  EXPECT_NE(progress_bar(state, 120).find("100 %"), std::string::npos);
  EXPECT_EQ(state.seconds_left(), 0.0);
}

TEST(ProgressDisplay, writes_a_line_a_minute_where_nothing_can_be_redrawn) {
  FakeTerminal terminal;
  Output output(terminal, false, false, false);
  ManualClock clock;
  ProgressDisplay display(terminal, output, clock);
  display.stage("scan", 0, 1000);
  display.advance(5, 500);
  for (int i = 0; i < 59; ++i) {
    clock.advance(std::chrono::seconds(1));
    display.tick();
  }
  display.finish();
  EXPECT_EQ(terminal.errors.find("scan: 50 %"), std::string::npos) << terminal.errors;
  EXPECT_NE(terminal.errors.find("scan     5 documents, 500 B, 59.0 s"), std::string::npos)
      << terminal.errors;
  display.stage("fold", 10, 0);
  display.advance(5, 0);
  clock.advance(std::chrono::seconds(61));
  display.tick();
  EXPECT_NE(terminal.errors.find("fold: 50 %, 5 documents"), std::string::npos) << terminal.errors;
  EXPECT_EQ(terminal.errors.find('\r'), std::string::npos);
}

TEST(ProgressDisplay, redraws_at_most_ten_times_a_second) {
  FakeTerminal terminal;
  terminal.interactive = true;
  Output output(terminal, false, false, true);
  ManualClock clock;
  ProgressDisplay display(terminal, output, clock);
  display.stage("scan", 0, 1000);
  for (int i = 0; i < 1000; ++i) {
    clock.advance(std::chrono::milliseconds(1));
    display.tick();
  }
  display.finish();
  std::size_t drawn = 0;
  for (auto at = terminal.errors.find("scan  "); at != std::string::npos;
       at = terminal.errors.find("scan  ", at + 1)) {
    ++drawn;
  }
  EXPECT_GE(drawn, 5U);
  EXPECT_LE(drawn, 11U);
}

TEST(ProgressDisplay, writes_lines_of_json_to_standard_output) {
  FakeTerminal terminal;
  Output output(terminal, true, false, false);
  ManualClock clock;
  {
    ProgressDisplay display(terminal, output, clock);
    display.stage("scan", 0, 1000);
    display.advance(1, 250);
    clock.advance(std::chrono::seconds(1));
    display.tick();
    display.note("a \"quoted\" note");
  }
  EXPECT_TRUE(terminal.errors.empty()) << terminal.errors;
  std::vector<Json> lines;
  std::istringstream stream(terminal.out);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  ASSERT_EQ(lines.size(), 3U) << terminal.out;
  EXPECT_EQ(lines[0]["type"], "progress");
  EXPECT_EQ(lines[0]["fraction"], 0.25);
  EXPECT_EQ(lines[1]["message"], "a \"quoted\" note");
  EXPECT_EQ(lines[2]["documents"], 1);
}

TEST(ProgressDisplay, is_silent_when_quiet_but_for_notes) {
  FakeTerminal terminal;
  Output output(terminal, false, true, false);
  ManualClock clock;
  {
    ProgressDisplay display(terminal, output, clock);
    display.stage("scan", 0, 1000);
    display.advance(1, 250);
    clock.advance(std::chrono::minutes(2));
    display.tick();
    display.note("look here");
  }
  EXPECT_EQ(terminal.errors, "note: look here\n");
  EXPECT_TRUE(terminal.out.empty());
}

}  // namespace
}  // namespace holdfast::cli
