#include "repository/shredder.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>

#include "bson/builder.h"
#include "bson/generate_testing.h"
#include "repository/entry_codec.h"
#include "repository/unshredder.h"

namespace holdfast::repository {
namespace {

/// What comes back; empty if it was refused, or not worth it.
Bytes there_and_back(Shredder& shredder, Unshredder& unshredder, ByteView block) {
  const Shredded* const shredded = shredder.shred(block);
  if (shredded == nullptr) return {};
  Bytes out(block.size());
  const Status put_together = unshredder.unshred(shredded->structure.view(), shredded->text.view(),
                                                 shredded->planes.view(), out);
  return put_together.ok() ? out : Bytes{};
}

BlockBuffer random_block(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  BlockBuffer block;
  const std::size_t entries = bson::pick_below(random, 60);
  std::vector<bson::Document> before;
  for (std::size_t at = 0; at < entries; ++at) {
    const bool again = !before.empty() && bson::pick_below(random, 3) == 0;
    bson::Document document =
        again ? before[bson::pick_below(random, before.size())] : bson::generate_document(random);
    before.push_back(document);
    const auto kind = static_cast<Entry::Kind>(1 + bson::pick_below(random, 3));
    append_entry(block, {kind, document.view(), static_cast<std::int64_t>(random())});
  }
  return block;
}

TEST(Shredder, brings_back_every_valid_block) {
  Shredder shredder;
  Unshredder unshredder;
  EXPECT_TRUE(rc::check([&](std::uint64_t seed) {
    const BlockBuffer block = random_block(seed);
    RC_ASSERT(same_bytes(there_and_back(shredder, unshredder, block.view()), block.view()));
  }));
}

TEST(Shredder, brings_back_long_arrays_and_odd_names) {
  bson::Builder builder;
  builder.begin_array("numbers");
  for (int at = 0; at < 1234; ++at)
    builder.append_int32(bson::array_index_name(std::size_t(at)), at);
  builder.end();
  builder.begin_array("nulls");
  for (std::size_t at = 0; at < 111; ++at) builder.append_null(bson::array_index_name(at));
  builder.end();
  builder.begin_array("misnamed").append_bool("1", true).append_bool("0", false).end();
  builder.begin_array("skipping").append_bool("0", true).append_bool("2", false).end();
  builder.begin_array("mixed").append_bool("0", true).append_int32("1", 5).end();
  builder.begin_array("empty").end();
  builder.append_bool("twice", true).append_bool("twice", false).append_int64("twice", -1);
  builder.append_bool("", true);
  builder.append_object_id("id", Bytes(12, 0xff)).append_object_id("id", Bytes(12, 0));
  const bson::Document document = std::move(builder).finish();
  BlockBuffer block;
  for (int at = 0; at < 3; ++at) append_entry(block, {Entry::Kind::put, document.view(), 0});
  Shredder shredder;
  Unshredder unshredder;
  EXPECT_TRUE(same_bytes(there_and_back(shredder, unshredder, block.view()), block.view()));
}

TEST(Shredder, gives_up_where_names_are_data) {
  BlockBuffer block;
  for (int at = 0; at < 100; ++at) {
    bson::Builder builder;
    for (int field = 0; field < 100; ++field) {
      builder.append_int32("name " + std::to_string(at * 100 + field), field);
    }
    append_entry(block, {Entry::Kind::put, std::move(builder).finish().view(), 0});
  }
  Shredder shredder;
  Unshredder unshredder;
  EXPECT_TRUE(there_and_back(shredder, unshredder, block.view()).empty());
  const BlockBuffer next = random_block(7);
  EXPECT_TRUE(same_bytes(there_and_back(shredder, unshredder, next.view()), next.view()));
}

TEST(Shredder, more_object_ids_than_are_remembered) {
  std::mt19937_64 random(3);
  std::vector<Bytes> ids(20'000, Bytes(12));
  for (Bytes& id : ids) {
    for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(random());
  }
  BlockBuffer block;
  for (int at = 0; at < 40'000; ++at) {
    bson::Builder builder;
    builder.append_object_id("_id", ids[bson::pick_below(random, ids.size())]);
    append_entry(block, {Entry::Kind::put, std::move(builder).finish().view(), 0});
  }
  Shredder shredder;
  Unshredder unshredder;
  EXPECT_TRUE(same_bytes(there_and_back(shredder, unshredder, block.view()), block.view()));
}

TEST(Unshredder, survives_damaged_parts) {
  Shredder shredder;
  Unshredder unshredder;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    std::mt19937_64 random(seed);
    const BlockBuffer block = random_block(seed % 50);
    const Shredded* const shredded = shredder.shred(block.view());
    ASSERT_NE(shredded, nullptr);
    std::array<Bytes, 3> parts = {to_bytes(shredded->structure.view()),
                                  to_bytes(shredded->text.view()),
                                  to_bytes(shredded->planes.view())};
    for (std::size_t damage = 0; damage < 1 + seed % 4; ++damage) {
      Bytes& part = parts[bson::pick_below(random, 2) == 0 ? 0 : bson::pick_below(random, 3)];
      if (part.empty()) continue;
      if (bson::pick_below(random, 8) == 0) {
        part.resize(bson::pick_below(random, part.size()));
      } else {
        part[bson::pick_below(random, part.size())] = static_cast<std::uint8_t>(random());
      }
    }
    Bytes out(block.size());
    [[maybe_unused]] const Status status = unshredder.unshred(parts[0], parts[1], parts[2], out);
  }
}

}  // namespace
}  // namespace holdfast::repository
