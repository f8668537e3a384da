#include "smokava/seed.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "mongo/server_fixture_testing.h"
#include "smokava/dice.h"

namespace holdfast::smokava {
namespace {

using bson::Document;
using bson::DocumentView;

SeedOptions options_of(std::uint64_t userpackages, std::uint64_t seed = 1) {
  SeedOptions options;
  options.userpackages = userpackages;
  options.seed = seed;
  options.now = WallTime{std::chrono::milliseconds(1'762'700'000'123)};  // 9 November 2025
  return options;
}

std::vector<Document> all_of(const SeedOptions& options, std::string_view collection) {
  std::vector<Document> documents;
  const auto status = for_each_document(options, collection, [&](DocumentView document) {
    EXPECT_TRUE(bson::validate_document(document.bytes()).ok());
    documents.emplace_back(document);
    return true;
  });
  EXPECT_TRUE(status.ok());
  return documents;
}

std::uint64_t digest_of(const SeedOptions& options) {
  std::uint64_t digest = 0;
  for (const auto name : collection_names()) {
    for (const auto& document : all_of(options, name)) {
      for (const auto byte : document.bytes()) digest = scramble(digest ^ byte);
    }
  }
  return digest;
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::int64_t number(DocumentView document, std::string_view name) {
  return document.find_integral(name).value_or(-1);
}

std::string id_of(DocumentView document, std::string_view name = "_id") {
  const auto id = document.find(name);
  return id ? std::string(as_text(id->bytes())) : std::string();
}

/// The elements of an array.
DocumentView array_of(DocumentView document, std::string_view name) {
  const auto array = document.find_document(name);
  EXPECT_TRUE(array.has_value()) << name;
  return array.value_or(DocumentView());
}

TEST(Seed, gives_the_same_bytes_for_the_same_options) {
  EXPECT_EQ(digest_of(options_of(300)), digest_of(options_of(300)));
  EXPECT_NE(digest_of(options_of(300)), digest_of(options_of(300, 2)));
}

TEST(Seed, gives_the_bytes_that_it_always_gave) {
  // Benchmarks and bug reports name data by its options: a change here is a change of the data.
  EXPECT_EQ(digest_of(options_of(300)), 17'593'350'838'674'241'322U);
}

TEST(Seed, does_not_depend_on_the_number_of_threads) {
  auto options = options_of(300);
  options.threads = 9;
  EXPECT_EQ(digest_of(options), digest_of(options_of(300)));
}

TEST(Seed, makes_userpackages_of_the_usual_size) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    std::uint64_t bytes = 0;
    std::uint64_t documents = 0;
    ASSERT_TRUE(for_each_document(options_of(40'000, seed), "userpackages", [&](DocumentView view) {
                  bytes += view.bytes().size();
                  ++documents;
                  return true;
                }).ok());
    EXPECT_EQ(documents, 40'000U);
    EXPECT_GT(bytes / documents, 980U);
    EXPECT_LT(bytes / documents, 1090U);
  }
}

TEST(Seed, needs_no_more_memory_for_ten_million) {
  const auto before = resident_bytes();
  for (const auto name : collection_names()) {
    // All settlements of ten million, up to the first, are megabytes of ids: some is allowed.
    int left = name == "settlements" ? 2 : 3000;
    ASSERT_TRUE(for_each_document(options_of(10'000'000), name, [&](DocumentView) {
                  return --left > 0;
                }).ok());
  }
  EXPECT_LT(resident_bytes() - std::min(before, resident_bytes()), 32U << 20U);
}

TEST(Seed, keeps_a_settlement_of_the_largest_set_far_below_16_megabytes) {
  std::size_t largest = 0;
  ASSERT_TRUE(for_each_document(options_of(2'000'000), "settlements", [&](DocumentView view) {
                largest = std::max(largest, view.bytes().size());
                return true;
              }).ok());
  // Ten times the purchases, weekly: ten times the list.
  EXPECT_LT(largest * 10, 14U << 20U);
}

TEST(Seed, refuses_numbers_out_of_bounds) {
  const auto code_of_check = [](const SeedOptions& options) {
    const auto status = for_each_document(options, "roles", [](DocumentView) { return true; });
    return status.ok() ? std::optional<ErrorCode>() : status.error().code();
  };
  EXPECT_EQ(code_of_check(options_of(0)), ErrorCode::usage);
  EXPECT_EQ(code_of_check(options_of(max_userpackages + 1)), ErrorCode::usage);
  EXPECT_EQ(code_of_check(options_of(1)), std::nullopt);
  auto options = options_of(10);
  options.now = {};
  EXPECT_EQ(code_of_check(options), ErrorCode::usage);
  options = options_of(10);
  options.threads = 0;
  EXPECT_EQ(code_of_check(options), ErrorCode::usage);
  const auto unknown =
      for_each_document(options_of(10), "nobody", [](DocumentView) { return true; });
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), ErrorCode::not_found);
}

