#include "smokava/collections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "smokava/catalogue.h"
#include "smokava/people.h"
#include "smokava/posts.h"
#include "smokava/purchase_documents.h"

namespace holdfast::smokava {
namespace {

std::uint64_t users_of(const World& world) { return world.sizes().users; }
std::uint64_t purchases_of(const World& world) { return world.sizes().purchases; }
std::uint64_t posts_of(const World& world) { return world.sizes().posts; }

constexpr std::array<CollectionMaker, 14> makers = {{
    {"admins", [](const World& world) { return world.sizes().admins; }, make_admin},
    {"roles", [](const World&) { return std::uint64_t{3}; }, make_role},
    {"restaurants", [](const World& world) { return world.sizes().restaurants; }, make_restaurant},
    {"packages", [](const World& world) { return world.sizes().offers; }, make_package},
    {"users", users_of, make_user},
    {"userroles", users_of, make_user_roles},
    {"followrequests", users_of, make_follow_requests},
    {"userpackages", purchases_of, make_userpackage},
    {"transactions", purchases_of, make_transactions},
    {"restaurantpayments", purchases_of, make_restaurant_payments},
    {"settlements",
     [](const World& world) { return static_cast<std::uint64_t>(world.settlements().size()); },
     make_settlement},
    {"ratings", purchases_of, make_ratings},
    {"posts", posts_of, make_post},
    {"moderationlogs", posts_of, make_moderation_logs},
}};

constexpr auto names = [] {
  std::array<std::string_view, makers.size()> list{};
  for (std::size_t i = 0; i < makers.size(); ++i) list[i] = makers[i].name;
  return list;
}();

struct KeyPart {
  std::string_view field;
  std::int32_t direction;  ///< 1, -1; 0 means "2dsphere"
};

enum class Uniqueness { none, unique, unique_sparse, unique_strings, unique_pending };

struct IndexSpec {
  std::string_view collection;
  std::string_view name;
  std::array<KeyPart, 3> key;
  Uniqueness uniqueness = Uniqueness::none;
};

constexpr IndexSpec index_specs[] = {
    {"admins", "username_1", {{{"username", 1}}}, Uniqueness::unique},
    {"users", "phoneNumber_1", {{{"phoneNumber", 1}}}, Uniqueness::unique},
    {"users", "telegramId_1", {{{"telegramId", 1}}}, Uniqueness::unique_sparse},
    // Sparse would still index an explicit null, and two of those collide.
    {"users", "username_1", {{{"username", 1}}}, Uniqueness::unique_strings},
    {"restaurants", "location_2dsphere", {{{"location", 0}}}},
    {"userpackages", "user_1_purchasedAt_1", {{{"user", 1}, {"purchasedAt", 1}}}},
    {"transactions", "user_1_createdAt_-1", {{{"user", 1}, {"createdAt", -1}}}},
    {"transactions", "package_1_createdAt_-1", {{{"package", 1}, {"createdAt", -1}}}},
    {"transactions", "status_1_createdAt_-1", {{{"status", 1}, {"createdAt", -1}}}},
    {"transactions", "createdAt_-1", {{{"createdAt", -1}}}},
    {"restaurantpayments", "restaurant_1", {{{"restaurant", 1}}}},
    {"restaurantpayments", "status_1", {{{"status", 1}}}},
    {"restaurantpayments", "createdAt_1", {{{"createdAt", 1}}}},
    {"settlements", "settlementNumber_1", {{{"settlementNumber", 1}}}, Uniqueness::unique},
    {"ratings",
     "userId_1_redeemLogId_1",
     {{{"userId", 1}, {"redeemLogId", 1}}},
     Uniqueness::unique},
    {"ratings", "restaurantId_1_createdAt_-1", {{{"restaurantId", 1}, {"createdAt", -1}}}},
    {"roles", "name_1", {{{"name", 1}}}, Uniqueness::unique},
    {"userroles",
     "userId_1_roleId_1_scope.restaurantId_1",
     {{{"userId", 1}, {"roleId", 1}, {"scope.restaurantId", 1}}},
     Uniqueness::unique},
    {"followrequests",
     "requesterId_1_targetUserId_1_status_1",
     {{{"requesterId", 1}, {"targetUserId", 1}, {"status", 1}}},
     Uniqueness::unique_pending},
};

bson::Document to_document(const IndexSpec& spec) {
  bson::Builder out;
  out.append_int32("v", 2);
  out.begin_document("key");
  for (const auto& part : spec.key) {
    if (part.field.empty()) continue;
    if (part.direction == 0) {
      out.append_string(part.field, "2dsphere");
    } else {
      out.append_int32(part.field, part.direction);
    }
  }
  out.end();
  out.append_string("name", spec.name);
  if (spec.uniqueness != Uniqueness::none) out.append_bool("unique", true);
  if (spec.uniqueness == Uniqueness::unique_sparse) out.append_bool("sparse", true);
  if (spec.uniqueness == Uniqueness::unique_strings) {
    out.begin_document("partialFilterExpression").begin_document("username");
    out.append_string("$type", "string").end().end();
  }
  if (spec.uniqueness == Uniqueness::unique_pending) {
    out.begin_document("partialFilterExpression").append_string("status", "pending").end();
  }
  return std::move(out).finish();
}

Error out_of_bounds(std::string_view what, std::string_view bounds) {
  return {ErrorCode::usage, fmt::format("{} must be {}", what, bounds)};
}

}  // namespace

std::span<const CollectionMaker> collection_makers() { return makers; }

std::span<const std::string_view> collection_names() { return names; }

std::vector<bson::Document> required_indexes(std::string_view collection) {
  std::vector<bson::Document> list;
  for (const auto& spec : index_specs) {
    if (spec.collection == collection) list.push_back(to_document(spec));
  }
  return list;
}

Status check(const SeedOptions& options) {
  if (options.userpackages < 1 || options.userpackages > max_userpackages) {
    return out_of_bounds("the number of userpackages",
                         fmt::format("from 1 to {}", max_userpackages));
  }
  if (options.threads < 1 || options.threads > 64) {
    return out_of_bounds("the number of threads", "from 1 to 64");
  }
  using std::chrono::sys_days;
  using std::chrono::year;
  if (options.now < sys_days{year{2000} / 1 / 1} || options.now >= sys_days{year{2100} / 1 / 1}) {
    return out_of_bounds("now", "in the years 2000 to 2099");
  }
  return {};
}

Status for_each_document(const SeedOptions& options, std::string_view collection,
                         const DocumentVisitor& visit) {
  HOLDFAST_CHECK(check(options));
  const auto maker = std::ranges::find(makers, collection, &CollectionMaker::name);
  if (maker == makers.end()) {
    return Error(ErrorCode::not_found, fmt::format("Smokava has no collection \"{}\"", collection));
  }
  const World world(options);
  Documents documents;
  const auto units = maker->units(world);
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    documents.clear();
    maker->make(world, unit, documents);
    for (const auto& document : documents) {
      if (!visit(document.view())) return {};
    }
  }
  return {};
}

}  // namespace holdfast::smokava
