#include "timetravel/moment.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/temporary_folder_testing.h"
#include "bson/extended_json.h"
#include "repository/repository_testing.h"

namespace holdfast::timetravel {
namespace {

using repository::testing::make_document;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

bson::Document json(std::string_view text) {
  auto document = bson::from_json(text);
  if (!document.ok()) ADD_FAILURE() << document.error().message();
  return std::move(document).value();
}

constexpr std::string_view users_uuid = "07070707-0707-0707-0707-070707070707";

/// A change event of "shop.users" at T:I, in JSON but for its head.
bson::Document event(ClusterTime time, std::string_view operation, int id, std::string_view rest,
                     int transaction = 0) {
  std::string text = fmt::format(
      R"({{"_id":{{"_data":"{0}"}},"operationType":"{1}",)"
      R"("clusterTime":{{"$timestamp":{{"t":{2},"i":{3}}}}},"ns":{{"db":"shop","coll":"users"}},)"
      R"("collectionUUID":{{"$uuid":"{4}"}},"documentKey":{{"_id":{5}}})",
      time.text(), operation, time.seconds, time.increment, users_uuid, id);
  if (transaction != 0) {
    text += fmt::format(R"(,"lsid":{{"id":{{"$uuid":"{}"}}}},)"
                        R"("txnNumber":{{"$numberLong":"{}"}})",
                        users_uuid, transaction);
  }
  if (!rest.empty()) text += fmt::format(",{}", rest);
  return json(text + "}");
}
bson::Document insert(ClusterTime time, int id, int transaction = 0) {
  return event(time, "insert", id,
               fmt::format(R"("fullDocument":{{"_id":{},"text":"at {}"}})", id, time.seconds),
               transaction);
}
bson::Document set(ClusterTime time, int id, std::string_view field, int value) {
  return event(time, "update", id,
               fmt::format(R"("updateDescription":{{"updatedFields":{{"{}":{}}},)"
                           R"("removedFields":[],"truncatedArrays":[]}})",
                           field, value));
}
bson::Document remove(ClusterTime time, int id) { return event(time, "delete", id, ""); }

class Moment : public ::testing::Test {
 protected:
  void SetUp() override {
    HOLDFAST_EXPECT_OK(place_.init());
    HOLDFAST_ASSERT_OK(repository_, place_.open());
  }

  /// A snapshot of "shop.users" with documents 1 … count, at this time.
  std::string snapshot(std::uint32_t seconds, int count, bool whole = true,
                       const std::string& source = "shop") {
    return snapshot(seconds, repository::testing::guests(count), whole, source);
  }
  std::string snapshot(std::uint32_t seconds, repository::testing::CollectionPlan plan,
                       bool whole = true, const std::string& source = "shop") {
    auto writer = repository_->begin_snapshot(repository::testing::test_source(source), {});
    auto stream = (*writer)->open_stream();
    plan.ns = {"shop", "users"};
    auto collection = repository::testing::write_collection(repository_->hasher(), **stream, plan);
    collection->info.uuid.emplace();
    collection->info.uuid->fill(7);
    collection->consistency.time = {seconds, 1};
    repository::Manifest manifest;
    manifest.summary.databases = databases_;
    manifest.summary.whole = whole;
    manifest.summary.consistency = {Consistency::Kind::exact, {seconds, 1}, ""};
    manifest.collections.push_back(*collection);
    auto committed = (*writer)->commit(std::move(manifest));
    if (!committed.ok()) ADD_FAILURE() << committed.error().message();
    return committed.ok() ? committed->id : "";
  }

  void log(std::uint32_t from, std::uint32_t to, const std::vector<bson::Document>& events,
           const std::string& source = "shop") {
    auto info = repository::testing::log_stretch(from, to);
    info.databases = {"shop"};
    info.source = source;
    HOLDFAST_EXPECT_OK(repository::testing::put_log(*repository_, info, events));
  }

  std::vector<std::string> databases_ = {"shop"};  ///< Of the snapshots to come.

