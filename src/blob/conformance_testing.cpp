#include "blob/conformance_testing.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <ostream>
#include <random>
#include <thread>
#include <vector>

namespace holdfast::blob {

// A binary that includes this file's fixture for something else may leave it uninstantiated.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BlobStoreConformance);

void PrintTo(const StoreUnderTest& store, std::ostream* out) { *out << store.name; }

BlobStoreConformance::BlobStoreConformance() : store_(GetParam().open_empty()) {}
BlobStoreConformance::~BlobStoreConformance() = default;

Bytes BlobStoreConformance::content(std::size_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator());
  return bytes;
}

namespace {

constexpr std::uint64_t no_limit = UINT64_MAX;

template <typename R>
ErrorCode code_of(const R& result) {
  EXPECT_FALSE(result.ok());
  return result.ok() ? ErrorCode::usage : result.error().code();
}

void expect_ok(const Status& status) {
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message());
}

std::vector<std::string> names_of(const BlobStore& store, std::string_view prefix) {
  const auto blobs = store.list(prefix);
  EXPECT_TRUE(blobs.ok());
  std::vector<std::string> names;
  if (blobs.ok()) {
    for (const BlobInfo& blob : *blobs) names.push_back(blob.name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST_P(BlobStoreConformance, gives_back_what_was_put) {
  for (const std::size_t size : {0U, 1U, 4095U, 100'000U}) {
    const std::string name = "source/segments/" + std::to_string(size);
    const Bytes bytes = content(size, 1);
    expect_ok(store_->put(name, bytes));
    const auto got = store_->get(name, size);
    ASSERT_TRUE(got.ok()) << got.error().message();
    EXPECT_EQ(*got, bytes);
    EXPECT_EQ(store_->stat(name)->size, size);
    EXPECT_EQ(store_->stat(name)->name, name);
  }
}

TEST_P(BlobStoreConformance, joins_appends_of_every_size) {
  const Bytes bytes = content(5'000'000, 2);
  auto writer = store_->create("large");
  ASSERT_TRUE(writer.ok());
  std::mt19937 generator(3);
  for (ByteView rest = bytes; !rest.empty();) {
    const std::size_t most = generator() % 8 == 0 ? 2'500'000 : 70'000;
    const auto part = rest.first(std::min<std::size_t>(rest.size(), generator() % most));
    expect_ok((*writer)->append(part));
    rest = rest.subspan(part.size());
  }
  expect_ok((*writer)->commit());
  const auto got = store_->get("large", no_limit);
  ASSERT_TRUE(got.ok());
  EXPECT_TRUE(*got == bytes);
}

TEST_P(BlobStoreConformance, reads_ranges_exactly) {
  const Bytes bytes = content(1000, 4);
  expect_ok(store_->put("a", bytes));
  const auto range = [&](std::uint64_t offset, std::uint64_t length) {
    return store_->get_range("a", offset, length);
  };
  EXPECT_EQ(*range(0, 1000), bytes);
  EXPECT_EQ(*range(999, 1), Bytes(bytes.end() - 1, bytes.end()));
  EXPECT_EQ(*range(10, 20), Bytes(bytes.begin() + 10, bytes.begin() + 30));
  EXPECT_EQ(*range(1000, 0), Bytes());
  EXPECT_EQ(code_of(range(1000, 1)), ErrorCode::corrupt);
  EXPECT_EQ(code_of(range(0, 1001)), ErrorCode::corrupt);
  EXPECT_EQ(code_of(range(1001, 0)), ErrorCode::corrupt);
  EXPECT_EQ(code_of(range(5, UINT64_MAX)), ErrorCode::corrupt);
  EXPECT_EQ(code_of(range(UINT64_MAX, 1)), ErrorCode::corrupt);
}

TEST_P(BlobStoreConformance, refuses_to_read_more_than_the_limit) {
  expect_ok(store_->put("a", content(11, 5)));
  EXPECT_EQ(code_of(store_->get("a", 10)), ErrorCode::precondition);
  EXPECT_TRUE(store_->get("a", 11).ok());
}

TEST_P(BlobStoreConformance, tells_what_is_not_there) {
  expect_ok(store_->put("folder/a", content(1, 6)));
  for (const auto* name : {"a", "folder", "folder/b", "folder/a/b", "other/a"}) {
    EXPECT_EQ(code_of(store_->get(name, no_limit)), ErrorCode::not_found) << name;
    EXPECT_EQ(code_of(store_->get_range(name, 0, 1)), ErrorCode::not_found) << name;
    EXPECT_EQ(code_of(store_->stat(name)), ErrorCode::not_found) << name;
    EXPECT_EQ(code_of(store_->remove(name)), ErrorCode::not_found) << name;
  }
  EXPECT_EQ(names_of(*store_, ""), Names{"folder/a"});
}

TEST_P(BlobStoreConformance, lists_below_a_prefix_sorted_with_sizes) {
  // '-' sorts before '/', which sorts before letters: whole names are compared.
  const Names names = {"a-b/x", "a/b-c", "a/b/c", "a/b0", "a/bb", "a0", "b/holdfast.json"};
  for (std::size_t at = names.size(); at-- > 0;) expect_ok(store_->put(names[at], Bytes(at)));
  EXPECT_EQ(names_of(*store_, ""), names);
  EXPECT_EQ(names_of(*store_, "a/"), (Names{"a/b-c", "a/b/c", "a/b0", "a/bb"}));
  EXPECT_EQ(names_of(*store_, "a/b/"), Names{"a/b/c"});
  EXPECT_EQ(names_of(*store_, "absent/"), Names{});
  EXPECT_EQ(names_of(*store_, "a0/"), Names{});
  const auto blobs = store_->list("");
  for (std::size_t at = 0; at < names.size(); ++at) EXPECT_EQ((*blobs)[at].size, at);
}

TEST_P(BlobStoreConformance, never_overwrites) {
  expect_ok(store_->put("a", as_bytes("first")));
  EXPECT_EQ(code_of(store_->put("a", as_bytes("second"))), ErrorCode::exists);
  EXPECT_EQ(code_of(store_->put("a", as_bytes("first"))), ErrorCode::exists);
  EXPECT_EQ(as_text(*store_->get("a", no_limit)), "first");
  EXPECT_EQ(names_of(*store_, ""), Names{"a"});
}

TEST_P(BlobStoreConformance, shows_nothing_before_commit) {
  auto writer = store_->create("folder/a");
  ASSERT_TRUE(writer.ok());
  expect_ok((*writer)->append(content(3'000'000, 7)));
  EXPECT_EQ(names_of(*store_, ""), Names{});
  EXPECT_EQ(code_of(store_->stat("folder/a")), ErrorCode::not_found);
  EXPECT_EQ(code_of(store_->get("folder/a", no_limit)), ErrorCode::not_found);
  expect_ok((*writer)->commit());
  EXPECT_EQ(names_of(*store_, ""), Names{"folder/a"});
}

TEST_P(BlobStoreConformance, discards_what_is_not_committed) {
  {
    auto writer = store_->create("a");
    ASSERT_TRUE(writer.ok());
    expect_ok((*writer)->append(as_bytes("lost")));
  }
  EXPECT_EQ(names_of(*store_, ""), Names{});
  expect_ok(store_->put("a", as_bytes("kept")));
  EXPECT_EQ(as_text(*store_->get("a", no_limit)), "kept");
}

TEST_P(BlobStoreConformance, refuses_a_writer_that_is_done) {
  auto writer = store_->create("a");
  ASSERT_TRUE(writer.ok());
  expect_ok((*writer)->append(as_bytes("content")));
  expect_ok((*writer)->commit());
  EXPECT_FALSE((*writer)->append(as_bytes("more")).ok());
  EXPECT_FALSE((*writer)->commit().ok());
  writer->reset();
  EXPECT_EQ(as_text(*store_->get("a", no_limit)), "content");
}

TEST_P(BlobStoreConformance, the_first_of_two_open_writers_to_commit_wins) {
  auto first = store_->create("a");
  auto second = store_->create("a");
  ASSERT_TRUE(first.ok() && second.ok());
  expect_ok((*first)->append(as_bytes("first")));
  expect_ok((*second)->append(as_bytes("second")));
  expect_ok((*second)->commit());
  EXPECT_EQ(code_of((*first)->commit()), ErrorCode::exists);
  EXPECT_EQ(as_text(*store_->get("a", no_limit)), "second");
}

TEST_P(BlobStoreConformance, removes_and_takes_the_name_again) {
  expect_ok(store_->put("folder/a", as_bytes("old")));
  expect_ok(store_->put("folder/b", as_bytes("other")));
  expect_ok(store_->remove("folder/a"));
  EXPECT_EQ(names_of(*store_, ""), Names{"folder/b"});
  EXPECT_EQ(code_of(store_->get("folder/a", no_limit)), ErrorCode::not_found);
  EXPECT_EQ(code_of(store_->remove("folder/a")), ErrorCode::not_found);
  expect_ok(store_->put("folder/a", as_bytes("new")));
  EXPECT_EQ(as_text(*store_->get("folder/a", no_limit)), "new");
}

TEST_P(BlobStoreConformance, refuses_names_that_lead_out_or_hide) {
  const std::string long_part(256, 'a');
  for (const std::string_view name :
       {std::string_view(""), std::string_view("/a"), std::string_view("a/"),
        std::string_view("a//b"), std::string_view("."), std::string_view(".."),
        std::string_view("../a"), std::string_view("a/../b"), std::string_view("a/.b"),
        std::string_view(".tmp-a"), std::string_view("a b"), std::string_view("a\nb"),
        std::string_view("a\\b"), std::string_view("\xc3\xa9"), std::string_view("a\0b", 3),
        std::string_view(long_part)}) {
    EXPECT_EQ(code_of(store_->put(name, {})), ErrorCode::usage) << testing::PrintToString(name);
    EXPECT_EQ(code_of(store_->get(name, no_limit)), ErrorCode::usage);
    EXPECT_EQ(code_of(store_->get_range(name, 0, 0)), ErrorCode::usage);
    EXPECT_EQ(code_of(store_->stat(name)), ErrorCode::usage);
    EXPECT_EQ(code_of(store_->remove(name)), ErrorCode::usage);
  }
  for (const auto* prefix : {"a", "/", "../", "a//", ".tmp-/"}) {
    EXPECT_EQ(code_of(store_->list(prefix)), ErrorCode::usage) << prefix;
  }
}

TEST_P(BlobStoreConformance, one_of_many_threads_wins_a_name) {
  constexpr std::uint32_t threads = 8;
  for (int round = 0; round < 5; ++round) {
    const std::string name = "leases/" + std::to_string(round);
    std::atomic<int> winners = 0;
    std::atomic<std::uint32_t> winner = 0;
    std::atomic<int> losers = 0;
    {
      std::vector<std::jthread> running;
      for (std::uint32_t thread = 0; thread < threads; ++thread) {
        running.emplace_back([&, thread] {
          const auto outcome = store_->put(name, content(2000, thread));
          if (outcome.ok()) {
            ++winners;
            winner = thread;
          } else if (outcome.error().code() == ErrorCode::exists) {
            ++losers;
          }
        });
      }
    }
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(losers, threads - 1);
    EXPECT_TRUE(*store_->get(name, no_limit) == content(2000, winner));
  }
}

TEST_P(BlobStoreConformance, many_threads_write_different_names) {
  constexpr std::uint32_t threads = 8;
  constexpr std::uint32_t each = 10;
  const auto name_of = [](std::uint32_t number) {
    return "new-" + std::to_string(number % 3) + "/deep/" + std::to_string(number);
  };
  {
    std::vector<std::jthread> running;
    for (std::uint32_t thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        for (std::uint32_t turn = 0; turn < each; ++turn) {
          const auto number = thread * each + turn;
          expect_ok(store_->put(name_of(number), content(100, number)));
        }
      });
    }
  }
  EXPECT_EQ(names_of(*store_, "").size(), threads * each);
  for (std::uint32_t number = 0; number < threads * each; ++number) {
    EXPECT_EQ(*store_->get(name_of(number), no_limit), content(100, number));
  }
}

TEST_P(BlobStoreConformance, clearing_unfinished_writes_touches_no_blob_and_no_fresh_write) {
  expect_ok(store_->put("a", as_bytes("kept")));
  auto writer = store_->create("b");
  ASSERT_TRUE(writer.ok());
  expect_ok((*writer)->append(content(2'000'000, 8)));
  EXPECT_EQ(*store_->remove_unfinished(3600), 0U);
  expect_ok((*writer)->commit());
  EXPECT_TRUE(store_->remove_unfinished(0).ok());
  EXPECT_EQ(names_of(*store_, ""), (Names{"a", "b"}));
}

TEST_P(BlobStoreConformance, tells_its_place_and_its_free_space_if_it_can) {
  EXPECT_FALSE(store_->location().empty());
  const auto space = store_->free_space();
  if (!space.ok()) {
    EXPECT_EQ(space.error().code(), ErrorCode::not_found);
  }
}

TEST_P(BlobStoreConformance, behaves_like_a_map_under_random_operations) {
  std::mt19937 generator(9);
  std::map<std::string, Bytes> model;
  for (std::uint32_t turn = 0; turn < 300; ++turn) {
    const std::string name =
        "f" + std::to_string(generator() % 3) + "/" + std::to_string(generator() % 6);
    const bool there = model.contains(name);
    switch (generator() % 4) {
      case 0: {
        const Bytes bytes = content(generator() % 300, turn);
        EXPECT_EQ(store_->put(name, bytes).ok(), !there);
        model.emplace(name, bytes);
        break;
      }
      case 1: {
        const auto got = store_->get(name, no_limit);
        ASSERT_EQ(got.ok(), there);
        if (there) {
          EXPECT_EQ(*got, model[name]);
        }
        break;
      }
      case 2: {
        EXPECT_EQ(store_->remove(name).ok(), there);
        model.erase(name);
        break;
      }
      default: {
        Names expected;
        for (const auto& [key, bytes] : model) {
          if (key.starts_with("f1/")) expected.push_back(key);
        }
        EXPECT_EQ(names_of(*store_, "f1/"), expected);
      }
    }
  }
}

}  // namespace

}  // namespace holdfast::blob
