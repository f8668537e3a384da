#include "smokava/catalogue.h"

#include <fmt/format.h>

#include "smokava/dice.h"
#include "smokava/persian_texts.h"

// Right-to-left text: the formatter breaks it differently on each run.
// clang-format off
namespace holdfast::smokava {
namespace {

void append_display_texts(bson::Builder& out, Dice& dice, const Offer& offer) {
  static constexpr std::string_view icons[] = {"🔥", "⭐", "💎", "🌿", "🎁"};
  const auto count = static_cast<std::uint64_t>(offer.count);
  const auto per_item = static_cast<std::uint64_t>(offer.price) / count / 10;  // in tomans
  out.append_string("quantity_display_fa",
                    fmt::format("{} عدد قلیان", texts::persian_number(count)));
  out.append_string("price_per_item_fa",
                    fmt::format("هر عدد {} تومان", texts::persian_number(per_item, true)));
  out.append_string(
      "feature_usage_fa",
      offer.single_restaurant ? "قابل استفاده در یک رستوران"
      : offer.shares.empty()
          ? "قابل استفاده در همه رستوران‌های اسموکاوا"
          : "قابل استفاده در رستوران‌های منتخب");
  out.append_string(
      "feature_validity_fa",
      offer.duration_days == 0
          ? std::string("بدون تاریخ انقضا")
          : fmt::format("{} روز اعتبار",
                        texts::persian_number(static_cast<std::uint64_t>(offer.duration_days))));
  out.append_string("feature_support_fa", "پشتیبانی ۲۴ ساعته");
  out.append_string("package_icon", dice.pick(icons));
}

void append_time_windows(bson::Builder& out, Dice& dice) {
  out.begin_array("timeWindows");
  const auto windows = dice.chance(350) ? dice.between(1, 2) : 0;
  for (std::int64_t i = 0; i < windows; ++i) {
    out.begin_document(index_name(static_cast<std::size_t>(i)));
    out.append_string("start", i == 0 ? "12:00" : "18:30");
    out.append_string("end", i == 0 ? "17:00" : "23:30");
    out.append_string("timezone", "Asia/Tehran");
    out.end();
  }
  out.end();
}

void append_name(bson::Builder& out, const Offer& offer, std::uint64_t number) {
  const auto count = static_cast<std::uint64_t>(offer.count);
  const auto kind = offer.single_restaurant ? 0 : offer.shares.empty() ? 1 : 2;
  static constexpr std::string_view latin[] = {"House", "Everywhere", "Bundle"};
  static constexpr std::string_view persian[] = {"پاتوق", "همه‌جا", "ترکیبی"};
  out.append_string("name", fmt::format("{} {} #{}", latin[kind], count, number + 1));
  out.append_string("nameFa",
                    fmt::format("بسته {} {} تایی", persian[kind], texts::persian_number(count)));
}

}  // namespace

void make_restaurant(const World& world, std::uint64_t number, Documents& out) {
  const auto& restaurant = world.restaurants()[number];
  const auto& city = texts::cities()[restaurant.city];
  Dice dice(world.seed(), Topic::restaurant, ~number);
  const auto& street = dice.pick(texts::streets());
  const auto plaque = static_cast<std::uint64_t>(dice.between(1, 480));
  const auto degrees = [&](std::int32_t centre) {
    return static_cast<double>(std::int64_t{centre} * 10 + dice.between(-6000, 6000)) / 100'000.0;
  };
  bson::Builder document;
  document.append_object_id("_id", restaurant.id);
  document.append_string("name", restaurant.name_en);
  document.append_string("nameFa", restaurant.name_fa);
  document.append_string("address",
                         fmt::format("No. {}, {} St., {}", plaque, street.latin, city.en));
  document.append_string("addressFa", fmt::format("{}، خیابان {}، پلاک {}", city.fa, street.fa,
                                                  texts::persian_number(plaque)));
  document.begin_document("location");
  document.append_string("type", "Point");
  document.begin_array("coordinates");
  document.append_double("0", degrees(city.longitude));
  document.append_double("1", degrees(city.latitude));
  document.end();
  document.end();
  document.append_string(
      "phone", fmt::format("{}{:08}", city.phone_prefix, 20'000'000 + dice.below(70'000'000)));
  document.append_string("city", city.fa);
  document.append_string("description", dice.pick(texts::restaurant_descriptions()));
  document.append_bool("active", restaurant.active);
  if (dice.chance(700)) {
    document.append_string("image", fmt::format("restaurant-{:04}.jpg", number + 1));
    const auto uploaded_ms = restaurant.created_second * 1000 + dice.between(0, 999);
    document.append_string("imageUrl",
                           fmt::format("https://api.smokava.ir/uploads/restaurants/{}-{:09}.jpg",
                                       uploaded_ms, dice.below(1'000'000'000)));
  }
  append_number(document, "__v", dice.between(0, 3));
  out.push_back(std::move(document).finish());
}

void make_package(const World& world, std::uint64_t number, Documents& out) {
  const auto& offer = world.offers()[number];
  Dice dice(world.seed(), Topic::offer, ~number);
  bson::Builder document;
  document.append_object_id("_id", offer.id);
  append_name(document, offer, number);
  append_number(document, "count", offer.count);
  append_number(document, "price", offer.price);
  const auto badge = dice.below(10);
  if (badge < 2) {
    document.append_string("badge", badge == 0 ? "popular" : "special");
  } else {
    document.append_null("badge");
  }
  document.append_string("description",
                         "با خرید این بسته، هر بار با یک کد یک‌بارمصرف قلیان "
                         "خود "
                         "را "
                         "تحویل "
                         "بگیرید.");
  append_display_texts(document, dice, offer);
  if (offer.retired_second) {
    document.append_date("startDate", offer.created_second * 1000);
    document.append_date("endDate", *offer.retired_second * 1000);
  }
  append_time_windows(document, dice);
  if (offer.duration_days == 0) {
    document.append_null("durationDays");
  } else {
    append_number(document, "durationDays", offer.duration_days);
  }
  document.begin_array("restaurantAllocations");
  for (std::size_t i = 0; i < offer.shares.size(); ++i) {
    document.begin_document(index_name(i));
    document.append_object_id("restaurant", world.restaurants()[offer.shares[i].restaurant].id);
    append_number(document, "count", offer.shares[i].count);
    document.end();
  }
  document.end();
  if (offer.single_restaurant) {
    document.append_object_id("restaurant", world.restaurants()[*offer.single_restaurant].id);
  }
  append_number(document, "__v", dice.between(0, 5));
  out.push_back(std::move(document).finish());
}

}  // namespace holdfast::smokava
// clang-format on
