#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "blob/local_store.h"
#include "repository/repository_testing.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::SizeIs;
namespace fs = std::filesystem;

/// A repository with a log, as the first version that had one wrote it. The other golden
/// repositories of format 1 have none.
fs::path log_golden_folder(bool encrypted) {
  const fs::path golden = fs::path(HOLDFAST_SOURCE_DIR) / "tests/golden";
  return golden / (encrypted ? "repository-v1-log" : "repository-v1-log-plain");
}

/// Three segments: behind a gap, empty, and of several blocks.
std::vector<std::pair<LogSegmentInfo, std::vector<bson::Document>>> golden_log_segments() {
  LogSegmentInfo first = log_stretch(10, 20);
  first.gap_before = LogGap{{5, 1}, "the server's log had moved on"};
  LogSegmentInfo last = log_stretch(30, 40);
  last.writer = "backup";
  std::vector<bson::Document> many;
  for (int at = 0; at < 3; ++at) many.push_back(make_document(at, std::string(600'000, 'x')));
  return {{first, {make_document(1, "inserted"), make_document(2, "مشتری")}},
          {log_stretch(20, 30), {}},
          {last, many}};
}

void write_log_golden(bool encrypted) {
  const fs::path folder = log_golden_folder(encrypted);
  fs::remove_all(folder);
  SeededRandom random(encrypted ? 2026 : 2027);
  const SteppingClock clock;
  const auto store = blob::open_local_store(folder, true).value();
  InitOptions options;
  options.encrypt = encrypted;
  if (encrypted) options.first_key = unlock_with(usual_key);
  HOLDFAST_ASSERT_OK(const InitOutcome made,
                     init_repository(*store, options, random, clock, cheap_cost()));
  HOLDFAST_ASSERT_OK(
      const auto repository,
      open_repository(blob::open_local_store(folder, false).value(),
                      encrypted ? unlock_with(usual_key) : Unlock{}, random, clock, cheap_cost()));
  for (const auto& [info, events] : golden_log_segments()) {
    HOLDFAST_EXPECT_OK(put_log(*repository, info, events));
  }
}

class LogGolden : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(EncryptedOrNot, LogGolden, ::testing::Bool());

TEST_P(LogGolden, version_1_is_read) {
  if (std::getenv("HOLDFAST_REGENERATE_GOLDEN") != nullptr) write_log_golden(GetParam());
  SystemRandom random;
  const SystemClock clock;
  auto local = blob::open_local_store(log_golden_folder(GetParam()), false);
  ASSERT_TRUE(local.ok()) << local.error().message();
  HOLDFAST_ASSERT_OK(
      const auto repository,
      open_repository(std::move(local).value(), GetParam() ? unlock_with(usual_key) : Unlock{},
                      random, clock, cheap_cost()));
  HOLDFAST_ASSERT_OK(const auto listing, repository->list_log("shop"));
  EXPECT_THAT(listing.damaged, SizeIs(0));
  const auto wanted = golden_log_segments();
  ASSERT_THAT(listing.segments, SizeIs(wanted.size()));
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    const LogSegmentInfo& found = listing.segments[at];
    EXPECT_EQ(found.start.token, wanted[at].first.start.token);
    EXPECT_EQ(found.end.time, wanted[at].first.end.time);
    EXPECT_EQ(found.writer, wanted[at].first.writer);
    EXPECT_EQ(found.gap_before.has_value(), at == 0);
    std::vector<bson::Document> events;
    HOLDFAST_EXPECT_OK(repository->read_log_segment(found, [&](bson::DocumentView event) {
      events.emplace_back(event);
      return Status();
    }));
    EXPECT_EQ(events, wanted[at].second);
  }
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
}

}  // namespace
}  // namespace holdfast::repository
