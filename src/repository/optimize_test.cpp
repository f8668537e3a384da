#include "repository/optimize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "repository/repository_testing.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this module's test helpers
const Namespace guests_ns{"shop", "guests"};

class Optimize : public ::testing::Test {
 protected:
  void SetUp() override {
    HOLDFAST_ASSERT_OK(const InitOutcome outcome, place.init());
    HOLDFAST_ASSERT_OK(repository, place.open());
  }
  void expect_content(std::string_view id, const CollectionPlan& plan) {
    HOLDFAST_ASSERT_OK(const auto reader, repository->open_snapshot(id));
    HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, guests_ns));
    EXPECT_EQ(documents, merged(plan));
  }
  void expect_whole() {
    HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
    EXPECT_EQ(damage_text(report), "");
  }
  Result<OptimizeOutcome> optimize(Repository& in, std::string_view id) {
    OptimizeSettings settings;
    settings.layout = small_layout();
    SilentProgress progress;
    return in.optimize(id, settings, progress, {});
  }

  TestPlace place;
  std::unique_ptr<Repository> repository;
};

CollectionPlan with_patches(int base, const std::vector<std::vector<OwnedEntry>>& patches) {
  CollectionPlan plan = guests(base);
  plan.layers.insert(plan.layers.end(), patches.begin(), patches.end());
  return plan;
}

TEST_F(Optimize, leaves_small_patches_alone) {
  const CollectionPlan plan = with_patches(1000, {{put(7, "changed"), remove(9)}});
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {plan}));
  HOLDFAST_ASSERT_OK(const OptimizeOutcome outcome, optimize(*repository, summary.id));
  EXPECT_EQ(outcome.collections, 0U);
  EXPECT_EQ(outcome.stored_bytes, 0U);
  EXPECT_EQ(outcome.layers_after, 2U);
}

TEST_F(Optimize, rewrites_what_has_grown_and_merges_many_layers) {
  std::vector<std::vector<OwnedEntry>> patches;
  for (int layer = 0; layer < 20; ++layer) {
    patches.push_back({put(layer, "again"), put(500 + layer, "again"), remove(900 + layer)});
  }
  const CollectionPlan plan = with_patches(1000, patches);
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {plan}));
  HOLDFAST_ASSERT_OK(const OptimizeOutcome outcome, optimize(*repository, summary.id));
  EXPECT_EQ(outcome.layers_before, 21U);
  EXPECT_LE(outcome.layers_after, 2U);
  expect_content(summary.id, plan);
  expect_whole();
  HOLDFAST_ASSERT_OK(const Manifest manifest, repository->manifest(summary.id));
  EXPECT_EQ(manifest.summary.documents, summary.documents);
  EXPECT_EQ(manifest.collections[0].fingerprint.documents, summary.documents);
  HOLDFAST_ASSERT_OK(const OptimizeOutcome again, optimize(*repository, summary.id));
  EXPECT_EQ(again.collections, 0U) << "nothing is left to do";
}

TEST_F(Optimize, a_reader_of_the_old_layout_goes_on) {
  const CollectionPlan plan = with_patches(50, {{put(1, "x"), put(2, "y"), put(60, "z")}});
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {plan}));
  HOLDFAST_ASSERT_OK(const auto reader, repository->open_snapshot(summary.id));
  HOLDFAST_ASSERT_OK(const auto other, place.open());
  HOLDFAST_EXPECT_OK(optimize(*other, summary.id));
  HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, guests_ns));
  EXPECT_EQ(documents, merged(plan));
}

RC_GTEST_FIXTURE_PROP(Optimize, changes_no_content, ()) {
  const auto bases = *rc::gen::inRange(0, 200);
  std::vector<std::vector<OwnedEntry>> patches(*rc::gen::inRange<std::size_t>(1, 14));
  for (auto& patch : patches) {
    for (int id = *rc::gen::inRange(0, 30); id < 260; id += *rc::gen::inRange(1, 90)) {
      patch.push_back(*rc::gen::arbitrary<bool>() ? put(id, "patched") : remove(id));
    }
    if (patch.empty()) patch.push_back(put(1, "patched"));
  }
  const CollectionPlan plan = with_patches(bases, patches);
  const auto summary = write_snapshot(*repository, {plan});
  RC_ASSERT(summary.ok());
  RC_ASSERT(optimize(*repository, summary->id).ok());
  const auto reader = repository->open_snapshot(summary->id);
  RC_ASSERT(reader.ok());
  const auto documents = read_all(**reader, guests_ns);
  RC_ASSERT(documents.ok());
  RC_ASSERT(*documents == merged(plan));
  const auto report = verify_all(*repository);
  RC_ASSERT(report.ok());
  RC_ASSERT(report->damage.empty());
}

}  // namespace
}  // namespace holdfast::repository
