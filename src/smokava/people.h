#pragma once

#include <cstdint>

#include "smokava/node_values.h"
#include "smokava/world.h"

/// Documents about people. Each function appends what one unit makes: all of a user's roles, or
/// all the follow requests that a user sent.
namespace holdfast::smokava {

void make_admin(const World& world, std::uint64_t admin, Documents& out);
void make_user(const World& world, std::uint64_t user, Documents& out);
/// Units 0 … 2.
void make_role(const World& world, std::uint64_t role, Documents& out);
void make_user_roles(const World& world, std::uint64_t user, Documents& out);
void make_follow_requests(const World& world, std::uint64_t user, Documents& out);

}  // namespace holdfast::smokava
