// Any moment of a recorded workload, made of the repository's snapshots and log, equals what the
// workload's own record says, byte for byte. See end_to_end/moment_workload.py for the record.
//
// HOLDFAST_SEEDS=1,2,7 chooses the seeds on the fast server, HOLDFAST_KEEP=FOLDER keeps the files.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/temporary_folder_testing.h"
#include "blob/open_blob_store.h"
#include "moments/moment_model.h"
#include "mongo/server_fixture_testing.h"
#include "repository/repository_testing.h"
#include "timetravel/moment.h"

namespace holdfast::moments {
namespace {

std::string environment(const char* name, const std::string& otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

struct Workload {
  std::string server;
  std::uint64_t seed = 1;
  int operations = 0;
  int moments = 0;
  bool only_first = false;  ///< No snapshot is left but the one at the beginning.
};

/// Runs the workload; its exit code.
int record(const Workload& workload, const std::filesystem::path& folder) {
  const std::filesystem::path source = holdfast_source_dir();
  const std::string command =
      fmt::format("PYTHONPATH='{}' '{}' '{}' '{}' {} {} {} {}{}", (source / "scripts/dev").string(),
                  environment("HOLDFAST_PYTHON", "python3"),
                  (source / "tests/end_to_end/moment_record.py").string(), folder.string(),
                  workload.server, workload.seed, workload.operations, workload.moments,
                  workload.only_first ? " --only-first" : "");
  return std::system(command.c_str());
}

std::vector<ClusterTime> read_moments(const std::filesystem::path& file) {
  std::ifstream lines(file);
  std::vector<ClusterTime> moments;
  ClusterTime moment;
  while (lines >> moment.seconds >> moment.increment) moments.push_back(moment);
  return moments;
}

class AnyMoment : public ::testing::Test {
 protected:
  void check(const Workload& workload);

 private:
  void open(const std::filesystem::path& folder);
  void check_moment(ClusterTime moment, const ModelState& state, const CompareSettings& settings);

  SystemClock clock_;
  SystemRandom random_;
  TemporaryFolder folder_;
  std::unique_ptr<repository::Repository> repository_;
  Comparison total_;
  std::uint64_t events_ = 0;
  std::set<std::string> untold_;  ///< Collections that a warning named.
};

void AnyMoment::open(const std::filesystem::path& folder) {
  HOLDFAST_ASSERT_OK(auto store, blob::open_blob_store((folder / "repository").string(),
                                                       blob::OpenMode::read_only));
  repository::Unlock unlock;
  unlock.password = SecretBytes(as_bytes(std::string_view("correct horse battery staple")));
  HOLDFAST_ASSERT_OK(repository_,
                     repository::Repository::open(std::move(store), unlock, random_, clock_));
}

void AnyMoment::check_moment(ClusterTime moment, const ModelState& state,
                             const CompareSettings& settings) {
  timetravel::MomentRequest request;
  request.at = moment;
  HOLDFAST_ASSERT_OK(const auto plan, timetravel::plan_moment(*repository_, request));
  HOLDFAST_ASSERT_OK(const auto view, repository_->with_scratch(folder_.path()));
  timetravel::MomentOptions options;
  options.fold.spool_folder = folder_.path();
  SilentProgress progress;
  HOLDFAST_ASSERT_OK(const auto outcome,
                     timetravel::make_moment(*view, plan, options, random_, progress, {}));
  HOLDFAST_ASSERT_OK(const auto reader, view->open_snapshot(outcome.summary.id));
  EXPECT_EQ(outcome.summary.consistency.kind, Consistency::Kind::exact)
      << outcome.summary.consistency.reason;
  events_ += outcome.events;
  for (const std::string& warning : outcome.warnings) untold_.insert(warning);
  Comparison comparison;
  HOLDFAST_EXPECT_OK(compare(state, *reader, settings, comparison));
  total_.collections += comparison.collections;
  total_.documents += comparison.documents;
  total_.other_order += comparison.other_order;
  EXPECT_LE(comparison.other_order, outcome.order_uncertain)
      << "the order of fields was lost without being marked";
  for (const std::string& wrong : comparison.wrong) {
    ADD_FAILURE() << moment.text() << " from " << plan.base.id << ": " << wrong;
  }
}

void AnyMoment::check(const Workload& workload) {
  const std::filesystem::path folder = environment("HOLDFAST_KEEP", folder_.path().string()) +
                                       fmt::format("/{}-{}", workload.server, workload.seed);
  std::filesystem::create_directories(folder);
  ASSERT_EQ(record(workload, folder), 0);
  ASSERT_NO_FATAL_FAILURE(open(folder));
  HOLDFAST_ASSERT_OK(auto model, MomentModel::read(folder / "record.bson"));
  const bool python = workload.server == "python";
  const CompareSettings settings{.order_may_differ = !python,
                                 .index_options_untold = python,
                                 .defaults_shown = !python,
                                 .untold = {"shop.tuned", "shop.tuned_view"}};
  const auto moments = read_moments(folder / "moments");
  ASSERT_GE(moments.size(), static_cast<std::size_t>(workload.moments) / 2);
  for (const ClusterTime moment : moments) {
    check_moment(moment, model.advance(moment), settings);
    if (HasFailure()) {
      FAIL() << fmt::format("seed {} on the {} server, replay with HOLDFAST_SEEDS={}",
                            workload.seed, workload.server, workload.seed);
    }
  }
  fmt::print(
      "  {} moments equal their record: {} collections, {} documents, {} changes folded; "
      "{} documents of another order of fields, each marked\n",
      moments.size(), total_.collections, total_.documents, events_, total_.other_order);
  std::fflush(stdout);
}

TEST_F(AnyMoment, of_the_fast_server_is_as_recorded) {
  HOLDFAST_START_SERVER(there_is_one, {.kind = mongo::ServerKind::rust});
  there_is_one.reset();
  std::istringstream seeds(environment("HOLDFAST_SEEDS", "1,2,3"));
  for (std::string seed; std::getline(seeds, seed, ',');) {
    const std::uint64_t number = std::stoull(seed);
    ASSERT_NO_FATAL_FAILURE(check({.server = "rust",
                                   .seed = number,
                                   .operations = 450,
                                   .moments = 200,
                                   .only_first = number % 2 == 0}));
  }
}

TEST_F(AnyMoment, of_the_slow_server_is_as_recorded) {
  HOLDFAST_START_SERVER(there_is_one, {.kind = mongo::ServerKind::python});
  there_is_one.reset();
  check({.server = "python", .seed = 1, .operations = 200, .moments = 100});
}

}  // namespace
}  // namespace holdfast::moments
