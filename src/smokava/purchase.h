#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "smokava/world.h"

namespace holdfast::smokava {

/// One redemption from one userpackage: an entry of its history.
struct Visit {
  std::int64_t at_ms = 0;
  std::uint32_t restaurant = 0;
  std::int32_t count = 1;
  std::uint32_t flavor = 0;
  ObjectId log;
  /// Redemption number, unique over all visits but continuations.
  std::uint64_t number = 0;
  /// The rest of a redemption that an older package of the guest could not cover alone.
  bool continuation = false;
};

struct Allocation {
  std::uint32_t restaurant = 0;
  std::int32_t total = 0;
  std::int32_t remaining = 0;
};

enum class PurchaseStatus { pending, active, expired };

/// How the money went.
enum class Charge {
  none,     ///< a gift, or the guest never reached the gateway
  pending,  ///< at the gateway, or left there
  failed,
  completed,
  refunded,
};

/// Everything about one userpackage, from which its document, its transaction, its payments, its
/// ratings and its place in settlements all follow.
struct Purchase {
  static constexpr std::size_t most_visits = 24;
  static constexpr std::size_t most_allocations = 4;

  std::uint64_t index = 0;
  std::uint64_t user = 0;
  const Offer* offer = nullptr;  ///< none for a gift
  std::uint32_t gift_restaurant = 0;
  std::uint64_t gift_operator = 0;
  std::int64_t purchased_ms = 0;
  std::int64_t ordered_ms = 0;  ///< when its transaction was opened; not for gifts
  std::int64_t charged_ms = 0;  ///< when the gateway answered; only if it did
  std::optional<std::int64_t> expires_ms;
  PurchaseStatus status = PurchaseStatus::pending;
  Charge charge = Charge::none;
  std::int32_t total = 0;
  std::int32_t remaining = 0;

  [[nodiscard]] bool gift() const { return offer == nullptr; }
  [[nodiscard]] std::span<const Visit> visits() const { return {visits_.data(), visit_count_}; }
  [[nodiscard]] std::span<Visit> visits() { return {visits_.data(), visit_count_}; }
  [[nodiscard]] std::span<const Allocation> allocations() const {
    return {allocations_.data(), allocation_count_};
  }
  [[nodiscard]] std::span<Allocation> allocations() {
    return {allocations_.data(), allocation_count_};
  }
  void add_visit(const Visit& visit) { visits_.at(visit_count_++) = visit; }
  void add_allocation(const Allocation& part) { allocations_.at(allocation_count_++) = part; }
  [[nodiscard]] bool full() const { return visit_count_ == most_visits; }

 private:
  std::array<Visit, most_visits> visits_;
  std::array<Allocation, most_allocations> allocations_;
  std::size_t visit_count_ = 0;
  std::size_t allocation_count_ = 0;
};

/// Plans purchase `index` of the world; a pure function.
[[nodiscard]] Purchase plan_purchase(const World& world, std::uint64_t index);

/// What Smokava owes a restaurant for one purchase: a document of `restaurantpayments`.
struct Payment {
  ObjectId id;
  std::uint32_t restaurant = 0;
  std::int64_t amount = 0;
  std::int32_t commission_percentage = 0;
  std::int32_t allocated = 0;
  bool cancelled = false;
  std::optional<std::size_t> settlement;  ///< paid by that run
};

/// The payments of a purchase: one for each restaurant of a bundle, one for a single-restaurant
/// package, none for global packages, gifts and what was not paid.
struct Payments {
  std::array<Payment, Purchase::most_allocations> list;
  std::size_t count = 0;
  [[nodiscard]] std::span<const Payment> all() const { return {list.data(), count}; }
};
[[nodiscard]] Payments payments_of(const World& world, const Purchase& purchase);

/// Servings of a purchase redeemed at a restaurant until (and with) `until_ms`.
[[nodiscard]] std::int32_t redeemed_at(const Purchase& purchase, std::uint32_t restaurant,
                                       std::int64_t until_ms);

[[nodiscard]] ObjectId transaction_id_of(const World& world, const Purchase& purchase);
/// When a settlement run was signed.
[[nodiscard]] std::int64_t settled_ms(const World& world, std::size_t settlement);
/// "SET-20250315-0042".
[[nodiscard]] std::string settlement_number(const World& world, std::size_t settlement);

}  // namespace holdfast::smokava
