#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "smokava/node_values.h"
#include "smokava/world.h"

namespace holdfast::smokava {

/// How one collection is made: unit by unit, each on its own, so that several threads can share
/// a collection and the order of the units is the order of the documents.
struct CollectionMaker {
  std::string_view name;
  std::uint64_t (*units)(const World& world);
  void (*make)(const World& world, std::uint64_t unit, Documents& out);
};

/// The fourteen, in the order in which `seed` fills them.
[[nodiscard]] std::span<const CollectionMaker> collection_makers();

/// usage, if a number is out of bounds.
[[nodiscard]] Status check(const SeedOptions& options);

}  // namespace holdfast::smokava