  Result<MomentPlan> plan(std::optional<ClusterTime> at, const std::string& source = "") {
    return plan_moment(*repository_, {source, at, std::nullopt});
  }

  /// The documents at a moment, as texts.
  Result<std::vector<std::string>> texts(const MomentPlan& plan, const std::string& without = "") {
    MomentOptions options;
    options.fold.spool_folder = folder_.path();
    if (!without.empty()) {
      HOLDFAST_TRY(options.without.emplace_back(),
                   changelog::parse_event_selection(without, nullptr));
    }
    SilentProgress progress;
    HOLDFAST_TRY(view_, repository_->with_scratch(folder_.path()));
    HOLDFAST_TRY(outcome_, make_moment(*view_, plan, options, place_.random, progress, {}));
    HOLDFAST_TRY(const auto reader, view_->open_snapshot(outcome_.summary.id));
    HOLDFAST_TRY(const auto documents, repository::testing::read_all(*reader, {"shop", "users"}));
    std::vector<std::string> all;
    for (const auto& document : documents) {
      all.push_back(bson::to_json(document.view(), bson::JsonMode::relaxed));
    }
    return all;
  }
  Result<std::vector<std::string>> texts_at(ClusterTime at, const std::string& without = "") {
    HOLDFAST_TRY(const auto planned, plan(at));
    return texts(planned, without);
  }

  TemporaryFolder folder_;
  repository::testing::TestPlace place_;
  std::unique_ptr<repository::Repository> repository_;
  std::unique_ptr<repository::Repository> view_;
  MomentOutcome outcome_;
};

constexpr std::string_view guest_1 = R"({"_id":1,"text":"guest 1"})";
constexpr std::string_view guest_2 = R"({"_id":2,"text":"guest 2"})";

TEST_F(Moment, is_made_of_the_newest_snapshot_from_which_the_log_leads_there) {
  const std::string first = snapshot(10, 1);
  const std::string second = snapshot(20, 1);
  log(10, 20, {});
  log(20, 30, {});
  const auto base = [this](std::uint32_t seconds) {
    const auto planned = plan(ClusterTime{seconds, 1});
    return planned.ok() ? planned->base.id : planned.error().message();
  };
  EXPECT_EQ(base(10), first);
  EXPECT_EQ(base(15), first);
  EXPECT_EQ(base(20), second);
  EXPECT_EQ(base(30), second);
  HOLDFAST_ASSERT_OK(const auto now, plan(std::nullopt));
  EXPECT_EQ(now.base.id, second);
  EXPECT_EQ(now.at, (ClusterTime{30, 1})) << "as far as the log reaches";
}

TEST_F(Moment, prefers_whole_databases_to_newer_chosen_collections) {
  const std::string whole = snapshot(10, 1);
  const std::string chosen = snapshot(20, 1, false);
  log(10, 30, {});
  HOLDFAST_ASSERT_OK(const auto planned, plan(ClusterTime{25, 1}));
  EXPECT_EQ(planned.base.id, whole);
  EXPECT_NE(planned.base.id, chosen);
}

TEST_F(Moment, outside_of_coverage_names_the_nearest_times) {
  snapshot(10, 1);
  snapshot(50, 1);
  log(10, 20, {});
  log(50, 60, {});
  const auto inside = plan(ClusterTime{30, 1});
  ASSERT_FALSE(inside.ok());
  EXPECT_EQ(inside.error().code(), ErrorCode::gap);
  EXPECT_THAT(inside.error().hint(), AllOf(HasSubstr("20:1"), HasSubstr("50:1")));
  const auto before = plan(ClusterTime{5, 1});
  ASSERT_FALSE(before.ok());
  EXPECT_EQ(before.error().code(), ErrorCode::gap);
  EXPECT_THAT(before.error().hint(), HasSubstr("10:1"));
  const auto behind = plan(ClusterTime{70, 1});
  ASSERT_FALSE(behind.ok());
  EXPECT_EQ(behind.error().code(), ErrorCode::gap);
  EXPECT_THAT(behind.error().hint(), HasSubstr("60:1"));
}

TEST_F(Moment, of_several_sources_needs_to_know_which) {
  snapshot(10, 1);
  const std::string other = snapshot(10, 2, true, "stock");
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, plan(ClusterTime{10, 1}));
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found, plan(ClusterTime{10, 1}, "nobody"));
  HOLDFAST_ASSERT_OK(const auto planned, plan(ClusterTime{10, 1}, "stock"));
  EXPECT_EQ(planned.base.id, other);
}

