#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "base/result.h"
#include "bson/document.h"
#include "mongo/client.h"

/// A made-up Smokava: what a prepaid hookah business's database looks like after three years.
/// Every invariant of the Smokava profile is true in it at `SeedOptions::now`.
namespace holdfast::smokava {

/// Same options, same bytes: of every document, on every machine.
struct SeedOptions {
  /// How many userpackages; everything else in proportion. 1 … `max_userpackages`.
  std::uint64_t userpackages = 1000;
  std::uint64_t seed = 1;
  /// The moment at which the data is true (cut to milliseconds); nothing in it happened later.
  /// Must be given, and lie in 2000 … 2100.
  WallTime now{};
  /// Connections that insert at once. Does not change what is written. 1 … 64.
  unsigned threads = 4;
  /// Drops the fourteen collections first, and leaves others alone; without it `seed` refuses a
  /// database that is not empty.
  bool drop_existing = false;
};

/// Phone numbers and gateway references are unique up to here.
inline constexpr std::uint64_t max_userpackages = 100'000'000;

struct SeedSummary {
  struct Collection {
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;  ///< of BSON
  };
  std::map<std::string, Collection, std::less<>> collections;
  Collection total;
};

/// The fourteen collections, in the order in which `seed` fills them.
[[nodiscard]] std::span<const std::string_view> collection_names();

/// What `createIndexes` takes (name, key, unique, …) for one collection, without `_id`'s index.
/// Empty for an unknown name.
[[nodiscard]] std::vector<bson::Document> required_indexes(std::string_view collection);

/// Receives one document, valid during the call; false ends the walk.
using DocumentVisitor = std::function<bool(bson::DocumentView)>;

/// Walks all documents of one collection in the order of their making, without a server. Memory
/// does not grow with `userpackages` (but one settlement is held: its list of payments).
/// Errors: usage (options), not_found (no such collection).
[[nodiscard]] Status for_each_document(const SeedOptions& options, std::string_view collection,
                                       const DocumentVisitor& visit);

/// Creates the collections, fills them with several threads and builds the required indexes.
/// Errors: usage (options), precondition (the database is not empty), cancelled, and the
/// client's. After an error or a crash some collections are there in part: run it again with
/// `drop_existing`.
[[nodiscard]] Result<SeedSummary> seed(mongo::Client& client, const std::string& database,
                                       const SeedOptions& options, ProgressSink& progress,
                                       std::stop_token stop);

}  // namespace holdfast::smokava
