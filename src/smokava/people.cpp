#include "smokava/people.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "smokava/dice.h"
#include "smokava/persian_texts.h"

namespace holdfast::smokava {
namespace {

enum RoleNumber : std::uint64_t { role_user, role_operator, role_admin };
constexpr std::array<std::string_view, 3> role_names = {"user", "operator", "admin"};
constexpr std::uint64_t slots_of_requests = 32;

/// A number below `digits` that no other index gets: multiplying by an odd number that is no
/// multiple of 5 turns the residues of a power of ten around.
constexpr std::uint64_t unique_digits(std::uint64_t index, std::uint64_t factor,
                                      std::uint64_t shift, std::uint64_t digits) {
  return (index * factor + shift) % digits;
}

bool is_private(const World& world, std::uint64_t user) {
  return hash_of(world.seed(), Topic::user, ~user) % 1000 < 130;
}

std::string bcrypt_like(Dice& dice) {
  static constexpr std::string_view letters =
      "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string hash = "$2b$10$";
  while (hash.size() < 60) hash += letters[dice.below(letters.size())];
  return hash;
}

/// A moment between the two, none of them after now.
std::int64_t moment_between(Dice& dice, std::int64_t from_ms, std::int64_t to_ms) {
  if (to_ms <= from_ms) return from_ms;
  return from_ms +
         static_cast<std::int64_t>(multiply_divide(
             dice.next() >> 1U, static_cast<std::uint64_t>(to_ms - from_ms), 1ULL << 63U));
}

void append_names(bson::Builder& out, Dice& dice, const World& world, std::uint64_t user) {
  const auto& first = dice.pick(texts::first_names());
  const auto& last = dice.pick(texts::last_names());
  const auto number = unique_digits(user, 7'919, world.seed() % 9'973, 100'000'000);
  if (dice.chance(560)) {
    static constexpr std::string_view separators[] = {"_", ".", "", "_"};
    const auto separator = dice.pick(separators);
    const auto second = dice.chance(500) ? last.latin : std::string_view();
    out.append_string("username", fmt::format("{}{}{}{}", first.latin, separator, second, number));
  }
  const bool latin = dice.chance(60);
  out.append_string("firstName", latin ? first.latin : first.fa);
  out.append_string("lastName", latin ? last.latin : last.fa);
  if (dice.chance(380)) {
    out.append_string("photoUrl",
                      fmt::format("https://api.smokava.ir/uploads/profiles/{}-{:09}.jpg",
                                  world.user_created_ms(user), dice.below(1'000'000'000)));
  }
  if (dice.chance(260)) out.append_string("bio", dice.pick(texts::biographies()));
  out.append_string("name", fmt::format("{} {}", first.fa, last.fa));
  if (dice.chance(150)) {
    out.append_string("avatar", fmt::format("/avatars/default-{}.png", dice.below(24) + 1));
  }
}

void append_codes(bson::Builder& out, Dice& dice, const World& world, std::int64_t created_ms) {
  constexpr std::int64_t code_lifetime_ms = 120'000;
  const auto latest_ms = world.now_ms() - code_lifetime_ms;
  if (dice.chance(700)) {
    out.append_string("otpCode", fmt::format("{:05}", dice.below(100'000)));
    out.append_date("otpExpiresAt", moment_between(dice, created_ms, latest_ms) + code_lifetime_ms);
  }
  if (dice.chance(450)) {
    const auto moment_ms = moment_between(dice, created_ms, latest_ms);
    const auto open = world.restaurants_before(moment_ms / 1000);
    out.append_string("consumptionOtp", fmt::format("{:06}", dice.below(1'000'000)));
    out.append_date("consumptionOtpExpiresAt", moment_ms + code_lifetime_ms);
    out.append_object_id("consumptionOtpRestaurant", world.restaurants()[dice.below(open)].id);
    append_number(out, "consumptionOtpCount", dice.between(1, 3));
    out.append_bool("consumptionOtpUsed", !dice.chance(120));
  }
}

void append_users(bson::Builder& out, std::string_view name, const World& world,
                  const std::vector<std::uint64_t>& users) {
  out.begin_array(name);
  for (std::size_t i = 0; i < users.size(); ++i) {
    out.append_object_id(index_name(i), world.user_id(users[i]));
  }
  out.end();
}

}  // namespace

void make_admin(const World& world, std::uint64_t admin, Documents& out) {
  Dice dice(world.seed(), Topic::admin, ~admin);
  bson::Builder document;
  document.append_object_id("_id", world.admin_id(admin));
  document.append_string("username", world.admin_name(admin));
  document.append_string("password", bcrypt_like(dice));
  document.append_date("createdAt", world.admin_created_ms(admin));
  document.append_int32("__v", 0);
  out.push_back(std::move(document).finish());
}

void make_user(const World& world, std::uint64_t user, Documents& out) {
  Dice dice(world.seed(), Topic::user, user);
  const auto created_ms = world.user_created_ms(user);
  const auto restaurant = world.operated_by(user);
  bson::Builder document;
  document.append_object_id("_id", world.user_id(user));
  // Mobile numbers of Tehran's three operators: 091…, 090…, 093….
  static constexpr std::string_view prefixes[] = {"091", "091", "090", "093"};
  document.append_string(
      "phoneNumber",
      fmt::format("{}{:08}", dice.pick(prefixes),
                  unique_digits(user, 48'271'607, world.seed() % 99'991, 100'000'000)));
  if (dice.chance(310)) {
    // Telegram's newer numbers are beyond 32 bits.
    const auto number = 70'000'000 + user * 17 + dice.below(17);
    append_number(document, "telegramId",
                  static_cast<std::int64_t>(user % 3 == 0 ? number + 5'000'000'000 : number));
  }
  append_names(document, dice, world, user);
  append_codes(document, dice, world, created_ms);
  append_users(document, "following", world, world.follows().following(user));
  append_users(document, "followers", world, world.follows().followers(user));
  document.append_bool("isPrivate", is_private(world, user));
  document.append_string("role", user < founders ? "admin"
                                 : restaurant    ? "restaurant_operator"
                                                 : "user");
  if (restaurant) {
    document.append_object_id("assignedRestaurant", world.restaurants()[*restaurant].id);
  }
  document.append_date("createdAt", created_ms);
  append_number(document, "__v", dice.between(0, 12));
  out.push_back(std::move(document).finish());
}

void make_role(const World& world, std::uint64_t role, Documents& out) {
  bson::Builder document;
  document.append_object_id("_id",
                            world.ids().make(IdKind::role, role, world.calendar().start_second()));
  document.append_string("name", role_names.at(role));
  document.append_int32("__v", 0);
  out.push_back(std::move(document).finish());
}

void make_user_roles(const World& world, std::uint64_t user, Documents& out) {
  const auto created_ms = world.user_created_ms(user);
  const auto restaurant = world.operated_by(user);
  const auto add = [&](std::uint64_t role) {
    bson::Builder document;
    const auto second = created_ms / 1000;
    document.append_object_id("_id", world.ids().make(IdKind::user, user, second, 1 + role));
    document.append_object_id("userId", world.user_id(user));
    document.append_object_id(
        "roleId", world.ids().make(IdKind::role, role, world.calendar().start_second()));
    if (role == role_operator) {
      document.begin_document("scope");
      document.append_object_id("restaurantId", world.restaurants()[*restaurant].id);
      document.end();
    }
    if (role != role_user) document.append_object_id("assignedBy", world.admin_id(0));
    document.append_date("assignedAt", created_ms);
    document.append_int32("__v", 0);
    out.push_back(std::move(document).finish());
  };
  add(role_user);
  if (restaurant) add(role_operator);
  if (user < founders) add(role_admin);
}

void make_follow_requests(const World& world, std::uint64_t user, Documents& out) {
  Dice dice(world.seed(), Topic::follow_request, user);
  std::uint64_t slot = 0;
  const auto add = [&](std::uint64_t target, std::string_view status) {
    const auto both_ms = std::max(world.user_created_ms(user), world.user_created_ms(target));
    const auto latest_ms = std::min(world.now_ms(), both_ms + 90 * day_ms);
    const auto second = moment_between(dice, both_ms, latest_ms) / 1000;
    bson::Builder document;
    document.append_object_id(
        "_id", world.ids().make(IdKind::follow_request, user * slots_of_requests + slot++, second));
    document.append_object_id("requesterId", world.user_id(user));
    document.append_object_id("targetUserId", world.user_id(target));
    document.append_string("status", status);
    document.append_int32("__v", 0);
    out.push_back(std::move(document).finish());
  };
  for (const auto target : world.follows().following(user)) {
    if (is_private(world, target) && dice.chance(900)) add(target, "accepted");
  }
  for (const auto target : world.follows().strangers(user)) {
    if (is_private(world, target) && dice.chance(350)) {
      add(target, dice.chance(400) ? "rejected" : "pending");
    }
  }
}

}  // namespace holdfast::smokava
