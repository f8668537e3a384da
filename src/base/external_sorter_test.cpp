#include "base/external_sorter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>

#include "base/temporary_folder_testing.h"

namespace holdfast {
namespace {

constexpr std::uint64_t little_memory = 64ULL * 1024;

/// Compares the first byte only, so that ties are common.
bool first_byte_before(ByteView a, ByteView b) {
  if (a.empty() || b.empty()) return a.empty() && !b.empty();
  return a.front() < b.front();
}

class Sorter : public testing::Test {
 protected:
  /// Sorts by both ways; returns the sorter's spilled bytes.
  std::uint64_t expect_sorted(std::vector<Bytes> records, std::uint64_t memory) {
    ExternalSorter sorter(first_byte_before, {memory, folder_.path()}, random_);
    for (const Bytes& record : records) {
      const auto added = sorter.add(record);
      EXPECT_TRUE(added.ok()) << added.error().message();
    }
    std::stable_sort(records.begin(), records.end(), first_byte_before);
    for (const Bytes& expected : records) {
      const auto record = sorter.next();
      if (!record.ok() || !record->has_value() || !same_bytes(**record, expected)) {
        ADD_FAILURE() << "not in order";
        return 0;
      }
    }
    EXPECT_FALSE(sorter.next()->has_value());
    EXPECT_FALSE(sorter.next()->has_value());
    EXPECT_EQ(sorter.record_count(), records.size());
    return sorter.spilled_bytes();
  }

  /// Records with a first byte of few values and their number behind it.
  static std::vector<Bytes> numbered(std::uint32_t count, std::size_t size) {
    std::mt19937 generator(7);
    std::vector<Bytes> records;
    for (std::uint32_t number = 0; number < count; ++number) {
      Bytes record = {static_cast<std::uint8_t>(generator() % 5)};
      append_little_endian(record, number);
      record.resize(std::max(record.size(), size));
      records.push_back(std::move(record));
    }
    return records;
  }

  TemporaryFolder folder_;
  SystemRandom random_;
};

TEST_F(Sorter, gives_nothing_when_nothing_was_added) { EXPECT_EQ(expect_sorted({}, 0), 0U); }

TEST_F(Sorter, sorts_in_memory_without_touching_the_disk) {
  ExternalSorter sorter(first_byte_before, {1U << 20U, "/does/not/exist"}, random_);
  ASSERT_TRUE(sorter.add(as_bytes("b")).ok());
  ASSERT_TRUE(sorter.add(as_bytes("")).ok());
  ASSERT_TRUE(sorter.add(as_bytes("a")).ok());
  EXPECT_EQ(as_text(**sorter.next()), "");
  EXPECT_EQ(as_text(**sorter.next()), "a");
  EXPECT_EQ(as_text(**sorter.next()), "b");
  EXPECT_EQ(sorter.spilled_bytes(), 0U);
}

TEST_F(Sorter, keeps_the_order_of_equal_records_across_spilled_runs) {
  EXPECT_GT(expect_sorted(numbered(5'000, 60), little_memory), 100'000U);
}

TEST_F(Sorter, merges_in_several_rounds_when_runs_are_many) {
  const auto records = numbered(40'000, 50);
  // Every byte was written more than once.
  EXPECT_GT(expect_sorted(records, little_memory), 2U * 40'000 * 50);
}

TEST_F(Sorter, merges_fewer_runs_at_once_when_their_records_are_large) {
  auto records = numbered(100, 10);
  for (Bytes& record : records) record.resize(20'000);
  // Two at a time: a reader holds a whole record of its run.
  EXPECT_GT(expect_sorted(records, little_memory), 5U * 100 * 20'000);
}

TEST_F(Sorter, passes_records_larger_than_the_memory) {
  auto records = numbered(50, 10);
  for (std::size_t at = 0; at < records.size(); at += 10) records[at].resize(300'000);
  expect_sorted(records, little_memory);
}

TEST_F(Sorter, refuses_a_record_that_could_not_be_spilled) {
  ExternalSorter sorter(first_byte_before, {little_memory, folder_.path()}, random_);
  const Bytes record(EncryptedSpool::max_record_bytes + 1);
  EXPECT_EQ(sorter.add(record).error().code(), ErrorCode::precondition);
}

TEST_F(Sorter, tells_that_the_spill_folder_is_missing) {
  ExternalSorter sorter(first_byte_before, {little_memory, folder_.path() / "no"}, random_);
  Status outcome;
  for (int record = 0; outcome.ok() && record < 100; ++record) outcome = sorter.add(Bytes(2'000));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::not_found);
}

RC_GTEST_FIXTURE_PROP(Sorter, sorts_like_stable_sort, ()) {
  auto records = *rc::gen::arbitrary<std::vector<Bytes>>();
  const auto repeat = *rc::gen::inRange<std::size_t>(1, 300);
  const auto once = records;
  for (std::size_t turn = 1; turn < repeat; ++turn) {
    records.insert(records.end(), once.begin(), once.end());
  }
  expect_sorted(records, little_memory);
}

}  // namespace
}  // namespace holdfast
