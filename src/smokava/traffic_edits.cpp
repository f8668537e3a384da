#include "smokava/traffic_edits.h"

#include <fmt/format.h>

#include <cassert>
#include <string>

#include "bson/extended_json.h"
#include "smokava/persian_texts.h"

namespace holdfast::smokava {
namespace {

constexpr Edit edit_list[] = {
    // userpackages: redemptions above all
    {"redeem", "userpackages", 14,
     R"({"update": {"$inc": {"remainingCount": -1, "__v": 1}, "$push": {"history":
         {"restaurant": <restaurant>, "count": 1, "flavor": <flavor>, "consumedAt": <now>,
          "redeemLogId": <id>}}}})"},
    {"redeem-slice", "userpackages", 4,
     R"({"update": {"$push": {"history": {"$each": [
         {"restaurant": <restaurant>, "count": <small>, "flavor": <flavor>, "consumedAt": <now>},
         {"restaurant": <restaurant>, "count": 1, "flavor": <flavor>, "consumedAt": <now>}],
         "$slice": -20}}}})"},
    {"push-front", "userpackages", 2,
     R"({"update": {"$push": {"history": {"$each": [{"count": <small>, "flavor": <flavor>}],
         "$position": 0}}}})"},
    {"pop", "userpackages", 2, R"({"update": {"$pop": {"history": 1}}})"},
    {"pop-front", "userpackages", 1, R"({"update": {"$pop": {"history": -1}}})"},
    {"array-filter", "userpackages", 6,
     R"({"update": {"$inc": {"restaurantAllocations.$[part].remainingCount": -1}},
         "arrayFilters": [{"part.remainingCount": {"$gte": 1}}]})"},
    {"positional", "userpackages", 5,
     R"({"where": {"history.count": 1}, "update": {"$set": {"history.$.flavor": <flavor>}}})"},
    {"every-element", "userpackages", 2, R"({"update": {"$set": {"history.$[].checked": true}}})"},
    {"element", "userpackages", 3,
     R"({"where": {"history.0": {"$exists": true}},
         "update": {"$set": {"history.0.flavor": <flavor>, "history.0.note": <comment>}}})"},
    {"pull-matching", "userpackages", 2,
     R"({"update": {"$pull": {"history": {"count": {"$gte": 3}}}}})"},
    {"set", "userpackages", 6,
     R"({"update": {"$set": {"status": "expired", "expiresAt": <now>}}})"},
    {"pipeline", "userpackages", 6,
     R"({"update": [{"$set": {"remainingCount": {"$max": [0,
         {"$subtract": ["$remainingCount", 1]}]}, "touchedAt": <now>}}]})"},
    {"pipeline-unset", "userpackages", 2, R"({"update": [{"$unset": ["touchedAt"]}]})"},
    {"new-fields", "userpackages", 3,
     R"({"update": {"$set": {"zone": <code>, "audit.by": <admin>, "audit.at": <now>,
         "audit.reason": <reason>, "approved": true}}})"},
    {"unset", "userpackages", 3, R"({"update": {"$unset": {"audit": "", "zone": ""}}})"},
    // users: one-time codes, profiles, followers
    {"code", "users", 10, R"({"update": {"$set": {"otpCode": <code>, "otpExpiresAt": <soon>}}})"},
    {"redeem-code", "users", 6,
     R"({"update": {"$set": {"consumptionOtp": <code>, "consumptionOtpExpiresAt": <soon>,
         "consumptionOtpRestaurant": <restaurant>, "consumptionOtpCount": <small>,
         "consumptionOtpUsed": false}}})"},
    {"unset", "users", 5,
     R"({"update": {"$unset": {"consumptionOtp": "", "consumptionOtpExpiresAt": "",
         "consumptionOtpRestaurant": "", "consumptionOtpCount": ""},
         "$set": {"consumptionOtpUsed": true}}})"},
    {"follow", "users", 5,
     R"({"update": {"$addToSet": {"following": <user>}, "$inc": {"__v": 1}}})"},
    {"followed", "users", 4,
     R"({"update": {"$addToSet": {"followers": {"$each": [<user>, <user>]}}}})"},
    {"unfollow", "users", 2, R"({"update": {"$pull": {"following": <user>}}})"},
    {"unfollow-first", "users", 2, R"({"update": {"$pop": {"followers": -1}}})"},
    {"rename-field", "users", 1, R"({"update": {"$rename": {"bio": "about"}}})"},
    {"nested", "users", 4,
     R"({"update": {"$set": {"settings.notify.push": true, "settings.notify.hours": <small>,
         "settings.language": "fa", "seenAt": <now>}}})"},
    {"nested-unset", "users", 1, R"({"update": {"$unset": {"settings.notify": ""}}})"},
    {"extremes", "users", 2,
     R"({"update": {"$max": {"seenAt": <now>}, "$min": {"__v": <small>}}})"},
    {"server-date", "users", 2, R"({"update": {"$currentDate": {"seenAt": true}}})"},
    // posts
    {"like", "posts", 6, R"({"update": {"$push": {"likes": {"user": <user>, "likedAt": <now>}}}})"},
    {"comment", "posts", 5,
     R"({"update": {"$push": {"comments": {"user": <user>, "text": <comment>,
         "commentedAt": <now>, "deletedAt": null, "deletedBy": null, "_id": <id>}},
         "$inc": {"__v": 1}}})"},
    {"delete-comment", "posts", 3,
     R"({"where": {"comments.deletedAt": null, "comments.0": {"$exists": true}},
         "update": {"$set": {"comments.$[c].deletedAt": <now>,
             "comments.$[c].deletedBy": <admin>}},
         "arrayFilters": [{"c.deletedAt": null}]})"},
    {"soft-delete", "posts", 2,
     R"({"update": {"$set": {"deletedAt": <now>, "deletedBy": <admin>, "published": false}}})"},
    {"newest-first", "posts", 1,
     R"({"update": {"$push": {"likes": {"$each": [], "$sort": {"likedAt": -1}}}}})"},
    {"caption", "posts", 2, R"({"update": [{"$set": {"caption":
         {"$concat": ["$caption", " ", <comment>]}, "edits": {"count":
         {"$add": [{"$ifNull": ["$edits.count", 0]}, 1]}, "at": <now>}}}]})"},
    // money
    {"complete", "transactions", 5,
     R"({"update": {"$set": {"status": "completed", "completedAt": <now>,
         "transactionId": <code>}}})"},
    {"refund", "transactions", 1,
     R"({"update": {"$set": {"status": "refunded", "refund.at": <now>, "refund.by": <admin>}}})"},
    {"credit", "restaurantpayments", 6,
     R"({"update": {"$inc": {"shishaDebt": -1, "shishaCredit": 1},
         "$set": {"updatedAt": <now>}}})"},
    {"pay", "restaurantpayments", 4,
     R"({"update": {"$set": {"status": "paid", "paidAt": <now>, "paymentReference": <code>,
         "updatedAt": <now>}}})"},
    {"multiply", "restaurantpayments", 1, R"({"update": {"$mul": {"amount": 1.5}}})"},
    {"unset", "restaurantpayments", 1,
     R"({"update": {"$unset": {"paidAt": "", "paymentReference": ""},
         "$set": {"status": "due"}}})"},
    {"note", "settlements", 2, R"({"update": {"$set": {"document.notes": <comment>}}})"},
    {"settle-line", "settlements", 1,
     R"({"where": {"restaurants.paymentCount": {"$gte": 1}},
         "update": {"$inc": {"restaurants.$.totalShishaProvided": 1},
         "$set": {"updatedAt": <now>}}})"},
    {"settle-payment", "settlements", 1,
     R"({"update": {"$push": {"restaurantPayments": <id>}, "$inc": {"totalPaymentsSettled": 1}}})"},
    // the rest
    {"set", "ratings", 3, R"({"update": {"$set": {"rating": <small>}}})"},
    {"answer", "followrequests", 3, R"({"update": {"$set": {"status": "accepted"}}})"},
    {"nested", "moderationlogs", 1,
     R"({"update": {"$set": {"metadata.review": {"by": <admin>, "at": <now>}}}})"},
    {"assign", "userroles", 1,
     R"({"update": {"$set": {"assignedBy": <admin>, "assignedAt": <now>}}})"},
    {"coordinates", "restaurants", 1,
     R"({"update": {"$inc": {"location.coordinates.0": 0.0001}, "$set": {"active": true}}})"},
    {"bits", "restaurants", 1, R"({"update": {"$bit": {"__v": {"xor": 5}}}})"},
    {"price", "packages", 1,
     R"({"update": {"$set": {"price": <big>, "badge": "special"}, "$inc": {"__v": 1}}})"},
    {"window", "packages", 1,
     R"({"update": {"$push": {"timeWindows": {"$each": [{"start": "18:30", "end": "23:30",
         "timezone": "Asia/Tehran"}], "$slice": 4}}}})"},
    {"set", "admins", 1, R"({"update": {"$set": {"lastLoginAt": <now>}}})"},
    {"set", "roles", 1, R"({"update": {"$set": {"description": <comment>}}})"},
};