TEST(Seed, makes_the_smallest_sets_too) {
  for (std::uint64_t userpackages = 1; userpackages < 40; ++userpackages) {
    EXPECT_EQ(all_of(options_of(userpackages, userpackages), "userpackages").size(), userpackages);
  }
}

TEST(Seed, makes_every_id_once_and_puts_it_first) {
  for (const auto name : collection_names()) {
    std::set<std::string> ids;
    std::size_t documents = 0;
    for (const auto& document : all_of(options_of(5000), name)) {
      ids.insert(id_of(document.view()));
      EXPECT_EQ((*document.view().begin()).name, "_id");
      EXPECT_TRUE(document.view().find("__v").has_value());
      ++documents;
    }
    EXPECT_GT(documents, 2U) << name;
    EXPECT_EQ(ids.size(), documents) << name;
  }
}

TEST(Seed, makes_ids_as_many_restarted_processes_do) {
  std::map<std::string, std::vector<std::uint32_t>> counters;
  for (const auto& document : all_of(options_of(5000), "userpackages")) {
    const auto id = id_of(document.view());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(id.data());
    counters[id.substr(4, 5)].push_back((std::uint32_t{bytes[9]} << 16U) |
                                        (std::uint32_t{bytes[10]} << 8U) | bytes[11]);
  }
  EXPECT_GT(counters.size(), 60U);
  EXPECT_LT(counters.size(), 600U);
  std::set<std::uint32_t> beginnings;
  for (const auto& [process, list] : counters) {
    beginnings.insert(list.front() >> 16U);
    for (std::size_t i = 1; i < list.size(); ++i) {
      EXPECT_LT((list[i] - list[i - 1]) & 0xffffffU, 1U << 16U) << "a counter goes on";
    }
  }
  EXPECT_GT(beginnings.size(), 40U) << "every process begins somewhere else";
}

