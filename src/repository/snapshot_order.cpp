#include <map>
#include <queue>
#include <set>
#include <tuple>

#include "repository/snapshot_catalog.h"

namespace holdfast::repository {
namespace {

/// A snapshot, or a removed one that still stands in the chain.
struct Node {
  WallTime time;
  std::size_t snapshot;  ///< Index, or `removed`.
  std::vector<std::size_t> successors;
  std::size_t waits_for = 0;
};
constexpr auto removed = static_cast<std::size_t>(-1);

}  // namespace

void sort_by_age(std::vector<CatalogEntry>& snapshots,
                 const std::vector<SnapshotTombstone>& tombstones) {
  std::vector<Node> nodes;
  std::vector<const std::vector<std::string>*> predecessors;
  std::map<std::string, std::size_t> by_id;
  for (std::size_t at = 0; at < snapshots.size(); ++at) {
    const SnapshotSummary& summary = snapshots[at].summary;
    by_id.emplace(summary.id, nodes.size());
    nodes.push_back({summary.finished, at, {}, 0});
    predecessors.push_back(&summary.predecessors);
  }
  for (const SnapshotTombstone& tombstone : tombstones) {
    by_id.emplace(tombstone.id, nodes.size());
    nodes.push_back({WallTime::min(), removed, {}, 0});
    predecessors.push_back(&tombstone.predecessors);
  }
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    for (const std::string& predecessor : *predecessors[at]) {
      const auto found = by_id.find(predecessor);
      if (found == by_id.end() || found->second == at) continue;
      nodes[found->second].successors.push_back(at);
      ++nodes[at].waits_for;
    }
  }

  const auto later = [&nodes](std::size_t a, std::size_t b) {
    return std::tie(nodes[a].time, a) > std::tie(nodes[b].time, b);
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> ready(later);
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    if (nodes[at].waits_for == 0) ready.push(at);
  }
  std::vector<CatalogEntry> sorted;
  std::set<std::size_t> taken;
  while (!ready.empty()) {
    const std::size_t at = ready.top();
    ready.pop();
    if (nodes[at].snapshot != removed) {
      taken.insert(nodes[at].snapshot);
      sorted.push_back(snapshots[nodes[at].snapshot]);
    }
    for (const std::size_t successor : nodes[at].successors) {
      if (--nodes[successor].waits_for == 0) ready.push(successor);
    }
  }
  // A ring of predecessors is impossible unless somebody forged it; then nothing is left out.
  for (std::size_t at = 0; at < snapshots.size(); ++at) {
    if (!taken.contains(at)) sorted.push_back(snapshots[at]);
  }
  snapshots = std::move(sorted);
}

}  // namespace holdfast::repository
