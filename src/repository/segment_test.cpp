#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <thread>

#include "bson/builder.h"
#include "bson/generate_testing.h"
#include "bson/order.h"
#include "repository/repository_testing.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::HasSubstr;
using ::testing::SizeIs;

const Namespace ns{"shop", "things"};

struct KeyLess {
  bool operator()(const bson::Value& a, const bson::Value& b) const {
    return bson::less(a.view(), b.view());
  }
};

/// Layers of random entries over few keys, so that they meet.
CollectionPlan random_plan(std::uint64_t seed, std::size_t layers, std::size_t keys) {
  std::mt19937_64 random(seed);
  std::map<bson::Value, bool, KeyLess> pool;
  while (pool.size() < keys) pool.emplace(bson::generate_id(random), true);
  CollectionPlan plan;
  plan.ns = ns;
  for (std::size_t at = 0; at < layers; ++at) {
    std::vector<OwnedEntry>& layer = plan.layers.emplace_back();
    for (const auto& [key, unused] : pool) {
      const std::size_t choice = bson::pick_below(random, 4);
      if (choice == 0 || (at == 0 && choice == 3)) continue;
      bson::Builder builder;
      builder.append("_id", key.view());
      OwnedEntry entry = put(std::move(builder).finish());
      if (choice == 3) {
        entry.kind = Entry::Kind::remove;
      } else {
        entry.document = bson::generate_document_with_id(random, key.view());
      }
      layer.push_back(std::move(entry));
    }
  }
  return plan;
}

/// A repository of one collection, written with segments of `segment_entries`.
struct Written {
  TestPlace place;
  std::unique_ptr<Repository> repository;
  std::unique_ptr<SnapshotReader> reader;
};
std::unique_ptr<Written> write(const CollectionPlan& plan, std::size_t segment_entries,
                               const LayoutSettings& layout) {
  auto written = std::make_unique<Written>();
  EXPECT_TRUE(written->place.init().ok());
  written->repository = written->place.open().value();
  auto writer = written->repository->begin_snapshot(test_source(), layout).value();
  auto stream = writer->open_stream().value();
  auto collection = write_collection(written->repository->hasher(), *stream, plan, segment_entries);
  EXPECT_TRUE(collection.ok()) << collection.error().message();
  Manifest manifest;
  manifest.collections = {*collection};
  const auto committed = writer->commit(manifest);
  EXPECT_TRUE(committed.ok()) << committed.error().message();
  written->reader = written->repository->open_snapshot("latest").value();
  return written;
}

TEST(Segments, random_layers_merge_to_what_they_hold) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const CollectionPlan plan =
        random_plan(seed, 1 + bson::pick_below(random, 5), 1 + bson::pick_below(random, 60));
    LayoutSettings layout = small_layout();
    layout.block_bytes = static_cast<std::uint32_t>(256 + bson::pick_below(random, 4000));
    layout.compression = static_cast<Compression>(bson::pick_below(random, 3));
    const auto written = write(plan, 1 + bson::pick_below(random, 40), layout);
    const auto wanted = merged(plan);
    const auto all = read_all(*written->reader, ns);
    RC_ASSERT(all.ok());
    RC_ASSERT(*all == wanted);

    // Parts cover everything once, in order.
    const std::size_t parts = 1 + bson::pick_below(random, 6);
    const auto count = written->reader->part_count(ns, parts);
    RC_ASSERT(count.ok());
    RC_ASSERT(*count >= 1U && *count <= parts);
    std::vector<bson::Document> joined;
    for (std::size_t part = 0; part < *count; ++part) {
      const auto cursor = written->reader->open_part(ns, parts, part);
      RC_ASSERT(cursor.ok());
      const auto documents = read_all(**cursor);
      RC_ASSERT(documents.ok());
      joined.insert(joined.end(), documents->begin(), documents->end());
    }
    RC_ASSERT(joined == wanted);

    // Every document is found by its key, and no other.
    for (const bson::Document& document : wanted) {
      const auto found = written->reader->find(ns, *document.view().find("_id"));
      RC_ASSERT(found.ok());
      RC_ASSERT(*found == document);
    }
    for (int attempt = 0; attempt < 10; ++attempt) {
      const bson::Value key = bson::generate_id(random);
      const bool there = std::any_of(wanted.begin(), wanted.end(), [&key](const auto& one) {
        return bson::compare(*one.view().find("_id"), key.view()) == 0;
      });
      const auto found = written->reader->find(ns, key.view());
      RC_ASSERT(found.ok());
      RC_ASSERT(found->has_value() == there);
    }
    const auto report = verify_all(*written->repository);
    RC_ASSERT(report.ok());
    RC_ASSERT(damage_text(*report).empty());
  }));
}

