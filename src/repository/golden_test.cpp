#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "blob/local_store.h"
#include "bson/builder.h"
#include "repository/block_index.h"
#include "repository/entry_codec.h"
#include "repository/fuzz_testing.h"
#include "repository/log_codec.h"
#include "repository/manifest_codec.h"
#include "repository/repository_testing.h"
#include "repository/shredder.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::ElementsAre;
using ::testing::SizeIs;
namespace fs = std::filesystem;

/// HOLDFAST_REGENERATE_GOLDEN=1 writes the golden files anew: only for a format that was never
/// released.
bool regenerating() { return std::getenv("HOLDFAST_REGENERATE_GOLDEN") != nullptr; }

fs::path golden_folder(bool encrypted) {
  const fs::path golden = fs::path(HOLDFAST_SOURCE_DIR) / "tests/golden";
  return golden / (encrypted ? "repository-v1" : "repository-v1-plain");
}

constexpr std::string_view golden_password = "correct horse battery staple";

/// Documents with everything that the format treats in a way of its own.
CollectionPlan golden_orders() {
  CollectionPlan plan;
  plan.ns = {"shop", "orders"};
  std::vector<OwnedEntry>& base = plan.layers.emplace_back();
  for (std::uint32_t at = 0; at < 60; ++at) {
    Bytes id(12, 0x42);
    id[3] = static_cast<std::uint8_t>(at);
    bson::Builder builder;
    builder.append_object_id("_id", id).append_string("نام", "مشتری " + std::to_string(at));
    builder.append_int32("count", static_cast<std::int32_t>(at) - 30);
    builder.append_int64("amount", std::int64_t{at} * 1'000'000'007);
    builder.append_double("rate", at / 7.0).append_bool("paid", at % 2 == 0);
    builder.append_date("at", 1'735'689'600'000 + at).append_null("deletedAt");
    builder.append_timestamp("time", std::uint64_t{at} << 32U).append_regex("match", "^a", "i");
    builder.append_binary("data", 0, Bytes(at, 0xee));
    builder.begin_array("tags");
    for (std::size_t tag = 0; tag < at % 13; ++tag) {
      builder.append_string(bson::array_index_name(tag), "tag");
    }
    builder.end().begin_document("nested").append_object_id("_id", id).end();
    base.push_back(put(std::move(builder).finish()));
  }
  OwnedEntry gone = base[5];
  gone.kind = Entry::Kind::remove;
  bson::Builder key;
  key.append("_id", *base[5].document.view().find("_id"));
  gone.document = std::move(key).finish();
  bson::Builder changed;
  changed.append("_id", *base[9].document.view().find("_id")).append_string("now", "changed");
  plan.layers.push_back({gone, put(std::move(changed).finish())});
  return plan;
}

CollectionPlan golden_log() {
  CollectionPlan plan;
  plan.ns = {"shop", "log"};
  plan.capped = true;
  plan.layers = {{put_at(100, "first"), put_at(101, "second")}};
  return plan;
}

Result<std::unique_ptr<Repository>> open_golden(std::unique_ptr<blob::BlobStore> store,
                                                const Unlock& unlock, RandomSource& random,
                                                const Clock& clock) {
  return open_repository(std::move(store), unlock, random, clock, cheap_cost());
}

void write_golden(bool encrypted) {
  const fs::path folder = golden_folder(encrypted);
  fs::remove_all(folder);
  SeededRandom random(encrypted ? 2024 : 2025);
  const SteppingClock clock;
  const auto store = blob::open_local_store(folder, true).value();
  InitOptions options;
  options.encrypt = encrypted;
  if (encrypted) options.first_key = unlock_with(usual_key);
  HOLDFAST_ASSERT_OK(const InitOutcome made,
                     init_repository(*store, options, random, clock, cheap_cost()));
  HOLDFAST_ASSERT_OK(const auto repository,
                     open_golden(blob::open_local_store(folder, false).value(),
                                 encrypted ? unlock_with(usual_key) : Unlock{}, random, clock));
  LayoutSettings layout;
  layout.block_bytes = 4096;
  HOLDFAST_ASSERT_OK(const auto removed,
                     write_snapshot(*repository, {guests(2)}, test_source(), layout));
  HOLDFAST_ASSERT_OK(const auto first, write_snapshot(*repository, {golden_orders(), golden_log()},
                                                      test_source(), layout));
  HOLDFAST_EXPECT_OK(repository->remove_snapshot(removed.id));
  HOLDFAST_EXPECT_OK(repository->set_tags(first.id, {"golden"}));
  if (encrypted) {
    HOLDFAST_ASSERT_OK(
        const auto password,
        repository->add_key(unlock_with_password(golden_password), false, "password"));
    HOLDFAST_ASSERT_OK(const auto old, repository->add_key(unlock_with(3), false, "old"));
    HOLDFAST_EXPECT_OK(repository->remove_key(old.first.id));
  }
  HOLDFAST_ASSERT_OK(const auto second,
                     write_snapshot(*repository, {guests(100)}, test_source("other"), layout));
}

class Golden : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(EncryptedOrNot, Golden, ::testing::Bool());

TEST_P(Golden, version_1_is_read) {
  if (regenerating()) write_golden(GetParam());
  SystemRandom random;
  const SystemClock clock;
  std::vector<Unlock> unlocks;
  if (GetParam()) {
    unlocks.push_back(unlock_with(usual_key));
    unlocks.push_back(unlock_with_password(golden_password));
  } else {
    unlocks.emplace_back();
  }
  for (const Unlock& unlock : unlocks) {
    auto local = blob::open_local_store(golden_folder(GetParam()), false);
    ASSERT_TRUE(local.ok()) << local.error().message();
    HOLDFAST_ASSERT_OK(const auto repository,
                       open_golden(std::move(local).value(), unlock, random, clock));
    HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
    ASSERT_THAT(listing.snapshots, SizeIs(2));
    EXPECT_THAT(listing.snapshots[0].tags, ElementsAre("golden"));
    HOLDFAST_ASSERT_OK(const auto reader, repository->open_snapshot(listing.snapshots[0].id));
    for (const CollectionPlan& plan : {golden_orders(), golden_log()}) {
      HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, plan.ns));
      EXPECT_EQ(documents, merged(plan));
    }
    HOLDFAST_ASSERT_OK(const auto other, repository->open_snapshot("latest"));
    HOLDFAST_ASSERT_OK(const auto documents, read_all(*other, {"shop", "guests"}));
    EXPECT_EQ(documents, merged(guests(100)));
    HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
    EXPECT_EQ(damage_text(report), "");
    HOLDFAST_ASSERT_OK(const auto keys, repository->keys());
    EXPECT_THAT(keys, SizeIs(GetParam() ? 3 : 0));
  }
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_seed(const std::string& name, std::uint8_t selector, ByteView bytes) {
  const fs::path folder = fs::path(HOLDFAST_SOURCE_DIR) / "src/repository/fuzz_corpus";
  fs::create_directories(folder);
  std::ofstream file(folder / name, std::ios::binary);
  file.put(static_cast<char>(selector));
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// One good input of each kind for the fuzzers to begin with.
void write_corpus() {
  const CollectionPlan orders = golden_orders();
  const CollectionPlan log = golden_log();
  BlockBuffer entries;
  BlockIndexBuilder index;
  for (const OwnedEntry& entry : orders.layers[0]) {
    index.add({entries.size() + 28, 100, 200, 1, 0}, entries.size(), *entry_key(entry.view()));
    if (entries.size() < 3000) append_entry(entries, entry.view());
  }
  for (const OwnedEntry& entry : log.layers[0]) append_entry(entries, entry.view());
  write_seed("index", 0, index.encode());
  write_seed("entries", 1, entries.view());
  write_seed("shredding", 3, entries.view());
  const Sealer sealer;
  for (const BlockContent content : {BlockContent::any, BlockContent::entries}) {
    BlockEncoder encoder(Compression::standard);
    const auto block = encoder.encode(sealer, {}, {}, entries.view(), content);
    write_seed(content == BlockContent::any ? "block" : "block_shredded", 2,
               block->first(block->size() - tag_bytes));
  }
  Shredder shredder;
  const Shredded* const shredded = shredder.shred(entries.view());
  Bytes parts;
  append_little_endian(parts, static_cast<std::uint16_t>(entries.size()));
  append_little_endian(parts, static_cast<std::uint16_t>(shredded->structure.size()));
  append_little_endian(parts, static_cast<std::uint16_t>(shredded->text.size()));
  append_bytes(parts, shredded->structure.view());
  append_bytes(parts, shredded->text.view());
  append_bytes(parts, shredded->planes.view());
  write_seed("parts", 4, parts);

  TestPlace place(false);
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const auto summary,
                     write_snapshot(*repository, {golden_orders(), golden_log()}));
  HOLDFAST_ASSERT_OK(const Manifest manifest, repository->manifest(summary.id));
  Bytes blocks;
  for (const Bytes& block : encode_manifest(manifest)) {
    append_little_endian(blocks, static_cast<std::uint16_t>(block.size()));
    append_bytes(blocks, block);
  }
  write_seed("manifest", 0 + 20, blocks);
  write_seed("object", 1 + 20, *place.blobs->find("shop/snapshots/" + summary.id));
  write_seed("header_json", 2 + 20,
             as_bytes(R"({"format":1,"features":[],"id":"00112233445566778899aabbccddeeff",)"
                      R"("encryption":"none","created":5})"));
  LogSegmentInfo stretch = log_stretch(10, 20);
  stretch.gap_before = LogGap{{5, 1}, "the server's log had moved on"};
  write_seed("log_header", 4 + 20, encode_log_header(stretch));
  write_seed("name", 3 + 20, as_bytes("shop/snapshots/0123456789abcdef.g2"));
}