TEST(Seed, makes_redemptions_unique) {
  std::map<std::string, std::string> owners;
  std::size_t shared = 0;
  for (const auto& document : all_of(options_of(5000), "userpackages")) {
    for (const auto& entry : array_of(document.view(), "history")) {
      const auto visit = entry.value.as_document();
      const auto who = id_of(document.view(), "user") + id_of(visit, "restaurant");
      const auto [known, added] = owners.emplace(id_of(visit, "redeemLogId"), who);
      EXPECT_EQ(known->second, who);
      if (!added) ++shared;
    }
  }
  EXPECT_GT(owners.size(), 20'000U);
  EXPECT_GT(shared, 10U) << "some redemptions take from two packages";
}

TEST(Seed, adds_up_what_is_consumed) {
  std::map<std::string_view, int> statuses;
  int bundles = 0;
  int gifts = 0;
  for (const auto& document : all_of(options_of(5000), "userpackages")) {
    const auto view = document.view();
    const auto status = *view.find_string("status");
    ++statuses[status == "active" ? "active" : status == "expired" ? "expired" : "pending"];
    std::map<std::string, std::int64_t> used;
    std::int64_t consumed = 0;
    for (const auto& entry : array_of(view, "history")) {
      const auto count = number(entry.value.as_document(), "count");
      consumed += count;
      used[id_of(entry.value.as_document(), "restaurant")] += count;
    }
    const auto total = number(view, "totalCount");
    EXPECT_EQ(number(view, "remainingCount"), status == "pending" ? 0 : total - consumed);
    const auto parts = array_of(view, "restaurantAllocations");
    std::int64_t allocated = 0;
    for (const auto& entry : parts) {
      const auto part = entry.value.as_document();
      allocated += number(part, "totalCount");
      EXPECT_EQ(number(part, "remainingCount"),
                number(part, "totalCount") - used[id_of(part, "restaurant")]);
      EXPECT_GE(number(part, "remainingCount"), 0);
    }
    if (!parts.empty()) {
      EXPECT_EQ(allocated, total);
      ++bundles;
    }
    gifts += view.find_truthy("isGift") ? 1 : 0;
  }
  EXPECT_GT(statuses["active"], 200);
  EXPECT_GT(statuses["expired"], 2000);
  EXPECT_GT(statuses["pending"], 100);
  EXPECT_GT(bundles, 1000);
  EXPECT_GT(gifts, 200);
}

TEST(Seed, settles_each_payment_once) {
  const auto options = options_of(5000);
  std::map<std::string, std::int64_t> paid;
  std::set<std::string> statuses;
  for (const auto& document : all_of(options, "restaurantpayments")) {
    const auto view = document.view();
    statuses.emplace(*view.find_string("status"));
    EXPECT_EQ(view.find("paidAt").has_value(), view.find_string("status") == "paid");
    if (view.find("paidAt")) paid.emplace(id_of(view), number(view, "amount"));
  }
  for (const auto* status : {"cancelled", "due", "paid"}) EXPECT_TRUE(statuses.contains(status));
  std::set<std::string> listed;
  for (const auto& document : all_of(options, "settlements")) {
    std::int64_t amount = 0;
    for (const auto& entry : array_of(document.view(), "restaurantPayments")) {
      const auto key = std::string(as_text(entry.value.as_object_id()));
      EXPECT_TRUE(listed.insert(key).second);
      ASSERT_TRUE(paid.contains(key));
      amount += paid[key];
    }
    EXPECT_EQ(number(document.view(), "totalAmount"), amount);
  }
  EXPECT_EQ(listed.size(), paid.size());
}

TEST(Seed, lets_both_sides_know_who_follows) {
  std::map<std::string, std::set<std::string>> following;
  std::map<std::string, std::set<std::string>> followers;
  std::size_t arrows = 0;
  for (const auto& document : all_of(options_of(3000), "users")) {
    const auto user = id_of(document.view());
    for (const auto& entry : array_of(document.view(), "following")) {
      following[user].emplace(as_text(entry.value.as_object_id()));
      ++arrows;
    }
    for (const auto& entry : array_of(document.view(), "followers")) {
      followers[std::string(as_text(entry.value.as_object_id()))].insert(user);
    }
  }
  EXPECT_EQ(following, followers);
  EXPECT_GT(arrows, 3000U);
}

TEST(Seed, fills_a_server_and_refuses_to_do_so_twice) {
  HOLDFAST_START_SERVER(server, {});
  auto client = mongo::Client::connect(server->uri());
  ASSERT_TRUE(client.ok()) << client.error().message();
  SilentProgress progress;
  auto options = options_of(200);
  const auto first = seed(**client, "smokava", options, progress, {});
  ASSERT_TRUE(first.ok()) << first.error().message();
  EXPECT_EQ(first->collections.at("userpackages").documents, 200U);
  EXPECT_EQ(first->collections.size(), 14U);
  const auto again = seed(**client, "smokava", options, progress, {});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), ErrorCode::precondition);
  options.drop_existing = true;
  options.threads = 1;
  const auto dropped = seed(**client, "smokava", options, progress, {});
  ASSERT_TRUE(dropped.ok()) << dropped.error().message();
  EXPECT_EQ(dropped->total.bytes, first->total.bytes);
}

}  // namespace
}  // namespace holdfast::smokava
