#include "smokava/traffic_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "bson/builder.h"
#include "smokava/persian_texts.h"

namespace holdfast::smokava {
namespace {

constexpr std::array<std::string_view, 9> moving_collections = {
    "users",   "userroles", "followrequests", "userpackages", "transactions", "restaurantpayments",
    "ratings", "posts",     "moderationlogs"};

constexpr std::array<std::string_view, 20> kept_fields = {
    "_id",         "phoneNumber",  "username",    "telegramId", "settlementNumber",
    "name",        "userId",       "roleId",      "scope",      "redeemLogId",
    "requesterId", "targetUserId", "location",    "history",    "restaurantAllocations",
    "following",   "followers",    "restaurants", "likes",      "comments"};

bool contains(std::span<const std::string_view> list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

ObjectId random_id(Dice& dice) {
  ObjectId id;
  for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(dice.next());
  return id;
}

}  // namespace

bool may_come_and_go(std::string_view collection) {
  return contains(moving_collections, collection);
}

bson::Document clone_with_id(bson::DocumentView pattern, const ObjectId& id, Dice& dice) {
  bson::Builder out;
  out.append_object_id("_id", id);
  for (const auto& [name, value] : pattern) {
    if (name == "_id" || name == "username" || name == "telegramId") continue;
    if (name == "phoneNumber") {
      out.append_string(name, fmt::format("099{:016x}", dice.next()));
    } else if (name == "redeemLogId" || name == "userId" || name == "requesterId") {
      out.append_object_id(name, random_id(dice));
    } else {
      out.append(name, value);
    }
  }
  return std::move(out).finish();
}

bson::Document rearranged(bson::DocumentView document, Dice& dice, std::int64_t now_ms) {
  std::vector<bson::Element> elements;
  std::vector<std::size_t> loose;
  for (const auto& element : document) {
    if (element.name == "note" || element.name == "noteAt") continue;
    if (!contains(kept_fields, element.name)) loose.push_back(elements.size());
    elements.push_back(element);
  }
  std::optional<std::size_t> dropped;
  if (loose.size() > 2 && dice.chance(500)) dropped = loose[dice.below(loose.size())];
  if (loose.size() > 2) {
    const auto one = loose[dice.below(loose.size())];
    const auto other = loose[dice.below(loose.size())];
    std::swap(elements[one], elements[other]);
  }
  bson::Builder out;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (i != dropped) out.append(elements[i].name, elements[i].value);
  }
  out.append_string("note", dice.pick(texts::comments()));
  out.append_date("noteAt", now_ms);
  return std::move(out).finish();
}

}  // namespace holdfast::smokava