TEST_F(Moment, of_different_databases_needs_to_know_which) {
  const std::string wanted = snapshot(10, 1);
  databases_ = {"stock"};
  snapshot(11, 2);
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, plan(ClusterTime{12, 1}));
  MomentRequest request;
  request.at = ClusterTime{10, 1};
  request.database = "shop";
  HOLDFAST_ASSERT_OK(const auto planned, plan_moment(*repository_, request));
  EXPECT_EQ(planned.base.id, wanted);
}

TEST_F(Moment, log_of_another_source_leads_nowhere) {
  snapshot(10, 1);
  snapshot(10, 1, true, "stock");
  log(10, 30, {}, "stock");
  HOLDFAST_EXPECT_ERROR(ErrorCode::gap, plan(ClusterTime{20, 1}, "shop"));
}

TEST_F(Moment, includes_what_happened_at_its_very_time) {
  snapshot(10, 1);
  log(10, 30, {insert({20, 1}, 2), remove({20, 2}, 1)});
  HOLDFAST_ASSERT_OK(const auto before, texts_at({20, 0}));
  EXPECT_THAT(before, ElementsAre(guest_1));
  HOLDFAST_ASSERT_OK(const auto at, texts_at({20, 1}));
  EXPECT_THAT(at, ElementsAre(guest_1, R"({"_id":2,"text":"at 20"})"));
  EXPECT_EQ(outcome_.summary.consistency.time, (ClusterTime{20, 1}));
  HOLDFAST_ASSERT_OK(const auto after, texts_at({20, 2}));
  EXPECT_THAT(after, ElementsAre(R"({"_id":2,"text":"at 20"})"));
}

TEST_F(Moment, never_cuts_a_transaction) {
  snapshot(10, 1);
  // Its first write is visible with its last, as everything else that happens meanwhile is not.
  log(10, 20, {insert({15, 1}, 2, 1), insert({15, 2}, 3), insert({15, 3}, 4, 1)});
  log(20, 30, {});
  HOLDFAST_ASSERT_OK(const auto during, texts_at({15, 2}));
  EXPECT_THAT(during, ElementsAre(guest_1, R"({"_id":3,"text":"at 15"})"));
  HOLDFAST_ASSERT_OK(const auto after, texts_at({15, 3}));
  EXPECT_THAT(after, SizeIs(4));
}

TEST_F(Moment, of_a_capped_collection_that_changed_is_that_of_the_snapshot_and_says_so) {
  repository::testing::CollectionPlan capped;
  capped.capped = true;
  capped.layers.push_back({repository::testing::put_at(0, "first")});
  snapshot(10, capped);
  log(10, 20, {});
  log(20, 30, {insert({25, 1}, 2), remove({25, 2}, 7)});
  HOLDFAST_ASSERT_OK(const auto quiet, texts_at({20, 1}));
  EXPECT_EQ(outcome_.summary.consistency.kind, Consistency::Kind::exact);
  EXPECT_THAT(outcome_.warnings, IsEmpty());
  HOLDFAST_ASSERT_OK(const auto changed, texts_at({30, 1}));
  EXPECT_EQ(changed, quiet);
  EXPECT_EQ(outcome_.summary.consistency.kind, Consistency::Kind::best_effort);
  ASSERT_THAT(outcome_.warnings, SizeIs(1));
  EXPECT_THAT(outcome_.warnings[0], AllOf(HasSubstr("shop.users"), HasSubstr("capped")));
}

