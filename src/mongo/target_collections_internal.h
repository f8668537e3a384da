#pragma once

#include <map>
#include <mutex>

#include "dataset/types.h"
#include "mongo/client.h"

namespace holdfast::mongo {

/// What a writer must know about the collections it writes to, asked for once each. Thread-safe.
class TargetCollections {
 public:
  explicit TargetCollections(Client& client) : client_(client) {}

  struct Traits {
    bool exists = false;
    bool collated = false;  ///< has a default collation other than the simple one
    bool timeseries = false;
  };
  [[nodiscard]] Result<Traits> traits_of(const Namespace& ns);
  void forget(const Namespace& ns);

 private:
  Client& client_;
  std::mutex mutex_;
  std::map<Namespace, Traits> known_;
};

}  // namespace holdfast::mongo
