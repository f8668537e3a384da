#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bson/builder.h"
#include "repository/header.h"
#include "repository/repository_testing.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Namespace guests_ns{"shop", "guests"};

std::vector<std::string> ids_of(const Repository::Listing& listing) {
  std::vector<std::string> ids;
  for (const SnapshotSummary& summary : listing.snapshots) ids.push_back(summary.id);
  return ids;
}

class Snapshots : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    HOLDFAST_ASSERT_OK(const InitOutcome outcome, place.init());
    HOLDFAST_ASSERT_OK(repository, place.open());
  }
  void expect_whole() {
    HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
    EXPECT_EQ(damage_text(report), "");
  }

  TestPlace place{GetParam()};
  std::unique_ptr<Repository> repository;
};
INSTANTIATE_TEST_SUITE_P(EncryptedOrNot, Snapshots, ::testing::Bool());

TEST_P(Snapshots, a_new_repository_is_empty_and_whole) {
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_THAT(listing.snapshots, IsEmpty());
  EXPECT_EQ(repository->encrypted(), GetParam());
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found, repository->manifest("latest"));
  expect_whole();
}

TEST_P(Snapshots, reads_back_what_was_committed) {
  const CollectionPlan plan = guests(100);
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {plan}));
  EXPECT_EQ(summary.documents, 100U);
  EXPECT_GT(summary.stored_bytes, 0U);
  HOLDFAST_ASSERT_OK(const auto again, place.open());
  HOLDFAST_ASSERT_OK(const auto reader, again->open_snapshot("latest"));
  EXPECT_EQ(reader->manifest().summary.id, summary.id);
  EXPECT_EQ(reader->manifest().summary.source.description, "rs0/db.example:27017");
  HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, guests_ns));
  EXPECT_EQ(documents, merged(plan));
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found, reader->open({"shop", "nothing"}));
  HOLDFAST_ASSERT_OK(const auto catalog, reader->catalog());
  ASSERT_THAT(catalog, SizeIs(1));
  EXPECT_EQ(catalog.front().ns, guests_ns);
  expect_whole();
}

TEST_P(Snapshots, keeps_everything_that_a_manifest_says) {
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  Manifest manifest;
  manifest.summary.databases = {"other", "shop"};
  manifest.summary.whole = false;
  manifest.summary.critical_reason = "before the settlement";
  manifest.summary.tags = {"daily"};
  manifest.summary.consistency = {Consistency::Kind::best_effort, {}, "no log"};
  manifest.resume_token = make_document(1, "token");
  SnapshotCollection view;
  view.info.ns = {"shop", "view"};
  view.info.type = CollectionType::view;
  view.info.options = make_document(2, "options");
  view.consistency = {Consistency::Kind::exact, {17, 4}, ""};
  view.order_uncertain = 3;
  SnapshotCollection plain;
  plain.info.ns = {"shop", "a"};
  plain.info.uuid = Uuid{1, 2, 3};
  plain.info.indexes = {make_document(3, "index"), make_document(4, "index")};
  manifest.collections = {view, plain};  // sorted by commit
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, writer->commit(manifest));

  HOLDFAST_ASSERT_OK(const Manifest read, repository->manifest(summary.id));
  EXPECT_EQ(read.summary.databases, manifest.summary.databases);
  EXPECT_FALSE(read.summary.whole);
  EXPECT_EQ(read.summary.critical_reason, "before the settlement");
  EXPECT_EQ(read.summary.consistency.reason, "no log");
  EXPECT_EQ(read.summary.consistency.kind, Consistency::Kind::best_effort);
  EXPECT_GT(read.summary.finished, read.summary.started);
  EXPECT_EQ(read.resume_token, manifest.resume_token);
  ASSERT_THAT(read.collections, SizeIs(2));
  EXPECT_EQ(read.collections[0].info.uuid, plain.info.uuid);
  EXPECT_EQ(read.collections[0].info.indexes, plain.info.indexes);
  EXPECT_EQ(read.collections[1].info.type, CollectionType::view);
  EXPECT_EQ(read.collections[1].info.options, view.info.options);
  EXPECT_EQ(read.collections[1].order_uncertain, 3U);
  EXPECT_EQ(read.collections[1].consistency.time, (ClusterTime{17, 4}));
  EXPECT_THAT(read.keys, SizeIs(GetParam() ? 2 : 0));
}

