#pragma once

#include <cstdint>

#include "smokava/node_values.h"
#include "smokava/world.h"

/// Documents that follow from purchases; each function appends what one purchase makes.
namespace holdfast::smokava {

void make_userpackage(const World& world, std::uint64_t purchase, Documents& out);
void make_transactions(const World& world, std::uint64_t purchase, Documents& out);
void make_restaurant_payments(const World& world, std::uint64_t purchase, Documents& out);
void make_ratings(const World& world, std::uint64_t purchase, Documents& out);
/// Unit: a settlement run. Plans all the purchases that it settles once more.
void make_settlement(const World& world, std::uint64_t settlement, Documents& out);

}  // namespace holdfast::smokava
