#include "smokava/purchase.h"

#include <fmt/format.h>

#include <algorithm>

#include "smokava/dice.h"
#include "smokava/persian_texts.h"

namespace holdfast::smokava {
namespace {

static_assert(Purchase::most_visits <= visit_numbers_per_purchase);
/// In every `pair_period` purchases, the one at `second_of_pair` may be bought by the guest of the
/// one `pair_distance` earlier, and then one redemption may span both.
constexpr std::uint64_t pair_period = 16;
constexpr std::uint64_t second_of_pair = 9;
constexpr std::uint64_t pair_distance = 7;
static_assert((second_of_pair - pair_distance) % pair_period != second_of_pair);

/// Makes one purchase: who, what, how paid, and every visit until now.
class Planner {
 public:
  Planner(const World& world, std::uint64_t index)
      : world_(world), dice_(world.seed(), Topic::purchase, index) {
    purchase_.index = index;
  }

  Purchase plan() {
    const auto second = world_.purchase_second(purchase_.index);
    purchase_.purchased_ms = second * 1000 + dice_.between(0, 999);
    find_pair();
    choose_guest();
    if (earlier_ || !try_gift(second)) {
      choose_offer(second);
      charge();
    }
    if (purchase_.status == PurchaseStatus::pending) return purchase_;
    activate();
    if (earlier_) continue_last_visit();
    if (!dice_.chance(50)) visit();
    if (earlier_) {
      std::ranges::sort(purchase_.visits(), {}, &Visit::at_ms);
    }
    return purchase_;
  }

 private:
  void find_pair() {
    if (purchase_.index % pair_period != second_of_pair || !dice_.chance(500)) return;
    earlier_ = plan_purchase(world_, purchase_.index - pair_distance);
    if (earlier_->gift() || earlier_->visits().empty()) earlier_.reset();
  }

  void choose_guest() {
    const auto joined = world_.users_at_purchase(purchase_.index);
    if (earlier_) {
      purchase_.user = earlier_->user;
    } else if (dice_.chance(350)) {
      purchase_.user = joined - 1 - dice_.below(joined / 50 + 1);
    } else {
      purchase_.user = dice_.below(joined);
    }
    habit_ = hash_of(world_.seed(), Topic::purchase_owner, purchase_.user);
  }

  bool try_gift(std::int64_t second) {
    if (!dice_.chance(70)) return false;
    const auto at = static_cast<std::uint32_t>(dice_.below(world_.restaurants_before(second)));
    const auto& restaurant = world_.restaurants()[at];
    if (!restaurant.active) return false;
    const auto giver = restaurant.operators[dice_.below(restaurant.operators.size())];
    if (world_.user_created_ms(giver) > purchase_.purchased_ms) return false;
    static constexpr std::int32_t durations[] = {14, 30, 30, 60, 0};
    purchase_.gift_restaurant = at;
    purchase_.gift_operator = giver;
    purchase_.total = static_cast<std::int32_t>(dice_.between(1, 5));
    purchase_.status = PurchaseStatus::active;
    purchase_.charged_ms = purchase_.purchased_ms;
    set_expiry(dice_.pick(durations));
    if (dice_.chance(500)) purchase_.add_allocation({at, purchase_.total, purchase_.total});
    return true;
  }

  void choose_offer(std::int64_t second) {
    const auto on_sale = world_.offers_before(second);
    const auto* offer = earlier_ ? earlier_->offer : nullptr;
    for (int attempt = 0; offer == nullptr && attempt < 4; ++attempt) {
      // Older offers sell better.
      const auto older = dice_.below(on_sale);
      const auto& candidate =
          world_.offers()[older * (dice_.below(on_sale) + on_sale) / (2 * on_sale)];
      if (!candidate.retired_second || *candidate.retired_second > second) offer = &candidate;
    }
    purchase_.offer = offer != nullptr ? offer : &world_.offers()[0];
    purchase_.total = purchase_.offer->count;
  }

