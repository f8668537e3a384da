#pragma once

#include <cstdint>

#include "smokava/node_values.h"
#include "smokava/world.h"

/// Documents about what is on offer: `restaurants` and `packages`.
namespace holdfast::smokava {

void make_restaurant(const World& world, std::uint64_t restaurant, Documents& out);
void make_package(const World& world, std::uint64_t offer, Documents& out);

}  // namespace holdfast::smokava
