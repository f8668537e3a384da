#include "smokava/traffic.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/task_group.h"
#include "smokava/traffic_record.h"
#include "smokava/traffic_scratch.h"
#include "smokava/traffic_targets.h"
#include "smokava/traffic_worker.h"

namespace holdfast::smokava {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto flush_interval = std::chrono::milliseconds(100);
constexpr int most_tries = 1000;
constexpr auto scratch_interval = std::chrono::milliseconds(250);

/// Sleeps until `due`; false if asked to stop before.
bool sleep_until(SteadyTime due, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, due, [] { return false; });
  return !stop.stop_requested();
}

/// Hands out writes at a steady rate until time or number is used up. Thread-safe.
class Pace {
 public:
  explicit Pace(const TrafficOptions& options) : options_(options) {
    if (options.duration) end_ = start_ + *options.duration;
  }

  /// Waits for the caller's turn; false when traffic is over.
  bool wait_for_turn(const std::stop_token& stop) {
    const auto number = taken_.fetch_add(1);
    if (options_.writes && number >= *options_.writes) return false;
    if (options_.writes_per_second > 0) {
      const auto after =
          std::chrono::duration<double>(static_cast<double>(number) / options_.writes_per_second);
      const auto due = start_ + std::chrono::duration_cast<SteadyClock::duration>(after);
      if (end_ && due >= *end_) return false;
      if (due > SteadyClock::now() && !sleep_until(due, stop)) return false;
    }
    return !stop.stop_requested() && !over();
  }
  [[nodiscard]] bool over() const { return end_ && SteadyClock::now() >= *end_; }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(SteadyClock::now() - start_).count();
  }

 private:
  const TrafficOptions& options_;
  SteadyTime start_ = SteadyClock::now();
  std::optional<SteadyTime> end_;
  std::atomic<std::uint64_t> taken_ = 0;
};

void add(TrafficSummary& sum, const TrafficSummary& part) {
  sum.writes += part.writes;
  sum.without_effect += part.without_effect;
  sum.ddl += part.ddl;
  for (const auto& [operation, count] : part.by_operation) sum.by_operation[operation] += count;
  const auto newest = std::max(std::pair(sum.last_seconds, sum.last_increment),
                               std::pair(part.last_seconds, part.last_increment));
  sum.last_seconds = newest.first;
  sum.last_increment = newest.second;
}

/// Steps a worker until the pace says that it is over.
Status drive(TrafficWorker& worker, Pace& pace, ProgressSink& progress,
             const std::stop_token& stop) {
  while (pace.wait_for_turn(stop)) {
    const auto before = worker.summary().writes;
    // A document that an edit doesn't fit costs no turn: another is tried.
    for (int tries = 0; worker.summary().writes == before; ++tries) {
      if (stop.stop_requested() || pace.over()) return {};
      if (tries == most_tries) {
        return Error(ErrorCode::precondition, "the server refuses every edit, or none fits");
      }
      HOLDFAST_CHECK(worker.step());
    }
    progress.advance(worker.summary().writes - before, 0);
  }
  return {};
}

Status drive(ScratchWorker& worker, const std::atomic<unsigned>& writers, const Pace& pace,
             const std::stop_token& stop) {
  HOLDFAST_CHECK(worker.clear());
  while (writers > 0 && !pace.over()) {
    HOLDFAST_CHECK(worker.step());
    if (!sleep_until(SteadyClock::now() + scratch_interval, stop)) break;
  }
  return {};
}

}  // namespace

Result<TrafficSummary> run_traffic(mongo::Client& client, const std::string& database,
                                   const TrafficOptions& options, ProgressSink& progress,
                                   std::stop_token stop) {
  if (options.threads < 1 || options.threads > 64 || !(options.writes_per_second >= 0)) {
    return Error(ErrorCode::usage, "traffic takes 1 to 64 threads and a rate of 0 or more");
  }
  HOLDFAST_TRY(const auto record, TrafficRecord::create(options.record_path));
  HOLDFAST_TRY(const auto everybody, TrafficTargets::read(client, database, options.seed));
  std::vector<TrafficWorker> workers;
  for (unsigned i = 0; i < options.threads; ++i) {
    workers.emplace_back(client, database, *record, everybody,
                         TrafficWorker::Place{i, options.threads, options.seed});
  }
  ScratchWorker scratch(client, database, *record, static_cast<std::int32_t>(options.threads),
                        options.seed);
  progress.stage("traffic", options.writes.value_or(0), 0);
  Pace pace(options);
  std::atomic<unsigned> writers = options.threads;
  TaskGroup group(stop);
  for (auto& worker : workers) {
    group.start([&](const std::stop_token& asked) {
      const auto outcome = drive(worker, pace, progress, asked);
      --writers;
      return outcome;
    });
  }
  if (options.ddl) {
    group.start([&](const std::stop_token& asked) { return drive(scratch, writers, pace, asked); });
  }
  group.start([&](const std::stop_token& asked) -> Status {
    while (writers > 0) {
      HOLDFAST_CHECK(record->flush());
      if (!sleep_until(SteadyClock::now() + flush_interval, asked)) break;
    }
    return {};
  });
  const auto outcome = group.wait();
  HOLDFAST_CHECK(record->close());
  HOLDFAST_CHECK(outcome);
  TrafficSummary sum = scratch.summary();
  for (const auto& worker : workers) add(sum, worker.summary());
  sum.seconds = pace.seconds();
  return sum;
}

}  // namespace holdfast::smokava
