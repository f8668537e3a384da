#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mongo/client.h"
#include "smokava/dice.h"
#include "smokava/object_ids.h"

namespace holdfast::smokava {

/// Ids of documents to edit, by collection.
class TrafficTargets {
 public:
  /// Samples up to some ten thousand ids of each collection, spread over its whole range of ids.
  /// Errors: precondition (there are no userpackages), and the client's.
  [[nodiscard]] static Result<TrafficTargets> read(mongo::Client& client,
                                                   const std::string& database, std::uint64_t seed);

  /// Those that thread `thread` of `threads` owns: every id has one owner.
  [[nodiscard]] TrafficTargets share_of(unsigned thread, unsigned threads) const;
  [[nodiscard]] static bool owns(const ObjectId& id, unsigned thread, unsigned threads);

  /// Those of one collection; empty for an unknown name.
  [[nodiscard]] const std::vector<ObjectId>& of(std::string_view collection) const;
  /// One by dice; nothing if there is none.
  [[nodiscard]] const ObjectId* pick(std::string_view collection, Dice& dice) const;
  void add(std::string_view collection, const ObjectId& id);
  void remove(std::string_view collection, const ObjectId& id);

 private:
  std::map<std::string, std::vector<ObjectId>, std::less<>> ids_;
};

}  // namespace holdfast::smokava
