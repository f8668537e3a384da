#include "dataset/types.h"

#include <gtest/gtest.h>

#include <limits>

#include "bson/builder.h"

namespace holdfast {
namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

std::array<std::uint8_t, 192> secret(std::uint8_t first) {
  std::array<std::uint8_t, 192> bytes{};
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<std::uint8_t>(first + at * 7);
  }
  return bytes;
}

TEST(Fingerprint, adds_and_subtracts_modulo_2_to_the_128) {
  Fingerprint sum{1, largest, 5};
  sum.add({1, 1, 0});
  EXPECT_EQ(sum, (Fingerprint{2, 0, 6}));
  sum.subtract({1, 1, 0});
  EXPECT_EQ(sum, (Fingerprint{1, largest, 5}));
  sum.subtract({1, largest, 6});
  EXPECT_EQ(sum, (Fingerprint{0, 0, largest}));
  EXPECT_EQ(sum.text(), "ffffffffffffffff0000000000000000");
}

TEST(Fingerprint, does_not_depend_on_the_order) {
  const DocumentHasher hasher(secret(1));
  Fingerprint forwards;
  Fingerprint backwards;
  for (int at = 0; at < 100; ++at) {
    forwards.add(hasher.hash(as_bytes(std::to_string(at))));
    backwards.add(hasher.hash(as_bytes(std::to_string(99 - at))));
  }
  EXPECT_EQ(forwards, backwards);
  EXPECT_EQ(forwards.documents, 100U);
  backwards.subtract(hasher.hash(as_bytes("7")));
  EXPECT_NE(forwards, backwards);
}

TEST(DocumentHasher, depends_on_every_byte_and_on_the_secret) {
  const DocumentHasher hasher(secret(1));
  Bytes document(500, 9);
  const Fingerprint original = hasher.hash(document);
  EXPECT_EQ(hasher.hash(document), original);
  EXPECT_NE(DocumentHasher(secret(2)).hash(document), original);
  for (std::uint8_t& byte : document) {
    byte ^= 1U;
    EXPECT_NE(hasher.hash(document), original);
    byte ^= 1U;
  }
}

TEST(ClusterTime, packs_and_shows) {
  const ClusterTime time{1735689600, 7};
  EXPECT_EQ(time.text(), "1735689600:7");
  EXPECT_EQ(ClusterTime::from_packed(time.packed()), time);
  EXPECT_TRUE(ClusterTime{}.is_null());
  EXPECT_LT(time, (ClusterTime{1735689600, 8}));
}

TEST(Uuid, is_shown_with_dashes) {
  Uuid uuid{};
  for (std::size_t at = 0; at < uuid.size(); ++at) uuid[at] = static_cast<std::uint8_t>(at);
  EXPECT_EQ(to_text(uuid), "00010203-0405-0607-0809-0a0b0c0d0e0f");
}

TEST(CollectionInfo, has_a_collation_unless_it_is_the_simple_one) {
  CollectionInfo info;
  EXPECT_FALSE(info.collation().has_value());
  for (const auto& [locale, has] : {std::pair("simple", false), std::pair("fa", true)}) {
    bson::Builder builder;
    builder.begin_document("collation").append_string("locale", locale).end();
    info.options = std::move(builder).finish();
    EXPECT_EQ(info.collation().has_value(), has);
  }
}

}  // namespace
}  // namespace holdfast