TEST_P(Snapshots, an_incremental_shares_the_files_of_its_parent) {
  CollectionPlan plan = guests(50);
  HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {plan}));
  HOLDFAST_ASSERT_OK(const Manifest parent, repository->manifest(first.id));

  plan.layers.push_back({put(7, "changed"), remove(9), put(51, "new")});
  HOLDFAST_ASSERT_OK(const auto writer,
                     repository->begin_snapshot(test_source(), {}, parent.files));
  HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
  CollectionPlan patch = plan;
  patch.layers.erase(patch.layers.begin());
  HOLDFAST_ASSERT_OK(const SnapshotCollection patched,
                     write_collection(repository->hasher(), *stream, patch));
  HOLDFAST_EXPECT_OK(stream->close());
  Manifest manifest;
  manifest.collections = parent.collections;
  manifest.collections[0].layers.push_back(patched.layers[0]);
  for (const auto& [id, text] : {std::pair(7, "changed"), std::pair(8, "guest 8")}) {
    const bson::Document wanted = make_document(id, text);
    HOLDFAST_ASSERT_OK(const auto found,
                       writer->find(manifest.collections[0].layers, *wanted.view().find("_id")));
    EXPECT_EQ(found, wanted) << "of the patch, else of the parent";
  }
  manifest.collections[0].fingerprint = {};
  manifest.collections[0].document_bytes = 0;
  for (const bson::Document& document : merged(plan)) {
    manifest.collections[0].fingerprint.add(repository->hasher().hash(document.bytes()));
    manifest.collections[0].document_bytes += document.bytes().size();
  }
  HOLDFAST_ASSERT_OK(const SnapshotSummary second, writer->commit(manifest));
  EXPECT_THAT(second.predecessors, ElementsAre(first.id));
  EXPECT_LT(second.stored_bytes, first.stored_bytes);

  HOLDFAST_ASSERT_OK(const auto reader, repository->open_snapshot(second.id));
  HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, guests_ns));
  EXPECT_EQ(documents, merged(plan));
  HOLDFAST_ASSERT_OK(const auto old_reader, repository->open_snapshot(first.id));
  HOLDFAST_ASSERT_OK(const auto old_documents, read_all(*old_reader, guests_ns));
  EXPECT_EQ(old_documents, merged(guests(50)));
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
  EXPECT_EQ(report.documents, 53U) << "shared segments are counted once";
  EXPECT_EQ(report.snapshots, 2U);
}

TEST_P(Snapshots, a_writer_reads_back_and_finds_what_it_wrote) {
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), small_layout()));
  HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
  CollectionPlan plan = guests(40);
  plan.layers.push_back({put(3, "newer"), remove(4)});
  HOLDFAST_ASSERT_OK(const SnapshotCollection written,
                     write_collection(repository->hasher(), *stream, plan));
  HOLDFAST_EXPECT_OK(stream->close());
  HOLDFAST_ASSERT_OK(const auto cursor, writer->read_back(written.layers, {}, true));
  int entries = 0;
  int removes = 0;
  while (true) {
    HOLDFAST_ASSERT_OK(const std::optional<Entry> entry, cursor->next());
    if (!entry) break;
    ++entries;
    removes += entry->kind == Entry::Kind::remove ? 1 : 0;
  }
  EXPECT_EQ(entries, 40);
  EXPECT_EQ(removes, 1);
  for (const auto& [id, text] : {std::pair(3, "newer"), std::pair(5, "guest 5")}) {
    const bson::Document wanted = make_document(id, text);
    HOLDFAST_ASSERT_OK(const auto found, writer->find(written.layers, *wanted.view().find("_id")));
    EXPECT_EQ(found, wanted);
  }
  const bson::Document gone = make_document(4, "");
  HOLDFAST_ASSERT_OK(const auto found, writer->find(written.layers, *gone.view().find("_id")));
  EXPECT_FALSE(found.has_value());
}

TEST_P(Snapshots, a_segment_of_an_open_file_cannot_be_read_back) {
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
  HOLDFAST_ASSERT_OK(const SnapshotCollection written,
                     write_collection(repository->hasher(), *stream, guests(3)));
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, writer->read_back(written.layers, {}, false));
}

TEST_P(Snapshots, commit_refuses_an_open_segment) {
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
  HOLDFAST_ASSERT_OK(const auto segment, stream->begin());
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, writer->commit({}));
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, writer->commit({}));
}

TEST_P(Snapshots, commit_refuses_overlapping_layers) {
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
  HOLDFAST_ASSERT_OK(SnapshotCollection written,
                     write_collection(repository->hasher(), *stream, guests(3)));
  Layer& layer = written.layers.front();
  layer.segments.push_back(layer.segments.front());
  Manifest manifest;
  manifest.collections = {written};
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, writer->commit(manifest));
}

