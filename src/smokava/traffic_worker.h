#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "smokava/dice.h"
#include "smokava/traffic.h"
#include "smokava/traffic_commands.h"
#include "smokava/traffic_targets.h"

namespace holdfast::smokava {

/// One thread of traffic: writes to the documents that it owns. Not thread-safe.
class TrafficWorker {
 public:
  struct Place {
    unsigned thread = 0;
    unsigned threads = 1;
    std::uint64_t seed = 1;
  };
  /// `everybody` must outlive the worker.
  TrafficWorker(mongo::Client& client, const std::string& database, TrafficRecord& record,
                const TrafficTargets& everybody, const Place& place);

  /// One write, or an attempt that had no effect.
  [[nodiscard]] Status step();
  [[nodiscard]] const TrafficSummary& summary() const { return summary_; }

 private:
  struct Deleted {
    std::string collection;
    bson::Document document;
  };
  [[nodiscard]] Status edit();
  [[nodiscard]] Status replace();
  [[nodiscard]] Status insert();
  [[nodiscard]] Status upsert();
  [[nodiscard]] Status remove();
  [[nodiscard]] Status insert_again();
  [[nodiscard]] Status insert_document(std::string_view operation, std::string_view collection,
                                       bson::DocumentView document);
  [[nodiscard]] ObjectId new_id();
  [[nodiscard]] Result<WriteOutcome> count(std::string_view operation,
                                           Result<WriteOutcome> outcome);

  Place place_;
  const TrafficTargets& everybody_;
  TrafficTargets mine_;
  TrafficCommands commands_;
  Dice dice_;
  /// The random part of new ids: another one in every run.
  std::uint64_t process_;
  std::uint64_t ids_made_ = 0;
  std::deque<Deleted> deleted_;
  TrafficSummary summary_;
};

}  // namespace holdfast::smokava
