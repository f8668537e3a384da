#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "interop/dump_reader.h"

namespace holdfast::transfer {

struct DumpCheck {
  struct Collection {
    CollectionInfo info;
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<Collection> collections;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::uint64_t oplog_entries = 0;
  /// What is damaged or missing, in words; empty if all is whole.
  std::vector<std::string> damage;
};

/// Reads every document of a dump, and its oplog. Damage of one collection is noted and does not
/// hide the others. `required`: names of collections ("users" or "shop.users") that must be there.
/// Errors: cancelled, io.
[[nodiscard]] Result<DumpCheck> check_dump(interop::DumpReader& dump,
                                           const std::vector<std::string>& required,
                                           ProgressSink& progress, std::stop_token stop);

}  // namespace holdfast::transfer
