#include "smokava/posts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "smokava/dice.h"
#include "smokava/persian_texts.h"

namespace holdfast::smokava {
namespace {

constexpr std::uint64_t slots_per_post = 16;
/// People look at a post for some weeks.
constexpr std::int64_t attention_ms = 21 * day_ms;

struct Deletion {
  std::int64_t at_ms = 0;
  std::uint64_t admin = 0;
};

struct Comment {
  std::uint64_t user = 0;
  std::string_view text;
  std::int64_t at_ms = 0;
  ObjectId id;
  std::optional<Deletion> deletion;
};

struct Like {
  std::uint64_t user = 0;
  std::int64_t at_ms = 0;
};

struct Post {
  ObjectId id;
  std::uint64_t user = 0;
  std::uint32_t restaurant = 0;
  std::optional<std::string_view> flavor;
  std::int64_t created_ms = 0;
  bool published = true;
  std::optional<Deletion> deletion;
  std::vector<Like> likes;
  std::vector<Comment> comments;
};

/// Somewhere in part `index` of `count` equal parts of a span.
std::int64_t moment_in_part(Dice& dice, std::int64_t from_ms, std::int64_t to_ms,
                            std::uint64_t index, std::uint64_t count) {
  const auto parts = count * 1024;
  const auto part = index * 1024 + dice.below(1024);
  return from_ms + static_cast<std::int64_t>(
                       multiply_divide(static_cast<std::uint64_t>(to_ms - from_ms), part, parts));
}

std::uint64_t admin_at(const World& world, Dice& dice, std::int64_t at_ms) {
  const auto admin = dice.below(world.sizes().admins);
  return world.admin_created_ms(admin) <= at_ms ? admin : 0;
}

void plan_likes(Post& post, Dice& dice, std::uint64_t joined, std::int64_t until_ms) {
  const auto interest = dice.below(14);
  const auto count = std::min(interest * dice.below(14) / 12, joined);
  if (count == 0) return;
  // Equal steps that together stay below one round: nobody likes twice.
  const auto step = 1 + dice.below(joined / count);
  auto user = dice.below(joined);
  for (std::uint64_t i = 0; i < count; ++i) {
    post.likes.push_back({user, moment_in_part(dice, post.created_ms, until_ms, i, count)});
    user = (user + step) % joined;
  }
}

void plan_comments(const World& world, std::uint64_t number, Post& post, Dice& dice,
                   std::uint64_t joined, std::int64_t until_ms) {
  const auto interest = dice.below(6);
  const auto count = interest * dice.below(4) / 3;
  for (std::uint64_t i = 0; i < count; ++i) {
    Comment comment;
    comment.user = dice.chance(150) ? post.user : dice.below(joined);
    comment.text = dice.pick(texts::comments());
    comment.at_ms = moment_in_part(dice, post.created_ms, until_ms, i, count);
    comment.id =
        world.ids().make(IdKind::comment, number * slots_per_post + i, comment.at_ms / 1000);
    if (dice.chance(35)) {
      const auto at_ms = moment_in_part(dice, comment.at_ms, until_ms, 0, 1);
      comment.deletion = Deletion{at_ms, admin_at(world, dice, at_ms)};
    }
    post.comments.push_back(comment);
  }
}

Post plan_post(const World& world, std::uint64_t number) {
  Dice dice(world.seed(), Topic::post, number);
  const auto second = world.post_second(number);
  const auto joined = world.users_at_post(number);
  Post post;
  post.id = world.ids().make(IdKind::post, number, second);
  post.user = dice.below(joined);
  post.restaurant = static_cast<std::uint32_t>(dice.below(world.restaurants_before(second)));
  if (dice.chance(820)) post.flavor = dice.pick(texts::flavors());
  post.created_ms = second * 1000 + dice.between(0, 999);
  post.published = !dice.chance(25);
  auto until_ms = std::min(world.now_ms(), post.created_ms + attention_ms);
  if (dice.chance(45)) {
    until_ms = moment_in_part(dice, post.created_ms, until_ms, 0, 1) + 1;
    post.deletion = Deletion{until_ms, admin_at(world, dice, until_ms)};
  }
  plan_likes(post, dice, joined, until_ms);
  plan_comments(world, number, post, dice, joined, until_ms);
  return post;
}

void append_deletion(bson::Builder& out, const World& world,
                     const std::optional<Deletion>& deletion) {
  if (deletion) {
    out.append_date("deletedAt", deletion->at_ms);
    out.append_object_id("deletedBy", world.admin_id(deletion->admin));
  } else {
    out.append_null("deletedAt");
    out.append_null("deletedBy");
  }
}

}  // namespace

void make_post(const World& world, std::uint64_t number, Documents& out) {
  const auto post = plan_post(world, number);
  const auto& restaurant = world.restaurants()[post.restaurant];
  Dice dice(world.seed(), Topic::post, ~number);
  bson::Builder document;
  document.append_object_id("_id", post.id);
  document.append_object_id("user", world.user_id(post.user));
  document.append_object_id("restaurant", restaurant.id);
  if (post.flavor) document.append_string("flavor", *post.flavor);
  document.append_string("caption",
                         texts::caption(dice, post.flavor.value_or("دو سیب"), restaurant.name_fa));
  const auto uploaded_ms = post.created_ms - dice.between(200, 4000);
  document.append_string(
      "imageUrl", fmt::format("https://api.smokava.ir/uploads/posts/{}-{:09}.jpg", uploaded_ms,
                              dice.below(1'000'000'000)));
  document.begin_array("likes");
  for (std::size_t i = 0; i < post.likes.size(); ++i) {
    document.begin_document(index_name(i));
    document.append_object_id("user", world.user_id(post.likes[i].user));
    document.append_date("likedAt", post.likes[i].at_ms);
    document.end();
  }
  document.end();
  document.begin_array("comments");
  for (std::size_t i = 0; i < post.comments.size(); ++i) {
    const auto& comment = post.comments[i];
    document.begin_document(index_name(i));
    document.append_object_id("user", world.user_id(comment.user));
    document.append_string("text", comment.text);
    document.append_date("commentedAt", comment.at_ms);
    append_deletion(document, world, comment.deletion);
    // Mongoose puts a subdocument's own id last; moderation logs point at it.
    document.append_object_id("_id", comment.id);
    document.end();
  }
  document.end();
  document.append_bool("published", post.published);
  append_deletion(document, world, post.deletion);
  document.append_date("createdAt", post.created_ms);
  append_number(document, "__v", static_cast<std::int64_t>(post.comments.size()));
  out.push_back(std::move(document).finish());
}

void make_moderation_logs(const World& world, std::uint64_t number, Documents& out) {
  const auto post = plan_post(world, number);
  Dice dice(world.seed(), Topic::moderation, number);
  std::uint64_t slot = 0;
  const auto add = [&](std::string_view action, std::string_view target, const ObjectId& target_id,
                       const Deletion& deletion, const ObjectId& author) {
    bson::Builder document;
    document.append_object_id(
        "_id", world.ids().make(IdKind::moderation_log, number * slots_per_post + slot++,
                                deletion.at_ms / 1000));
    document.append_string("action", action);
    document.append_string("targetType", target);
    document.append_object_id("targetId", target_id);
    document.append_object_id("adminId", world.admin_id(deletion.admin));
    if (dice.chance(800)) document.append_string("reason", dice.pick(texts::moderation_reasons()));
    document.begin_document("metadata");
    document.append_object_id("postId", post.id);
    document.append_object_id("authorId", author);
    document.end();
    document.append_date("createdAt", deletion.at_ms);
    document.append_int32("__v", 0);
    out.push_back(std::move(document).finish());
  };
  for (const auto& comment : post.comments) {
    if (!comment.deletion) continue;
    add("delete_comment", "comment", comment.id, *comment.deletion, world.user_id(comment.user));
  }
  const auto author = world.user_id(post.user);
  if (!post.published) {
    const auto at_ms = post.deletion ? post.deletion->at_ms
                                     : std::min(world.now_ms(), post.created_ms + 3'600'000);
    add("unpublish_post", "post", post.id, {at_ms, admin_at(world, dice, at_ms)}, author);
  }
  if (post.deletion) add("delete_post", "post", post.id, *post.deletion, author);
}

}  // namespace holdfast::smokava
