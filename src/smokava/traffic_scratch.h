#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "smokava/dice.h"
#include "smokava/traffic.h"
#include "smokava/traffic_commands.h"

namespace holdfast::smokava {

/// Makes, fills, indexes, renames and drops collections named `scratch_N`, which belong to it
/// alone. Not thread-safe.
class ScratchWorker {
 public:
  ScratchWorker(mongo::Client& client, const std::string& database, TrafficRecord& record,
                std::int32_t thread, std::uint64_t seed);

  /// Drops what an earlier run left; recorded as everything else.
  [[nodiscard]] Status clear();
  /// One command.
  [[nodiscard]] Status step();
  [[nodiscard]] const TrafficSummary& summary() const { return summary_; }

 private:
  struct Scratch {
    std::string name;
    bool indexed = false;
  };
  [[nodiscard]] Status create();
  [[nodiscard]] Status fill(const Scratch& scratch);
  [[nodiscard]] Status toggle_index(Scratch& scratch);
  [[nodiscard]] Status rename(Scratch& scratch);
  [[nodiscard]] Status drop(std::size_t at);
  [[nodiscard]] Result<bool> define(std::string_view operation, std::string_view collection,
                                    bson::DocumentView command);
  [[nodiscard]] std::string new_name();

  mongo::Client& client_;
  std::string database_;
  TrafficCommands commands_;
  Dice dice_;
  std::uint64_t names_made_ = 0;
  std::int64_t documents_made_ = 0;
  std::vector<Scratch> scratches_;
  TrafficSummary summary_;
};

}  // namespace holdfast::smokava