TEST_P(Snapshots, list_is_oldest_first_whatever_the_clock_said) {
  std::vector<std::string> ids;
  for (int at = 0; at < 4; ++at) {
    HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
    Manifest manifest;
    manifest.summary.finished = WallTime(std::chrono::seconds(1'000'000 - at));
    HOLDFAST_ASSERT_OK(const SnapshotSummary summary, writer->commit(manifest));
    ids.push_back(summary.id);
  }
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_EQ(ids_of(listing), ids);
  HOLDFAST_ASSERT_OK(const Manifest latest, repository->manifest("latest"));
  EXPECT_EQ(latest.summary.id, ids.back());
}

TEST_P(Snapshots, are_found_by_a_prefix) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {guests(1)}));
  HOLDFAST_ASSERT_OK(const Manifest found, repository->manifest(summary.id.substr(0, 4)));
  EXPECT_EQ(found.summary.id, summary.id);
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, repository->manifest(summary.id.substr(0, 3)));
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, repository->manifest("xyzw"));
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, repository->manifest(summary.id + "0"));
}

TEST_P(Snapshots, tags_make_a_new_generation) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {guests(5)}));
  HOLDFAST_EXPECT_OK(repository->set_tags(summary.id, {"kept", "مهم"}));
  HOLDFAST_EXPECT_OK(repository->set_tags("latest", {"kept", "once more"}));
  HOLDFAST_ASSERT_OK(const auto again, place.open());
  HOLDFAST_ASSERT_OK(const Manifest manifest, again->manifest(summary.id));
  EXPECT_THAT(manifest.summary.tags, ElementsAre("kept", "once more"));
  EXPECT_EQ(manifest.summary.finished, summary.finished);
  EXPECT_TRUE(place.blobs->find("shop/snapshots/" + summary.id + ".g3").has_value());
  EXPECT_FALSE(place.blobs->find("shop/snapshots/" + summary.id).has_value());
  HOLDFAST_ASSERT_OK(const auto reader, again->open_snapshot(summary.id));
  HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, guests_ns));
  EXPECT_THAT(documents, SizeIs(5));
  expect_whole();
}

TEST_P(Snapshots, an_older_generation_that_stayed_behind_does_not_count) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {guests(5)}));
  const std::string name = "shop/snapshots/" + summary.id;
  const Bytes first = *place.blobs->find(name);
  HOLDFAST_EXPECT_OK(repository->set_tags(summary.id, {"kept"}));
  place.blobs->overwrite(name, first);
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  ASSERT_THAT(listing.snapshots, SizeIs(1));
  EXPECT_THAT(listing.snapshots.front().tags, ElementsAre("kept"));
  expect_whole();
}

TEST_P(Snapshots, a_removed_one_leaves_a_tombstone_in_the_chain) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {guests(5)}));
  HOLDFAST_ASSERT_OK(const SnapshotSummary second, write_snapshot(*repository, {guests(6)}));
  HOLDFAST_EXPECT_OK(repository->remove_snapshot(second.id));
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found, repository->manifest(second.id));
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found, repository->remove_snapshot(second.id));
  HOLDFAST_ASSERT_OK(const SnapshotSummary third, write_snapshot(*repository, {guests(7)}));
  EXPECT_THAT(third.predecessors, ElementsAre(second.id));
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_THAT(ids_of(listing), ElementsAre(first.id, third.id));
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
  EXPECT_GT(report.unreferenced_files, 0U);
}

TEST_P(Snapshots, a_missing_one_is_noticed_by_its_successor) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {guests(5)}));
  HOLDFAST_ASSERT_OK(const SnapshotSummary second, write_snapshot(*repository, {guests(6)}));
  place.blobs->erase("shop/snapshots/" + first.id);
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository, false));
  EXPECT_THAT(damage_text(report), HasSubstr("a snapshot is missing"));
  EXPECT_THAT(report.whole_snapshots, ElementsAre(second.id));
}

TEST_P(Snapshots, a_missing_tombstone_is_noticed_by_its_successor) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {guests(5)}));
  HOLDFAST_EXPECT_OK(repository->remove_snapshot(first.id));
  HOLDFAST_ASSERT_OK(const SnapshotSummary second, write_snapshot(*repository, {guests(6)}));
  place.blobs->erase("shop/snapshots/" + first.id + ".removed");
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository, false));
  EXPECT_THAT(damage_text(report), HasSubstr("a snapshot is missing"));
}