TEST(FuzzCorpus, replays_without_a_finding) {
  if (regenerating()) write_corpus();
  std::size_t files = 0;
  const fs::path folder = fs::path(HOLDFAST_SOURCE_DIR) / "src/repository/fuzz_corpus";
  for (const auto& entry : fs::directory_iterator(folder)) {
    ++files;
    const std::string input = read_file(entry.path());
    EXPECT_EQ(check_segment_bytes(as_bytes(input)), "") << entry.path();
    EXPECT_EQ(check_manifest_bytes(as_bytes(input)), "") << entry.path();
  }
  EXPECT_GE(files, 10U);
}

TEST(FuzzCorpus, damaged_inputs_are_read_safely) {
  std::mt19937_64 random(1);
  const fs::path folder = fs::path(HOLDFAST_SOURCE_DIR) / "src/repository/fuzz_corpus";
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string original = read_file(entry.path());
    for (int round = 0; round < 300; ++round) {
      std::string input = original;
      for (std::uint64_t damage = random() % 4; damage < 4; ++damage) {
        input[1 + random() % (input.size() - 1)] = static_cast<char>(random());
      }
      if (round % 10 == 0) input.resize(random() % input.size());
      ASSERT_EQ(check_segment_bytes(as_bytes(input)), "") << entry.path();
      ASSERT_EQ(check_manifest_bytes(as_bytes(input)), "") << entry.path();
    }
  }
}

}  // namespace
}  // namespace holdfast::repository
