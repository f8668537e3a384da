#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bson/update_description.h"
#include "dataset/types.h"
#include "repository/segment.h"

namespace holdfast::changelog {

/// A document that a scan found otherwise than a parent and the log say.
struct Difference {
  bson::Value key;
  enum class Verdict {
    open,        ///< No event of the scan's own window touched it.
    explained,   ///< Its events account for it: both ways lead to the same document.
    order_only,  ///< Both ways lead to the same values, with their fields in another order.
    unexplained,
  };
  Verdict verdict = Verdict::open;
};

/// Compares what a scan found with what a parent and the log say;
/// docs/decisions/0008-parents-and-audits.md.
struct CollectionAudit {
  /// What the documents should be, before the events of the scan's own window.
  std::vector<repository::Layer> expected;
  std::vector<Difference> different;  ///< Ascending.
  std::uint64_t not_kept = 0;         ///< Differences beyond what `different` may hold.
};

/// A collection of which documents are held, in the layers of a parent and those written so far.
struct HeldCollection {
  CollectionInfo info;
  std::vector<repository::Layer> layers;
  Fingerprint fingerprint;
  std::uint64_t document_bytes = 0;
  /// Strict: the layers hold exactly the state before the events to come. Fuzzy: they may hold
  /// some of them already.
  bson::UpdateFit fit = bson::UpdateFit::fuzzy;
  std::optional<CollectionAudit> audit;
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

}  // namespace holdfast::changelog
