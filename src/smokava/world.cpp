#include "smokava/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "smokava/dice.h"
#include "smokava/persian_texts.h"

namespace holdfast::smokava {
namespace {

constexpr std::uint32_t fraction_mask = (1U << 20U) - 1;
/// One part in so many of the business was done before the first purchase and the first post:
/// time to open restaurants and to print the first packages.
constexpr std::uint64_t lead = 100;
constexpr std::size_t operators_of_a_restaurant = 2;
/// There is always something to buy.
constexpr std::uint64_t offers_never_retired = 3;
/// Settlements list a payment in 20 bytes and must stay far below the 16 MB of a document: from
/// here on they run daily instead of weekly.
constexpr std::uint64_t daily_settlements_from = 20'000'000;
constexpr std::int64_t settlement_cut_hour = 8;

std::int64_t milliseconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::uint32_t fraction_of(std::uint64_t seed, Topic topic, std::uint64_t index) {
  return static_cast<std::uint32_t>(hash_of(seed, topic, index)) & fraction_mask;
}

template <typename List>
std::uint32_t count_before(const List& list, std::int64_t second) {
  const auto end = std::upper_bound(
      list.begin(), list.end(), second,
      [](std::int64_t moment, const auto& entry) { return moment < entry.created_second; });
  return static_cast<std::uint32_t>(end - list.begin());
}

}  // namespace

Sizes::Sizes(std::uint64_t userpackages)
    : purchases(userpackages),
      users(0),
      posts(userpackages * 3 / 10 + 20),
      restaurants(std::min<std::uint64_t>(8 + userpackages / 1000, 1500)),
      offers(std::min<std::uint64_t>(12 + userpackages / 4000, 400)),
      admins(std::min<std::uint64_t>(3 + userpackages / 100'000, 12)) {
  users = userpackages * 2 / 5 + restaurants * (operators_of_a_restaurant + 1) + 60;
}

World::World(const SeedOptions& options)
    : seed_(scramble(options.seed)),
      sizes_(options.userpackages),
      calendar_(milliseconds_of(options.now), seed_),
      // About eighteen ids come with every purchase of these three years.
      ids_(seed_, calendar_.start_second(), options.userpackages * 6,
           options.userpackages * visit_numbers_per_purchase),
      follows_(seed_, sizes_.users) {
  open_restaurants();
  hire_operators();
  make_offers();
  plan_settlements();
}

void World::open_restaurants() {
  const auto at_start = std::max<std::uint64_t>(4, sizes_.restaurants / 3);
  const auto later = (sizes_.restaurants - at_start) * 5 / 4 + 1;
  const auto names = texts::restaurant_names();
  for (std::uint64_t i = 0; i < sizes_.restaurants; ++i) {
    Dice dice(seed_, Topic::restaurant, i);
    Restaurant restaurant;
    restaurant.created_second = i < at_start
                                    ? calendar_.start_second() + static_cast<std::int64_t>(i) * 60
                                    : calendar_.second_at(i - at_start, fraction_mask / 2, later);
    restaurant.created_second =
        std::max(restaurant.created_second,
                 restaurants_.empty() ? 0 : restaurants_.back().created_second + 1);
    restaurant.id = ids_.make(IdKind::restaurant, i, restaurant.created_second);
    restaurant.active = i < 4 || !dice.chance(60);
    restaurant.city = dice.chance(550) ? 0 : dice.below(texts::cities().size());
    const auto& name = names[i % names.size()];
    restaurant.name_en = name.latin;
    restaurant.name_fa = name.fa;
    if (i >= names.size()) {
      const auto& street = dice.pick(texts::streets());
      restaurant.name_en += fmt::format(" {} {}", street.latin, i / names.size() + 1);
      restaurant.name_fa +=
          fmt::format(" شعبه {} {}", street.fa, texts::persian_number(i / names.size() + 1));
    }
    restaurants_.push_back(std::move(restaurant));
  }
}

void World::hire_operators() {
  std::uint64_t next = founders;
  for (std::uint32_t i = 0; i < restaurants_.size(); ++i) {
    auto& restaurant = restaurants_[i];
    if (!restaurant.active) continue;
    const auto hired_ms = (restaurant.created_second + 3600) * 1000;
    std::uint64_t low = next;
    std::uint64_t high = sizes_.users - operators_of_a_restaurant * (restaurants_.size() - i);
    while (low < high) {
      const auto middle = (low + high) / 2;
      if (user_created_ms(middle) < hired_ms) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (std::size_t n = 0; n < operators_of_a_restaurant; ++n) {
      restaurant.operators.push_back(low + n);
      operators_.emplace(low + n, i);
    }
    next = low + operators_of_a_restaurant;
  }
}

void World::make_offers() {
  // In turn, not by dice: a handful of offers has the usual mix too. The periods share no factor.
  static constexpr std::array<std::int32_t, 12> counts = {10, 20, 6,  12, 30, 8,
                                                          15, 5,  10, 24, 4,  12};
  static constexpr std::array<std::int32_t, 11> durations = {60, 90, 30, 90,  180, 60,
                                                             45, 0,  90, 120, 60};
  const auto at_start = std::max<std::uint64_t>(6, sizes_.offers / 4);
  const auto later = (sizes_.offers - at_start) * 10 / 9 + 1;
  for (std::uint64_t i = 0; i < sizes_.offers; ++i) {
    Dice dice(seed_, Topic::offer, i);
    Offer offer;
    const auto opening = calendar_.start_second() + day_seconds;
    offer.created_second = opening + static_cast<std::int64_t>(i) * 120;
    if (i >= at_start) {
      offer.created_second = std::max(offer.created_second,
                                      calendar_.second_at(i - at_start, fraction_mask / 2, later));
    }
    offer.created_second = std::min(offer.created_second, calendar_.last_second());
    offer.id = ids_.make(IdKind::offer, i, offer.created_second);
    offer.count = counts.at(i % counts.size());
    offer.price = offer.count * dice.between(42, 88) * 10'000;
    offer.duration_days = durations.at(i % durations.size());
    const auto retired = offer.created_second + dice.between(120, 500) * day_seconds;
    if (i >= offers_never_retired && dice.chance(250) && retired < calendar_.last_second()) {
      offer.retired_second = retired;
    }
    choose_places(offer, i, dice);
    offers_.push_back(std::move(offer));
  }
}

void World::choose_places(Offer& offer, std::uint64_t number, Dice& dice) const {
  enum class Shape { everywhere, bundle, single };
  static constexpr std::array<Shape, 7> shapes = {Shape::everywhere, Shape::bundle, Shape::single,
                                                  Shape::bundle,     Shape::single, Shape::bundle,
                                                  Shape::everywhere};
  const auto shape = shapes.at(number % shapes.size());
  if (shape == Shape::everywhere) return;
  std::vector<std::uint32_t> open;
  for (std::uint32_t r = 0; r < restaurants_before(offer.created_second); ++r) {
    if (restaurants_[r].active) open.push_back(r);
  }
  if (shape == Shape::single) {
    offer.single_restaurant = open[dice.below(open.size())];
    return;
  }
  const auto shares = std::min<std::uint64_t>(2 + dice.below(3), open.size());
  auto left = offer.count;
  for (std::uint64_t n = 0; n < shares; ++n) {
    std::swap(open[n], open[n + dice.below(open.size() - n)]);
    const auto others = static_cast<std::int32_t>(shares - n - 1);
    const auto most = std::min(std::max(1, (left - others) * 2 / (others + 1)), left - others);
    const auto count = others == 0 ? left : static_cast<std::int32_t>(dice.between(1, most));
    offer.shares.push_back({open[n], count});
    left -= count;
  }
}

void World::plan_settlements() {
  const bool daily = sizes_.purchases >= daily_settlements_from;
  const auto step = daily ? day_seconds : 7 * day_seconds;
  auto cut = calendar_.start_second() + settlement_cut_hour * 3600;
  while (Calendar::weekday(cut) != 5) cut += day_seconds;  // Saturday
  std::uint64_t first = 0;
  for (; cut + day_seconds / 2 < calendar_.last_second(); cut += step) {
    std::uint64_t low = first;
    std::uint64_t high = sizes_.purchases;
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      if (purchase_second(middle) < cut) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low > first) settlements_.push_back({cut, first, low});
    first = low;
  }
}

std::uint32_t World::restaurants_before(std::int64_t second) const {
  return count_before(restaurants_, second);
}

std::uint32_t World::offers_before(std::int64_t second) const {
  return count_before(offers_, second);
}

std::optional<std::uint32_t> World::operated_by(std::uint64_t user) const {
  const auto found = operators_.find(user);
  if (found == operators_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::size_t> World::settlement_of(std::uint64_t purchase) const {
  const auto after = std::upper_bound(
      settlements_.begin(), settlements_.end(), purchase,
      [](std::uint64_t index, const auto& run) { return index < run.end_purchase; });
  if (after == settlements_.end()) return std::nullopt;
  return static_cast<std::size_t>(after - settlements_.begin());
}

std::int64_t World::user_created_ms(std::uint64_t user) const {
  const auto luck = hash_of(seed_, Topic::user_time, user);
  const auto second =
      user < founders ? calendar_.start_second() + static_cast<std::int64_t>(user) * 40
                      : calendar_.second_at(user, static_cast<std::uint32_t>(luck) & fraction_mask,
                                            sizes_.users);
  return second * 1000 + static_cast<std::int64_t>((luck >> 32U) % 1000);
}

std::int64_t World::purchase_second(std::uint64_t purchase) const {
  const auto before = sizes_.purchases / lead + 1;
  return calendar_.second_at(before + purchase, fraction_of(seed_, Topic::purchase_time, purchase),
                             before + sizes_.purchases);
}

std::int64_t World::post_second(std::uint64_t post) const {
  const auto before = sizes_.posts / lead + 1;
  return calendar_.second_at(before + post, fraction_of(seed_, Topic::post_time, post),
                             before + sizes_.posts);
}

std::uint64_t World::users_at_purchase(std::uint64_t purchase) const {
  // A user's place on the calendar's curve lies before (user + 1) / users.
  const auto before = sizes_.purchases / lead + 1;
  const auto joined = multiply_divide(before + purchase, sizes_.users, before + sizes_.purchases);
  return std::max<std::uint64_t>(joined, 2) - 1;
}

std::uint64_t World::users_at_post(std::uint64_t post) const {
  const auto before = sizes_.posts / lead + 1;
  const auto joined = multiply_divide(before + post, sizes_.users, before + sizes_.posts);
  return std::max<std::uint64_t>(joined, 2) - 1;
}

ObjectId World::user_id(std::uint64_t user) const {
  return ids_.make(IdKind::user, user, user_created_ms(user) / 1000);
}

ObjectId World::purchase_id(std::uint64_t purchase) const {
  return ids_.make(IdKind::purchase, purchase, purchase_second(purchase));
}

std::int64_t World::admin_created_ms(std::uint64_t admin) const {
  const auto span = static_cast<std::uint64_t>(calendar_.last_second() - calendar_.start_second());
  const auto offset = admin == 0 ? 0 : span * admin / (2 * sizes_.admins);
  return (calendar_.start_second() + static_cast<std::int64_t>(offset)) * 1000 +
         static_cast<std::int64_t>(hash_of(seed_, Topic::admin, admin) % 1000);
}

ObjectId World::admin_id(std::uint64_t admin) const {
  return ids_.make(IdKind::admin, admin, admin_created_ms(admin) / 1000);
}

std::string World::admin_name(std::uint64_t admin) const {
  static constexpr std::string_view names[] = {"admin", "finance", "support"};
  if (admin < std::size(names)) return std::string(names[admin]);
  return fmt::format("support{}", admin - std::size(names) + 2);
}

}  // namespace holdfast::smokava