constexpr unsigned total_weight = [] {
  unsigned sum = 0;
  for (const auto& edit : edit_list) sum += edit.weight;
  return sum;
}();

std::string json_id(const ObjectId* id) {
  return id == nullptr ? std::string("null") : fmt::format(R"({{"$oid": "{}"}})", to_hex(*id));
}

std::string json_date(std::int64_t milliseconds) {
  return fmt::format(R"({{"$date": {{"$numberLong": "{}"}}}})", milliseconds);
}

std::string json_text(std::string_view text) { return fmt::format(R"("{}")", text); }

std::string value_of(std::string_view word, Dice& dice, const TrafficTargets& everybody,
                     std::int64_t now_ms) {
  if (word == "user") return json_id(everybody.pick("users", dice));
  if (word == "restaurant") return json_id(everybody.pick("restaurants", dice));
  if (word == "admin") return json_id(everybody.pick("admins", dice));
  if (word == "package") return json_id(everybody.pick("packages", dice));
  if (word == "id") {
    ObjectId id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(dice.next());
    return json_id(&id);
  }
  if (word == "now") return json_date(now_ms);
  if (word == "soon") return json_date(now_ms + 120'000);
  if (word == "flavor") return json_text(dice.pick(texts::flavors()));
  if (word == "comment") return json_text(dice.pick(texts::comments()));
  if (word == "reason") return json_text(dice.pick(texts::moderation_reasons()));
  if (word == "code") return json_text(fmt::format("{:06}", dice.below(1'000'000)));
  if (word == "small") return std::to_string(1 + dice.below(3));
  assert(word == "big");
  return std::to_string((1 + dice.below(1000)) * 10'000);
}

}  // namespace

std::span<const Edit> edits() { return edit_list; }

const Edit& pick_edit(Dice& dice) {
  auto luck = static_cast<unsigned>(dice.below(total_weight));
  for (const auto& edit : edit_list) {
    if (luck < edit.weight) return edit;
    luck -= edit.weight;
  }
  return edit_list[0];
}

bson::Document fill_in(std::string_view text, Dice& dice, const TrafficTargets& everybody,
                       std::int64_t now_ms) {
  std::string json;
  while (!text.empty()) {
    const auto open = text.find('<');
    json += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = text.find('>', open);
    json += value_of(text.substr(open + 1, close - open - 1), dice, everybody, now_ms);
    text.remove_prefix(close + 1);
  }
  auto document = bson::from_json(json);
  assert(document.ok() && "the texts of this file are JSON");
  return std::move(document).value();
}

}  // namespace holdfast::smokava
