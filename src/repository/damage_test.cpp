#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "repository/repository_testing.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::HasSubstr;

/// A small repository with one of everything, and what it holds.
class Damage : public ::testing::TestWithParam<bool> {
 protected:
  using Content = std::map<std::pair<std::string, Namespace>, std::vector<bson::Document>>;

  void SetUp() override {
    HOLDFAST_ASSERT_OK(const InitOutcome outcome, place.init());
    fill(place);
    HOLDFAST_ASSERT_OK(const auto repository, place.open());
    HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
    ASSERT_EQ(damage_text(report), "");
    HOLDFAST_ASSERT_OK(content, read_content(*repository));
    ASSERT_EQ(content.size(), 7U);
  }

  /// A removed snapshot, a tagged one of two layers, a capped collection, a removed key.
  void fill(TestPlace& at) {
    HOLDFAST_ASSERT_OK(const auto repository, at.open());
    HOLDFAST_ASSERT_OK(const SnapshotSummary removed, write_snapshot(*repository, {guests(3)}));
    HOLDFAST_EXPECT_OK(repository->remove_snapshot(removed.id));
    for (const std::string& name : at.blobs->names()) {  // garbage may be damaged unnoticed
      if (name.starts_with("shop/segments/")) at.blobs->erase(name);
    }
    std::string key;
    if (at.encrypted) {
      HOLDFAST_ASSERT_OK(const auto added, repository->add_key(unlock_with(2), false, "old"));
      key = added.first.id;
    }
    CollectionPlan layered = guests(8);
    layered.layers.push_back({put(2, "changed"), remove(3), put(9, "new")});
    CollectionPlan capped;
    capped.ns = {"shop", "log"};
    capped.capped = true;
    capped.layers = {{put_at(5, "a"), put_at(6, "b")}};
    HOLDFAST_ASSERT_OK(const SnapshotSummary tagged,
                       write_snapshot(*repository, {layered, capped}));
    HOLDFAST_EXPECT_OK(repository->set_tags(tagged.id, {"kept"}));
    if (at.encrypted) HOLDFAST_EXPECT_OK(repository->remove_key(key));
    HOLDFAST_ASSERT_OK(const SnapshotSummary last,
                       write_snapshot(*repository, {guests(9), capped}));
    unnoticed = {"shop/snapshots/" + last.id};
    for (std::uint32_t from = 10; from < 40; from += 10) {
      HOLDFAST_ASSERT_OK(const LogSegmentInfo put,
                         put_log(*repository, log_stretch(from, from + 10), log_events));
      // The front of the log may be removed as by retention, the end by a lost commit.
      if (from != 20) unnoticed.insert(put.name);
    }
    newest = "shop/snapshots/" + last.id;
  }

  Result<Content> read_content(Repository& repository) {
    Content found;
    HOLDFAST_TRY(const Repository::Listing listing, repository.list());
    for (const SnapshotSummary& summary : listing.snapshots) {
      HOLDFAST_TRY(const auto reader, repository.open_snapshot(summary.id));
      for (const char* name : {"guests", "log"}) {
        auto documents = read_all(*reader, {"shop", name});
        if (documents.ok()) found[{summary.id, {"shop", name}}] = *documents;
      }
    }
    HOLDFAST_TRY(const Repository::LogListing log, repository.list_log(""));
    for (const LogSegmentInfo& segment : log.segments) {
      std::vector<bson::Document> events;
      const Status read = repository.read_log_segment(segment, [&](bson::DocumentView event) {
        events.emplace_back(event);
        return Status();
      });
      if (read.ok()) found[{segment.name, {"the", "log"}}] = events;
    }
    return found;
  }

  /// Empty if the damage was noticed and nothing wrong was read; else what went wrong.
  std::string examine(bool may_be_unnoticed = false) {
    const auto repository = place.open();
    if (!repository.ok()) {
      const ErrorCode code = repository.error().code();
      const bool told = code == ErrorCode::corrupt || code == ErrorCode::wrong_key;
      return told ? "" : "open: " + repository.error().message();
    }
    const auto report = verify_all(**repository);
    if (!report.ok()) return "verify: " + report.error().message();
    if (report->damage.empty() && !may_be_unnoticed) return "not noticed";
    const auto found = read_content(**repository);
    if (!found.ok()) return "";
    for (const auto& [where, documents] : *found) {
      if (!content.contains(where) || content[where] != documents) return "wrong content";
    }
    for (const std::string& id : report->whole_snapshots) {
      for (const auto& [where, documents] : content) {
        if (where.first == id && !found->contains(where)) return "not whole, though verify says so";
      }
    }
    return "";
  }

  TestPlace place{GetParam()};
  Content content;
  std::string newest;
  /// Blobs whose absence looks like nothing.
  std::set<std::string> unnoticed;
  const std::vector<bson::Document> log_events{make_document(1, "inserted"),
                                               make_document(2, "changed")};
};
INSTANTIATE_TEST_SUITE_P(EncryptedOrNot, Damage, ::testing::Bool());