TEST_P(Snapshots, a_damaged_manifest_does_not_hide_the_others_and_can_be_removed) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {guests(5)}));
  HOLDFAST_ASSERT_OK(const SnapshotSummary second, write_snapshot(*repository, {guests(6)}));
  place.blobs->flip_bit("shop/snapshots/" + second.id, 60);
  HOLDFAST_ASSERT_OK(repository, place.open());
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_THAT(ids_of(listing), ElementsAre(first.id));
  ASSERT_THAT(listing.damaged, SizeIs(1));
  EXPECT_EQ(listing.damaged.front().where, "shop/snapshots/" + second.id);
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, repository->manifest(second.id));
  HOLDFAST_EXPECT_OK(repository->remove_snapshot(second.id));
  expect_whole();
}

TEST_P(Snapshots, leases_are_there_while_a_writer_works) {
  blob::MemoryStore store(place.blobs);
  {
    HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
    EXPECT_THAT(*store.list("shop/leases/"), SizeIs(1));
  }
  EXPECT_THAT(*store.list("shop/leases/"), IsEmpty());
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  HOLDFAST_EXPECT_OK(writer->commit({}));
  EXPECT_THAT(*store.list("shop/leases/"), IsEmpty());
}

TEST_P(Snapshots, a_writer_that_goes_away_leaves_only_garbage) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary first, write_snapshot(*repository, {guests(5)}));
  {
    HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
    HOLDFAST_ASSERT_OK(const auto stream, writer->open_stream());
    HOLDFAST_ASSERT_OK(const auto written,
                       write_collection(repository->hasher(), *stream, guests(100)));
    HOLDFAST_EXPECT_OK(stream->close());
  }
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
  EXPECT_EQ(report.unreferenced_files, 1U);
  EXPECT_THAT(report.whole_snapshots, ElementsAre(first.id));
}

TEST_P(Snapshots, sources_have_folders_of_their_own) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary a,
                     write_snapshot(*repository, {guests(2)}, test_source("one")));
  HOLDFAST_ASSERT_OK(const SnapshotSummary b,
                     write_snapshot(*repository, {guests(3)}, test_source("two")));
  EXPECT_THAT(b.predecessors, IsEmpty());
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, repository->list());
  EXPECT_THAT(ids_of(listing), ElementsAre(a.id, b.id));
  for (const char* bad : {"", "keys", "Upper", "a/b", "..", "a.b"}) {
    HOLDFAST_EXPECT_ERROR(ErrorCode::usage, repository->begin_snapshot(test_source(bad), {}));
  }
  expect_whole();
}

TEST_P(Snapshots, verify_can_be_limited_to_some_and_stopped) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary a, write_snapshot(*repository, {guests(2)}));
  HOLDFAST_ASSERT_OK(const SnapshotSummary b, write_snapshot(*repository, {guests(3)}));
  SilentProgress progress;
  HOLDFAST_ASSERT_OK(const VerifyReport report,
                     repository->verify(true, {a.id.substr(0, 6)}, progress, {}));
  EXPECT_THAT(report.whole_snapshots, ElementsAre(a.id));
  EXPECT_EQ(report.documents, 2U);
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found,
                        repository->verify(true, {"0000000000"}, progress, {}));
  std::stop_source stopped;
  stopped.request_stop();
  HOLDFAST_EXPECT_ERROR(ErrorCode::cancelled,
                        repository->verify(true, {}, progress, stopped.get_token()));
}

TEST_P(Snapshots, thousands_of_collections_fit_into_a_manifest) {
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  Manifest manifest;
  const std::string long_text(4000, 'x');
  for (int at = 0; at < 6000; ++at) {
    SnapshotCollection collection;
    collection.info.ns = {"shop", "c" + std::to_string(at)};
    collection.info.options = make_document(at, long_text);
    manifest.collections.push_back(std::move(collection));
  }
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, writer->commit(manifest));
  HOLDFAST_ASSERT_OK(const Manifest read, repository->manifest(summary.id));
  ASSERT_THAT(read.collections, SizeIs(6000));
  EXPECT_EQ(read.collections[17].info.options.bytes().size(),
            manifest.collections[17].info.options.bytes().size());
}

TEST_P(Snapshots, a_summary_larger_than_the_first_read_is_listed_too) {
  HOLDFAST_ASSERT_OK(const auto writer, repository->begin_snapshot(test_source(), {}));
  Manifest manifest;
  SeededRandom random(5);
  for (int at = 0; at < 2000; ++at) {
    manifest.summary.tags.push_back(to_hex(random.bytes<16>()));
  }
  HOLDFAST_EXPECT_OK(writer->commit(manifest));
  HOLDFAST_ASSERT_OK(const auto again, place.open());
  HOLDFAST_ASSERT_OK(const Repository::Listing listing, again->list());
  ASSERT_THAT(listing.snapshots, SizeIs(1));
  EXPECT_EQ(listing.snapshots.front().tags, manifest.summary.tags);
}

}  // namespace
}  // namespace holdfast::repository
