#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "smokava/calendar.h"
#include "smokava/dice.h"
#include "smokava/follow_graph.h"
#include "smokava/object_ids.h"
#include "smokava/seed.h"

namespace holdfast::smokava {

struct Restaurant {
  ObjectId id;
  std::int64_t created_second = 0;
  bool active = true;
  std::string name_en;
  std::string name_fa;
  std::size_t city = 0;  ///< into texts::cities()
  /// Users who run it; none where it is not active.
  std::vector<std::uint64_t> operators;
};

struct Share {
  std::uint32_t restaurant = 0;
  std::int32_t count = 0;
};

/// What is on sale: a document of `packages`.
struct Offer {
  ObjectId id;
  std::int64_t created_second = 0;
  std::optional<std::int64_t> retired_second;
  std::int32_t count = 1;
  std::int64_t price = 0;          ///< rials
  std::int32_t duration_days = 0;  ///< 0: never expires
  /// A bundle has several shares, whose counts add up to `count`.
  std::vector<Share> shares;
  std::optional<std::uint32_t> single_restaurant;
};

struct SettlementRun {
  std::int64_t cut_second = 0;  ///< settles purchases made before it
  std::uint64_t first_purchase = 0;
  std::uint64_t end_purchase = 0;
};

/// Redemptions are numbered through: so many for each purchase.
inline constexpr std::uint64_t visit_numbers_per_purchase = 32;

/// How many of each thing there are; follows from `userpackages` alone.
struct Sizes {
  explicit Sizes(std::uint64_t userpackages);
  std::uint64_t purchases;
  std::uint64_t users;
  std::uint64_t posts;
  std::uint64_t restaurants;
  std::uint64_t offers;
  std::uint64_t admins;
};

/// The fixed part of the made-up business: calendar, restaurants, offers, settlement runs. A few
/// thousand entries at most whatever the size; everything else is derived from it on demand.
/// Immutable; thread-safe.
class World {
 public:
  /// Requires valid options.
  explicit World(const SeedOptions& options);

  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::int64_t now_ms() const { return calendar_.now_ms(); }
  [[nodiscard]] const Calendar& calendar() const { return calendar_; }
  [[nodiscard]] const ObjectIdFactory& ids() const { return ids_; }
  [[nodiscard]] const Sizes& sizes() const { return sizes_; }
  [[nodiscard]] const FollowGraph& follows() const { return follows_; }
  [[nodiscard]] std::span<const Restaurant> restaurants() const { return restaurants_; }
  [[nodiscard]] std::span<const Offer> offers() const { return offers_; }
  [[nodiscard]] std::span<const SettlementRun> settlements() const { return settlements_; }

  /// How many restaurants (offers) were there at that second: the first ones of the list.
  [[nodiscard]] std::uint32_t restaurants_before(std::int64_t second) const;
  [[nodiscard]] std::uint32_t offers_before(std::int64_t second) const;
  /// The restaurant that a user runs, if any.
  [[nodiscard]] std::optional<std::uint32_t> operated_by(std::uint64_t user) const;
  /// The run that settles a purchase's payments, if it took place yet.
  [[nodiscard]] std::optional<std::size_t> settlement_of(std::uint64_t purchase) const;

  [[nodiscard]] std::int64_t user_created_ms(std::uint64_t user) const;
  [[nodiscard]] std::int64_t purchase_second(std::uint64_t purchase) const;
  [[nodiscard]] std::int64_t post_second(std::uint64_t post) const;
  /// How many users had joined when that purchase (post) was made; at least 1.
  [[nodiscard]] std::uint64_t users_at_purchase(std::uint64_t purchase) const;
  [[nodiscard]] std::uint64_t users_at_post(std::uint64_t post) const;

  [[nodiscard]] ObjectId user_id(std::uint64_t user) const;
  [[nodiscard]] ObjectId purchase_id(std::uint64_t purchase) const;
  [[nodiscard]] ObjectId admin_id(std::uint64_t admin) const;
  [[nodiscard]] std::string admin_name(std::uint64_t admin) const;
  [[nodiscard]] std::int64_t admin_created_ms(std::uint64_t admin) const;

 private:
  void open_restaurants();
  void hire_operators();
  void make_offers();
  void choose_places(Offer& offer, std::uint64_t number, Dice& dice) const;
  void plan_settlements();

  std::uint64_t seed_;
  Sizes sizes_;
  Calendar calendar_;
  ObjectIdFactory ids_;
  FollowGraph follows_;
  std::vector<Restaurant> restaurants_;
  std::unordered_map<std::uint64_t, std::uint32_t> operators_;
  std::vector<Offer> offers_;
  std::vector<SettlementRun> settlements_;
};

/// Users 0 … 2 are the founders (role admin); the first three were there from the first second.
inline constexpr std::uint64_t founders = 3;

}  // namespace holdfast::smokava