TEST(Segments, keys_must_ascend) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
  HOLDFAST_ASSERT_OK(const auto segment, stream->begin());
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, stream->begin());
  HOLDFAST_EXPECT_OK(segment->add(put(5, "a").view()));
  const Status again = segment->add(put(5, "b").view());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), ErrorCode::corrupt);
  EXPECT_THAT(again.error().message(), HasSubstr("5 came after 5"));
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, segment->add(put(6, "c").view()));
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, segment->finish());
}

TEST(Segments, documents_that_could_not_be_read_back_are_refused) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
  const Bytes broken = {9, 0, 0, 0, 0x10, '_', 'i', 'd', 0};
  const bson::Document no_id;
  for (const bson::DocumentView document : {bson::DocumentView(broken), no_id.view()}) {
    HOLDFAST_ASSERT_OK(const auto segment, stream->begin());
    HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, segment->add({Entry::Kind::put, document, 0}));
  }
}

TEST(Segments, an_empty_one_is_nothing) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  const std::size_t blobs = place.blobs->names().size();
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
  HOLDFAST_ASSERT_OK(const auto segment, stream->begin());
  HOLDFAST_ASSERT_OK(const auto reference, segment->finish());
  EXPECT_FALSE(reference.has_value());
  EXPECT_EQ(segment->fingerprint(), Fingerprint{});
  HOLDFAST_EXPECT_OK(stream->close());
  EXPECT_THAT(place.blobs->names(), SizeIs(blobs + 1)) << "the lease only";
}

TEST(Segments, files_are_closed_when_they_are_large_enough) {
  const auto written = write(guests(3000), 1'000'000, small_layout());
  EXPECT_GT(written->reader->manifest().files.size(), 3U);
  for (const FileRef& file : written->reader->manifest().files) EXPECT_LT(file.length, 8192U);
  HOLDFAST_ASSERT_OK(const auto documents, read_all(*written->reader, {"shop", "guests"}));
  EXPECT_THAT(documents, SizeIs(3000));
}

TEST(Segments, the_largest_documents_and_keys_fit) {
  CollectionPlan plan;
  plan.ns = ns;
  std::vector<OwnedEntry>& layer = plan.layers.emplace_back();
  layer.push_back(put(make_document(1, std::string(16U * 1024 * 1024, 'x'))));
  for (const char c : {'a', 'b', 'c'}) {
    bson::Builder builder;
    builder.append_string("_id", std::string(15U * 1024 * 1024, c));
    layer.push_back(put(std::move(builder).finish()));
  }
  const auto written = write(plan, 1'000'000, {});
  HOLDFAST_ASSERT_OK(const auto documents, read_all(*written->reader, ns));
  EXPECT_EQ(documents, merged(plan));
}

TEST(Segments, capped_collections_keep_their_order) {
  CollectionPlan plan;
  plan.ns = ns;
  plan.capped = true;
  plan.layers = {{put_at(-3, "first"), put_at(0, "second"), put_at(900, "third")}};
  const auto written = write(plan, 2, small_layout());
  HOLDFAST_ASSERT_OK(const auto documents, read_all(*written->reader, ns));
  EXPECT_EQ(documents, merged(plan));
  const bson::Value position(bson::Type::int64, Bytes(8, 0));
  HOLDFAST_ASSERT_OK(const auto found, written->reader->find(ns, position.view()));
  EXPECT_EQ(found, plan.layers[0][1].document);
}

TEST(Segments, several_streams_write_at_once) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), small_layout()));
  constexpr int streams = 4;
  std::vector<SnapshotCollection> written(streams);
  {
    std::vector<std::jthread> threads;
    for (int at = 0; at < streams; ++at) {
      threads.emplace_back([&, at] {
        const auto stream = writer->open_stream();
        CollectionPlan plan = guests(500, "stream " + std::to_string(at));
        plan.ns.collection = "guests" + std::to_string(at);
        auto collection = write_collection(repository->hasher(), **stream, plan, 100);
        if (collection.ok()) written[static_cast<std::size_t>(at)] = *collection;
      });
    }
  }
  Manifest manifest;
  manifest.collections = written;
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, writer->commit(manifest));
  EXPECT_EQ(summary.documents, 2000U);
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
}

}  // namespace
}  // namespace holdfast::repository