TEST_P(Damage, every_flipped_byte_is_noticed) {
  std::uint64_t bytes = 0;
  for (const auto& [name, original] : place.blobs->all()) {
    for (std::size_t at = 0; at < original.size(); ++at, ++bytes) {
      Bytes flipped = original;
      flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ (1U << (at % 8)));
      place.blobs->overwrite(name, flipped);
      ASSERT_EQ(examine(), "") << name << " at " << at;
    }
    place.blobs->overwrite(name, original);
  }
  EXPECT_GT(bytes, 3000U);
}

TEST_P(Damage, every_truncated_file_is_noticed) {
  for (const auto& [name, original] : place.blobs->all()) {
    std::set<std::size_t> lengths{0, 1, 8, 28, 29, 40, original.size() / 2, original.size() - 1};
    for (const std::size_t length : lengths) {
      if (length >= original.size()) continue;
      place.blobs->overwrite(
          name, Bytes(original.begin(), original.begin() + static_cast<std::ptrdiff_t>(length)));
      ASSERT_EQ(examine(), "") << name << " cut to " << length;
    }
    Bytes longer = original;
    longer.push_back(0);
    place.blobs->overwrite(name, longer);
    ASSERT_EQ(examine(), "") << name << " made longer";
    place.blobs->overwrite(name, original);
  }
}

TEST_P(Damage, every_missing_file_is_noticed_but_the_newest_commit_and_the_logs_ends) {
  for (const auto& [name, original] : place.blobs->all()) {
    place.blobs->erase(name);
    ASSERT_EQ(examine(unnoticed.contains(name)), "") << name;
    place.blobs->overwrite(name, original);
  }
}

TEST_P(Damage, files_in_each_others_places_are_noticed) {
  const auto all = place.blobs->all();
  for (const auto& [name, original] : all) {
    for (const auto& [other_name, other] : all) {
      if (name >= other_name) continue;
      place.blobs->overwrite(name, other);
      place.blobs->overwrite(other_name, original);
      ASSERT_EQ(examine(), "") << name << " and " << other_name;
      place.blobs->overwrite(name, original);
      place.blobs->overwrite(other_name, other);
    }
  }
}

TEST_P(Damage, files_of_another_repository_are_noticed) {
  TestPlace other(GetParam(), 99);
  HOLDFAST_ASSERT_OK(const InitOutcome outcome, other.init());
  const std::string newest_here = newest;
  fill(other);
  newest = newest_here;
  for (const auto& [name, original] : place.blobs->all()) {
    for (const auto& [other_name, foreign] : other.blobs->all()) {
      if (name.substr(0, name.find('/')) != other_name.substr(0, other_name.find('/'))) continue;
      place.blobs->overwrite(name, foreign);
      ASSERT_EQ(examine(), "") << name << " from " << other_name;
    }
    place.blobs->overwrite(name, original);
  }
}

TEST_P(Damage, says_which_documents_a_block_costs) {
  for (const auto& [name, original] : place.blobs->all()) {
    if (!name.starts_with("shop/segments/")) continue;
    Bytes flipped = original;
    flipped[40] ^= 1U;  // in the first block
    place.blobs->overwrite(name, flipped);
    HOLDFAST_ASSERT_OK(const auto repository, place.open());
    HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
    if (!report.damage.empty() && report.damage.front().what == "block") {
      const holdfast::repository::Damage& damage = report.damage.front();
      EXPECT_THAT(damage.where, HasSubstr(name + ", block 0 (_id from "));
      ASSERT_FALSE(damage.affects.empty());
      EXPECT_THAT(damage.affects.front(), HasSubstr(" shop.guests _id from 1 to "));
      HOLDFAST_ASSERT_OK(const auto reader,
                         repository->open_snapshot(damage.affects.front().substr(0, 16)));
      const auto read = read_all(*reader, {"shop", "guests"});
      ASSERT_FALSE(read.ok());
      EXPECT_EQ(read.error().code(), ErrorCode::corrupt);
      EXPECT_THAT(read.error().message(), HasSubstr(name + ", block 0 (_id from 1 "));
      return;
    }
    place.blobs->overwrite(name, original);
  }
  FAIL() << "no damaged block was reported";
}

TEST_P(Damage, a_snapshot_that_came_back_after_its_removal_stays_removed) {
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  const Bytes manifest = *place.blobs->find(newest);
  const std::string id = newest.substr(newest.rfind('/') + 1);
  HOLDFAST_EXPECT_OK(repository->remove_snapshot(id));
  place.blobs->overwrite(newest, manifest);
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found, repository->manifest(id));
}

}  // namespace
}  // namespace holdfast::repository
