#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "bson/builder.h"
#include "bson/order.h"
#include "mongo/catalog.h"
#include "mongo/live_testing.h"
#include "mongo/scan_internal.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::mongo {
namespace {

std::vector<bson::Value> keys_between(const std::string& first, const std::string& last,
                                      std::size_t parts) {
  const bson::Document ends = from_text(R"({"a": )" + first + R"(, "b": )" + last + "}");
  return interpolate_keys(*ends.view().find("a"), *ends.view().find("b"), parts);
}

TEST(interpolate_keys, splits_what_has_one_type) {
  EXPECT_EQ(keys_between(R"({"$oid": "600000000000000000000000"})",
                         R"({"$oid": "640000000000000000000000"})", 4)
                .size(),
            3U);
  EXPECT_EQ(keys_between(R"({"$date": "1960-01-01T00:00:00Z"})",
                         R"({"$date": "2026-01-01T00:00:00Z"})", 8)
                .size(),
            7U);
  EXPECT_EQ(keys_between(R"({"$uuid": "00000000-0000-0000-0000-000000000001"})",
                         R"({"$uuid": "ffffffff-0000-0000-0000-000000000001"})", 16)
                .size(),
            15U);
  EXPECT_EQ(keys_between(R"("00a1")", R"("ffe2")", 16).size(), 15U);
  EXPECT_EQ(keys_between(R"("order-0001")", R"("order-9999")", 4).size(), 3U);
}

TEST(interpolate_keys, leaves_alone_what_ranges_could_not_cover) {
  EXPECT_TRUE(keys_between("1", "100", 4).empty()) << "NaN and other number types";
  EXPECT_TRUE(keys_between("1", R"("x")", 4).empty());
  EXPECT_TRUE(keys_between(R"("same")", R"("same")", 4).empty());
  EXPECT_TRUE(keys_between(R"({"$binary": {"base64": "AAAA", "subType": "00"}})",
                           R"({"$binary": {"base64": "AAAAAA==", "subType": "00"}})", 4)
                  .empty());
  EXPECT_TRUE(keys_between(R"({"$binary": {"base64": "AAAA", "subType": "00"}})",
                           R"({"$binary": {"base64": "/wAA", "subType": "05"}})", 4)
                  .empty());
  EXPECT_TRUE(keys_between("true", "false", 4).empty());
  EXPECT_TRUE(keys_between(R"({"a": 1})", R"({"a": 9})", 4).empty());
}

TEST(interpolate_keys, gives_ascending_keys_strictly_between_any_two_strings) {
  rc::check("strings", [](const std::string& a, const std::string& b, std::uint8_t parts) {
    bson::Builder builder;
    builder.append_string("a", std::min(a, b)).append_string("b", std::max(a, b));
    const bson::Document ends = std::move(builder).finish();
    const auto first = *ends.view().find("a");
    const auto last = *ends.view().find("b");
    const auto keys = interpolate_keys(first, last, parts);
    for (std::size_t at = 0; at < keys.size(); ++at) {
      RC_ASSERT(bson::less(at == 0 ? first : keys[at - 1].view(), keys[at].view()));
      RC_ASSERT(bson::less(keys[at].view(), last));
    }
  });
}

TEST(interpolate_keys, gives_ascending_keys_strictly_between_any_two_binaries) {
  rc::check("binary", [](std::array<std::uint8_t, 20> a, std::array<std::uint8_t, 20> b,
                         std::uint8_t size, std::uint8_t parts) {
    const std::size_t length = size % 21;
    ByteView low(a.data(), length);
    ByteView high(b.data(), length);
    if (std::lexicographical_compare(high.begin(), high.end(), low.begin(), low.end())) {
      std::swap(low, high);
    }
    bson::Builder builder;
    builder.append_binary("a", 4, low).append_binary("b", 4, high);
    const bson::Document ends = std::move(builder).finish();
    const auto first = *ends.view().find("a");
    const auto last = *ends.view().find("b");
    const auto keys = interpolate_keys(first, last, parts);
    for (std::size_t at = 0; at < keys.size(); ++at) {
      RC_ASSERT(keys[at].view().binary_data().size() == length);
      RC_ASSERT(bson::less(at == 0 ? first : keys[at - 1].view(), keys[at].view()));
      RC_ASSERT(bson::less(keys[at].view(), last));
    }
  });
}

TEST(interpolate_keys, keeps_utf8_whole) {
  const auto keys = keys_between(R"("سفارش ۱")", R"("سفارش ۹")", 8);
  for (const bson::Value& key : keys) {
    const std::string_view text = key.view().as_string();
    // The common prefix is cut before the character that differs in its second byte.
    EXPECT_TRUE(text.starts_with("سفارش ")) << text;
  }
}

class Split : public testing::TestWithParam<std::string> {};

/// Every document comes exactly once, whatever the keys are.
TEST_P(Split, covers_a_collection_exactly_once) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  const Namespace ns{"d", "c"};
  const std::string kind = GetParam();
  constexpr int count = 2000;
  bson::Builder command;
  command.append_string("insert", ns.collection).begin_array("documents");
  for (int number = 0; number < count; ++number) {
    // A multiplier without a pattern spreads the keys.
    const auto spread = static_cast<std::uint32_t>(number) * 2654435761U;
    Bytes bytes;
    append_little_endian(bytes, spread);
    append_little_endian(bytes, std::uint64_t{spread} * 40503U);
    command.begin_document(bson::array_index_name(static_cast<std::size_t>(number)));
    if (kind == "object_id") command.append_object_id("_id", bytes);
    if (kind == "binary") command.append_binary("_id", 0, bytes);
    if (kind == "date")
      command.append_date("_id", static_cast<std::int64_t>(spread) - 2'000'000'000);
    if (kind == "string") command.append_string("_id", to_hex(bytes));
    if (kind == "number") command.append_int32("_id", number);
    command.end();
  }
  command.end();
  const bson::Document document = std::move(command).finish();
  ASSERT_TRUE(client->run(ns.database, document.view()).ok());
  const CollectionInfo info = read_catalog_entry(*client, ns).value();
  const ScanOptions options{.not_before = newest_time(*client)};
  const auto ranges = split_ranges(*client, info, 7, options);
  ASSERT_TRUE(ranges.ok()) << ranges.error().message();
  EXPECT_EQ(ranges->size(), kind == "number" ? 1U : 7U);
  std::vector<bson::Document> documents;
  for (const KeyRange& range : *ranges) {
    const auto scan = open_scan(*client, info, range, options);
    ASSERT_TRUE(scan.ok()) << scan.error().message();
    const auto part = read_all(**scan).value();
    EXPECT_GT(part.size(), 0U);
    documents.insert(documents.end(), part.begin(), part.end());
  }
  ASSERT_EQ(documents.size(), static_cast<std::size_t>(count));
  for (std::size_t at = 1; at < documents.size(); ++at) {
    ASSERT_TRUE(
        bson::less(*documents[at - 1].view().find("_id"), *documents[at].view().find("_id")));
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, Split,
                         testing::Values("object_id", "binary", "date", "string", "number"),
                         [](const auto& tested) { return tested.param; });

TEST(SplitRanges, of_an_empty_or_capped_collection_is_one_range) {
  HOLDFAST_START_SERVER(server, {});
  const auto client = connect_to(server->uri());
  run_text(*client, "d", R"({"create": "empty"})");
  run_text(*client, "d", R"({"create": "cap", "capped": true, "size": 10000})");
  for (const std::string name : {"empty", "cap"}) {
    const CollectionInfo info = read_catalog_entry(*client, {"d", name}).value();
    EXPECT_EQ(split_ranges(*client, info, 4, {}).value().size(), 1U);
  }
}

}  // namespace
}  // namespace holdfast::mongo
