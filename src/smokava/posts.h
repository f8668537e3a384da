#pragma once

#include <cstdint>

#include "smokava/node_values.h"
#include "smokava/world.h"

/// Documents of `posts`, and the `moderationlogs` that a post and its comments gave reason for.
namespace holdfast::smokava {

void make_post(const World& world, std::uint64_t post, Documents& out);
void make_moderation_logs(const World& world, std::uint64_t post, Documents& out);

}  // namespace holdfast::smokava
