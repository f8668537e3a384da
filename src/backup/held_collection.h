#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dataset/types.h"
#include "repository/segment.h"

namespace holdfast::backup {

/// A collection of which the backup holds documents, in the layers written so far.
struct HeldCollection {
  CollectionInfo info;
  std::vector<repository::Layer> layers;
  Fingerprint fingerprint;
  std::uint64_t document_bytes = 0;
  /// Keys whose documents must be read again before they are exact, because their order of
  /// fields could not be told from events. Ascending after `sort_reread_keys`.
  std::vector<bson::Value> to_reread;
  std::uint64_t order_uncertain = 0;
  /// Why this is no more than best-effort; empty while it is exact.
  std::string best_effort_reason;
  /// Changed in a way that folding cannot follow; it must be scanned again.
  bool stale = false;

  /// Read in natural order and keyed by position: capped collections and time series.
  [[nodiscard]] bool positional() const {
    return info.capped() || info.type == CollectionType::timeseries;
  }
};

/// Sorts `to_reread` and leaves each key once.
void sort_reread_keys(HeldCollection& held);

/// By identity: the collection's UUID, which survives renames.
using HeldCollections = std::map<Uuid, HeldCollection>;

/// The UUID that the server tells; where it tells none (old servers), one made from the name.
[[nodiscard]] Uuid identity_of(const CollectionInfo& info);
[[nodiscard]] Uuid identity_of(const Namespace& ns);

}  // namespace holdfast::backup