TEST_F(Moment, that_the_log_does_not_fit_is_corrupt_and_says_where) {
  snapshot(10, 1);
  log(10, 30, {remove({20, 1}, 9)});
  const auto made = texts_at({25, 1});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), ErrorCode::corrupt);
  EXPECT_THAT(made.error().message(), HasSubstr("shop.users"));
}

TEST_F(Moment, leaves_events_out) {
  snapshot(10, 2);
  log(10, 30, {insert({15, 1}, 3), remove({20, 1}, 1), remove({20, 2}, 2)});
  HOLDFAST_ASSERT_OK(const auto kept, texts_at({30, 1}, "op=delete"));
  EXPECT_THAT(kept, ElementsAre(guest_1, guest_2, R"({"_id":3,"text":"at 15"})"));
  EXPECT_EQ(outcome_.left_out, 2U);
  EXPECT_EQ(outcome_.events, 1U);
  EXPECT_EQ(outcome_.conflict_count, 0U);
  HOLDFAST_ASSERT_OK(const auto one, texts_at({30, 1}, "op=delete id=2"));
  EXPECT_THAT(one, ElementsAre(guest_2, R"({"_id":3,"text":"at 15"})"));
}

TEST_F(Moment, lists_changes_that_no_longer_fit_and_passes_over_them) {
  snapshot(10, 2);
  log(10, 30,
      {insert({15, 1}, 3), set({16, 1}, 3, "n", 1), remove({17, 1}, 3), set({18, 1}, 1, "n", 1)});
  HOLDFAST_ASSERT_OK(const auto kept, texts_at({30, 1}, "op=insert"));
  EXPECT_THAT(kept, ElementsAre(R"({"_id":1,"text":"guest 1","n":1})", guest_2));
  EXPECT_EQ(outcome_.left_out, 1U);
  EXPECT_EQ(outcome_.conflict_count, 2U);
  ASSERT_THAT(outcome_.conflicts, SizeIs(2));
  EXPECT_THAT(outcome_.conflicts[0].sentence, HasSubstr("16:1"));
  EXPECT_THAT(outcome_.conflicts[1].sentence, HasSubstr("17:1"));
}

TEST_F(Moment, an_insert_over_a_document_whose_deletion_was_left_out_is_a_conflict) {
  snapshot(10, 1);
  log(10, 30, {remove({15, 1}, 1), insert({16, 1}, 1)});
  HOLDFAST_ASSERT_OK(const auto kept, texts_at({30, 1}, "op=delete"));
  EXPECT_THAT(kept, ElementsAre(guest_1));
  EXPECT_EQ(outcome_.conflict_count, 1U);
}

TEST_F(Moment, corruption_stays_corruption_while_other_documents_are_left_out) {
  snapshot(10, 1);
  log(10, 30, {remove({15, 1}, 1), remove({16, 1}, 9)});
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, texts_at({30, 1}, "op=delete id=1"));
}

TEST_F(Moment, finds_the_first_event_that_is_selected) {
  snapshot(10, 1);
  log(10, 30, {insert({15, 1}, 2), remove({16, 1}, 2), remove({17, 1}, 1)});
  HOLDFAST_ASSERT_OK(const auto found, find_log(*repository_, {"", ClusterTime{20, 1}, {}}));
  HOLDFAST_ASSERT_OK(const auto selection,
                     changelog::parse_event_selection("op=delete id=1", nullptr));
  SilentProgress progress;
  HOLDFAST_ASSERT_OK(const auto first,
                     find_first_event(*repository_, found, {selection}, progress, {}));
  EXPECT_EQ(first, (ClusterTime{17, 1}));
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found, find_log(*repository_, {"", ClusterTime{40, 1}, {}}));
}

TEST_F(Moment, writes_nothing_to_the_repository) {
  snapshot(10, 1);
  log(10, 30, {insert({15, 1}, 2)});
  const auto names = place_.blobs->names();
  HOLDFAST_EXPECT_OK(texts_at({20, 1}));
  EXPECT_EQ(place_.blobs->names(), names);
}

}  // namespace
}  // namespace holdfast::timetravel