  void charge() {
    purchase_.ordered_ms = purchase_.purchased_ms + dice_.between(9, 95);
    const auto answer_ms = purchase_.purchased_ms + dice_.between(20'000, 540'000);
    const auto fate = dice_.below(1000);
    if (fate < 15) return;
    purchase_.charge = Charge::pending;
    if (fate < 28 || answer_ms > world_.now_ms()) return;
    purchase_.charged_ms = answer_ms;
    if (fate < 45) {
      purchase_.charge = Charge::failed;
    } else if (fate < 55 && purchase_.offer->shares.empty()) {
      purchase_.charge = Charge::refunded;
    } else {
      purchase_.charge = Charge::completed;
      purchase_.status = PurchaseStatus::active;
      set_expiry(purchase_.offer->duration_days);
    }
  }

  void set_expiry(std::int32_t days) {
    if (days == 0) return;
    // Tehran keeps one offset: a day there has 86,400 seconds.
    purchase_.expires_ms = purchase_.purchased_ms + days * day_ms;
    if (*purchase_.expires_ms < world_.now_ms()) purchase_.status = PurchaseStatus::expired;
  }

  void activate() {
    purchase_.remaining = purchase_.total;
    if (purchase_.gift()) return;
    for (const auto& share : purchase_.offer->shares) {
      purchase_.add_allocation({share.restaurant, share.count, share.count});
    }
  }

  [[nodiscard]] std::int64_t latest_visit_ms() const {
    return std::min(purchase_.expires_ms.value_or(world_.now_ms()), world_.now_ms());
  }

  Allocation* allocation_at(std::uint32_t restaurant) {
    for (auto& part : purchase_.allocations()) {
      if (part.restaurant == restaurant) return &part;
    }
    return nullptr;
  }

  /// Takes up to `wanted` servings off and adds the entry; false if none are left there.
  bool redeem(Visit visit, std::int32_t wanted) {
    auto* part = allocation_at(visit.restaurant);
    if (part == nullptr && !purchase_.allocations().empty()) return false;
    visit.count = std::min(wanted, part != nullptr ? part->remaining : purchase_.remaining);
    if (visit.count == 0) return false;
    if (part != nullptr) part->remaining -= visit.count;
    purchase_.remaining -= visit.count;
    purchase_.add_visit(visit);
    return true;
  }

  void continue_last_visit() {
    auto visit = earlier_->visits().back();
    if (visit.at_ms < purchase_.charged_ms || visit.at_ms > latest_visit_ms()) return;
    visit.continuation = true;
    redeem(visit, 1);
  }

  std::uint32_t choose_restaurant(std::int64_t second) {
    if (purchase_.gift()) return purchase_.gift_restaurant;
    if (purchase_.offer->single_restaurant) return *purchase_.offer->single_restaurant;
    const auto parts = purchase_.allocations();
    if (!parts.empty()) {
      auto at = dice_.below(parts.size());
      while (parts[at].remaining == 0) at = (at + 1) % parts.size();
      return parts[at].restaurant;
    }
    const auto open = world_.restaurants_before(second);
    auto at = dice_.chance(600) ? (habit_ >> 8U) % open : dice_.below(open);
    while (!world_.restaurants()[at].active) at = (at + 1) % open;
    return static_cast<std::uint32_t>(at);
  }

  /// An evening of the day of `moment_ms`, in this redemption's own second of an hour; if that is
  /// out of bounds the moment's own hour, else nothing.
  std::optional<std::int64_t> visit_time(std::int64_t moment_ms, std::int64_t after_ms,
                                         std::uint64_t number) {
    static constexpr std::int64_t hours[] = {0,  0,  1,  12, 13, 14, 16, 17, 17, 18,
                                             18, 19, 19, 19, 20, 20, 20, 20, 21, 21,
                                             21, 21, 21, 22, 22, 22, 22, 23, 23, 23};
    const auto moment = moment_ms / 1000;
    const auto day = Calendar::day_start(moment);
    const auto hour = dice_.pick(hours);
    const auto within = world_.ids().redemption_second(number);
    const auto ms = dice_.between(0, 999);
    for (const auto begin : {day + hour * 3600, day + (moment - day) / 3600 * 3600}) {
      const auto at_ms = (begin + within) * 1000 + ms;
      if (at_ms > after_ms && at_ms <= latest_visit_ms()) return at_ms;
    }
    return std::nullopt;
  }

