#include "smokava/purchase_documents.h"

#include <fmt/format.h>

#include <algorithm>

#include "smokava/dice.h"
#include "smokava/persian_texts.h"
#include "smokava/purchase.h"

namespace holdfast::smokava {
namespace {

constexpr std::uint64_t rated_per_thousand = 120;

std::string_view name_of(PurchaseStatus status) {
  switch (status) {
    case PurchaseStatus::active: return "active";
    case PurchaseStatus::expired: return "expired";
    case PurchaseStatus::pending: break;
  }
  return "pending";
}

std::string_view name_of(Charge charge) {
  switch (charge) {
    case Charge::completed: return "completed";
    case Charge::failed: return "failed";
    case Charge::refunded: return "refunded";
    case Charge::none:
    case Charge::pending: break;
  }
  return "pending";
}

void append_allocations(bson::Builder& out, const World& world, const Purchase& purchase) {
  out.begin_array("restaurantAllocations");
  const auto parts = purchase.allocations();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    out.begin_document(index_name(i));
    out.append_object_id("restaurant", world.restaurants()[parts[i].restaurant].id);
    out.append_int32("totalCount", parts[i].total);
    out.append_int32("remainingCount", parts[i].remaining);
    out.end();
  }
  out.end();
}

void append_history(bson::Builder& out, const World& world, const Purchase& purchase) {
  const auto flavors = texts::flavors();
  out.begin_array("history");
  const auto visits = purchase.visits();
  for (std::size_t i = 0; i < visits.size(); ++i) {
    const auto& visit = visits[i];
    out.begin_document(index_name(i));
    out.append_object_id("restaurant", world.restaurants()[visit.restaurant].id);
    out.append_int32("count", visit.count);
    out.append_string("flavor", flavors[visit.flavor]);
    out.append_date("consumedAt", visit.at_ms);
    out.append_object_id("redeemLogId", visit.log);
    out.end();
  }
  out.end();
}

/// What one settlement run adds up.
struct SettlementTotals {
  struct Line {
    std::int64_t amount = 0;
    std::int64_t servings = 0;
    std::int32_t payments = 0;
  };
  std::vector<Line> restaurants;
  Line all;
  std::vector<ObjectId> payments;
};

SettlementTotals add_up(const World& world, const SettlementRun& run, std::int64_t date_ms) {
  SettlementTotals totals;
  totals.restaurants.resize(world.restaurants().size());
  for (auto i = run.first_purchase; i < run.end_purchase; ++i) {
    const auto purchase = plan_purchase(world, i);
    const auto payments = payments_of(world, purchase);
    for (const auto& payment : payments.all()) {
      if (payment.cancelled) continue;
      const auto servings = redeemed_at(purchase, payment.restaurant, date_ms);
      for (auto* line : {&totals.restaurants[payment.restaurant], &totals.all}) {
        line->amount += payment.amount;
        line->servings += servings;
        ++line->payments;
      }
      totals.payments.push_back(payment.id);
    }
  }
  return totals;
}

void append_settled_restaurants(bson::Builder& out, const World& world,
                                const SettlementTotals& totals) {
  out.begin_array("restaurants");
  std::size_t lines = 0;
  for (std::size_t i = 0; i < totals.restaurants.size(); ++i) {
    const auto& line = totals.restaurants[i];
    if (line.payments == 0) continue;
    out.begin_document(index_name(lines++));
    out.append_object_id("restaurant", world.restaurants()[i].id);
    out.append_string("restaurantName", world.restaurants()[i].name_fa);
    append_number(out, "totalAmount", line.amount);
    append_number(out, "totalShishaProvided", line.servings);
    append_number(out, "paymentCount", line.payments);
    out.end();
  }
  out.end();
}

}  // namespace

void make_userpackage(const World& world, std::uint64_t index, Documents& out) {
  const auto purchase = plan_purchase(world, index);
  bson::Builder document;
  document.append_object_id("_id", world.purchase_id(index));
  document.append_object_id("user", world.user_id(purchase.user));
  if (!purchase.gift()) document.append_object_id("package", purchase.offer->id);
  document.append_bool("isGift", purchase.gift());
  if (purchase.gift()) {
    document.append_object_id("giftFromRestaurantId",
                              world.restaurants()[purchase.gift_restaurant].id);
    document.append_object_id("operatorId", world.user_id(purchase.gift_operator));
  }
  document.append_int32("totalCount", purchase.total);
  document.append_int32("remainingCount", purchase.remaining);
  append_allocations(document, world, purchase);
  document.append_date("purchasedAt", purchase.purchased_ms);
  document.append_string("status", name_of(purchase.status));
  if (purchase.expires_ms) {
    document.append_date("expiresAt", *purchase.expires_ms);
  } else {
    document.append_null("expiresAt");
  }
  append_history(document, world, purchase);
  // Mongoose counts up when an array is changed in place: here by redemptions from bundles.
  document.append_int32("__v", purchase.allocations().empty()
                                   ? 0
                                   : static_cast<std::int32_t>(purchase.visits().size()));
  out.push_back(std::move(document).finish());
}