  void visit() {
    const auto begin_ms = purchase_.charged_ms;
    const auto span_ms =
        purchase_.expires_ms ? *purchase_.expires_ms - begin_ms : dice_.between(40, 160) * day_ms;
    // An eager guest uses all of it, another forgets a few servings.
    const auto planned = std::clamp<std::int64_t>(
        purchase_.remaining * dice_.between(650, 1500) / 1560, 1, Purchase::most_visits - 1);
    const auto flavors = texts::flavors();
    auto previous_ms = begin_ms;
    for (std::int64_t i = 0; i < planned && purchase_.remaining > 0; ++i) {
      const auto step = (i * 1024 + static_cast<std::int64_t>(dice_.below(1024)));
      const auto moment_ms = begin_ms + span_ms / 1024 * step / planned;
      if (moment_ms > world_.now_ms()) return;
      Visit visit;
      visit.number = purchase_.index * visit_numbers_per_purchase + static_cast<std::uint64_t>(i);
      const auto at_ms = visit_time(moment_ms, previous_ms, visit.number);
      if (!at_ms) continue;
      visit.at_ms = previous_ms = *at_ms;
      visit.restaurant = choose_restaurant(visit.at_ms / 1000);
      visit.flavor = static_cast<std::uint32_t>(dice_.chance(450) ? habit_ % flavors.size()
                                                                  : dice_.below(flavors.size()));
      visit.log = world_.ids().make_redemption(visit.number, visit.at_ms / 1000);
      const auto appetite = dice_.below(100);
      redeem(visit, appetite < 72 ? 1 : appetite < 92 ? 2 : 3);
    }
  }

  const World& world_;
  Dice dice_;
  Purchase purchase_;
  std::optional<Purchase> earlier_;  ///< the first of a pair
  std::uint64_t habit_ = 0;
};

/// Most restaurants have the usual contract.
std::int32_t commission_of(const World& world, std::uint32_t restaurant) {
  const auto luck = hash_of(world.seed(), Topic::payment, restaurant) % 100;
  return luck < 84 ? 20 : luck < 93 ? 15 : 25;
}

}  // namespace

Purchase plan_purchase(const World& world, std::uint64_t index) {
  return Planner(world, index).plan();
}

Payments payments_of(const World& world, const Purchase& purchase) {
  Payments payments;
  if (purchase.gift()) return payments;
  const auto& offer = *purchase.offer;
  const bool cancelled = purchase.charge == Charge::refunded;
  if (!cancelled && purchase.charge != Charge::completed) return payments;
  const auto settlement =
      cancelled ? std::optional<std::size_t>() : world.settlement_of(purchase.index);
  const auto add = [&](std::uint32_t restaurant, std::int32_t allocated) {
    auto& payment = payments.list.at(payments.count);
    payment.id = world.ids().make(IdKind::payment, purchase.index, purchase.charged_ms / 1000,
                                  payments.count);
    payment.restaurant = restaurant;
    payment.allocated = allocated;
    payment.commission_percentage = commission_of(world, restaurant);
    payment.amount =
        (offer.price * allocated * payment.commission_percentage + offer.count * 50LL) /
        (offer.count * 100LL);
    payment.cancelled = cancelled;
    payment.settlement = settlement;
    ++payments.count;
  };
  if (offer.single_restaurant) add(*offer.single_restaurant, offer.count);
  for (const auto& share : offer.shares) add(share.restaurant, share.count);
  return payments;
}

std::int32_t redeemed_at(const Purchase& purchase, std::uint32_t restaurant,
                         std::int64_t until_ms) {
  std::int32_t servings = 0;
  for (const auto& visit : purchase.visits()) {
    if (visit.restaurant == restaurant && visit.at_ms <= until_ms) servings += visit.count;
  }
  return servings;
}

ObjectId transaction_id_of(const World& world, const Purchase& purchase) {
  return world.ids().make(IdKind::purchase, purchase.index, purchase.ordered_ms / 1000, 1);
}

std::int64_t settled_ms(const World& world, std::size_t settlement) {
  Dice dice(world.seed(), Topic::settlement, settlement);
  return (world.settlements()[settlement].cut_second + 7200) * 1000 + dice.between(0, 1'800'000);
}

std::string settlement_number(const World& world, std::size_t settlement) {
  const auto date = tehran_date(world.settlements()[settlement].cut_second);
  return fmt::format("SET-{:04}{:02}{:02}-{:04}", date.year, date.month, date.day, settlement + 1);
}

}  // namespace holdfast::smokava