void make_transactions(const World& world, std::uint64_t index, Documents& out) {
  const auto purchase = plan_purchase(world, index);
  if (purchase.charge == Charge::none) return;
  Dice dice(world.seed(), Topic::transaction, index);
  bson::Builder document;
  document.append_object_id("_id", transaction_id_of(world, purchase));
  document.append_object_id("user", world.user_id(purchase.user));
  document.append_object_id("userPackage", world.purchase_id(index));
  document.append_object_id("package", purchase.offer->id);
  append_number(document, "amount", purchase.offer->price);
  document.append_string("currency", "IRR");
  document.append_string("status", name_of(purchase.charge));
  const bool answered = purchase.charge == Charge::completed || purchase.charge == Charge::refunded;
  if (answered || dice.chance(400)) {
    // Zarinpal's authority: the multiplier turns the ten digits around, one to one.
    document.append_string("transactionId", fmt::format("A{:025}{:010}", world.seed() % 1'000'000,
                                                        index * 48'271'607 % 10'000'000'000));
  } else {
    document.append_null("transactionId");
  }
  document.append_string("paymentGateway", dice.chance(850) ? "zarinpal" : "idpay");
  document.append_date("createdAt", purchase.ordered_ms);
  if (answered) document.append_date("completedAt", purchase.charged_ms);
  document.append_int32("__v", 0);
  out.push_back(std::move(document).finish());
}

void make_restaurant_payments(const World& world, std::uint64_t index, Documents& out) {
  const auto purchase = plan_purchase(world, index);
  const auto payments = payments_of(world, purchase);
  for (const auto& payment : payments.all()) {
    const auto credit = redeemed_at(purchase, payment.restaurant, world.now_ms());
    auto updated_ms = purchase.charged_ms;
    for (const auto& visit : purchase.visits()) {
      if (visit.restaurant == payment.restaurant) updated_ms = std::max(updated_ms, visit.at_ms);
    }
    bson::Builder document;
    document.append_object_id("_id", payment.id);
    document.append_object_id("restaurant", world.restaurants()[payment.restaurant].id);
    document.append_object_id("userPackage", world.purchase_id(index));
    document.append_object_id("transaction", transaction_id_of(world, purchase));
    append_number(document, "amount", payment.amount);
    document.append_int32("commissionPercentage", payment.commission_percentage);
    document.append_int32("shishaDebt", payment.allocated - credit);
    document.append_int32("shishaCredit", credit);
    if (payment.settlement) {
      const auto paid_ms = settled_ms(world, *payment.settlement);
      updated_ms = std::max(updated_ms, paid_ms);
      document.append_string("status", "paid");
      document.append_date("paidAt", paid_ms);
      document.append_string("paymentReference", settlement_number(world, *payment.settlement));
    } else if (payment.cancelled) {
      document.append_string("status", "cancelled");
    } else {
      const bool held = hash_of(world.seed(), Topic::payment, ~index) % 12 == 0;
      document.append_string("status", held ? "pending" : "due");
    }
    document.append_date("createdAt", purchase.charged_ms);
    document.append_date("updatedAt", updated_ms);
    document.append_int32("__v", 0);
    out.push_back(std::move(document).finish());
  }
}

void make_ratings(const World& world, std::uint64_t index, Documents& out) {
  const auto purchase = plan_purchase(world, index);
  for (const auto& visit : purchase.visits()) {
    if (visit.continuation) continue;
    Dice dice(world.seed(), Topic::rating, visit.number);
    const auto created_ms = visit.at_ms + dice.between(300'000, 10'800'000);
    if (!dice.chance(rated_per_thousand) || created_ms > world.now_ms()) continue;
    static constexpr std::int32_t stars[] = {1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5};
    const auto& restaurant = world.restaurants()[visit.restaurant];
    bson::Builder document;
    document.append_object_id("_id",
                              world.ids().make(IdKind::rating, visit.number, created_ms / 1000));
    document.append_object_id("userId", world.user_id(purchase.user));
    document.append_object_id("restaurantId", restaurant.id);
    if (!restaurant.operators.empty()) {
      document.append_object_id(
          "operatorId",
          world.user_id(restaurant.operators[dice.below(restaurant.operators.size())]));
    }
    document.append_object_id("packageId", world.purchase_id(index));
    document.append_bool("isGift", purchase.gift());
    document.append_int32("rating", dice.pick(stars));
    document.append_object_id("redeemLogId", visit.log);
    document.append_date("createdAt", created_ms);
    document.append_int32("__v", 0);
    out.push_back(std::move(document).finish());
  }
}

void make_settlement(const World& world, std::uint64_t number, Documents& out) {
  const auto& run = world.settlements()[number];
  const auto date_ms = settled_ms(world, number);
  const auto totals = add_up(world, run, date_ms);
  if (totals.payments.empty()) return;
  Dice dice(world.seed(), Topic::settlement, ~number);
  const auto signer = world.sizes().admins > 1 && world.admin_created_ms(1) < date_ms ? 1U : 0U;
  bson::Builder document;
  document.append_object_id("_id", world.ids().make(IdKind::settlement, number, date_ms / 1000));
  document.append_string("settlementNumber", settlement_number(world, number));
  document.append_date("settlementDate", date_ms);
  append_settled_restaurants(document, world, totals);
  append_number(document, "totalAmount", totals.all.amount);
  append_number(document, "totalShishaProvided", totals.all.servings);
  append_number(document, "totalPaymentsSettled", totals.all.payments);
  document.begin_array("restaurantPayments");
  for (std::size_t i = 0; i < totals.payments.size(); ++i) {
    document.append_object_id(index_name(i), totals.payments[i]);
  }
  document.end();
  document.begin_document("document");
  document.append_date("generatedAt", date_ms);
  document.begin_document("generatedBy");
  document.append_object_id("_id", world.admin_id(signer));
  document.append_string("username", world.admin_name(signer));
  document.end();
  document.append_string("notes", dice.chance(200) ? "واریز با شبا؛ رسید پیوست شد." : "");
  document.end();
  document.append_string("status", "completed");
  document.append_date("createdAt", date_ms);
  document.append_date("updatedAt", date_ms);
  document.append_int32("__v", 0);
  out.push_back(std::move(document).finish());
}

}  // namespace holdfast::smokava
