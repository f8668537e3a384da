#include "changelog/fold.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "bson/extended_json.h"
#include "bson/order.h"

namespace holdfast::changelog {
namespace {

using bson::UpdateFit;

bson::Document json(std::string_view text) {
  auto document = bson::from_json(text);
  if (!document.ok()) ADD_FAILURE() << document.error().message();
  return std::move(document).value();
}

struct Step {
  EventKind kind;
  std::string_view body;
};

Result<FoldedDocument> fold(std::optional<std::string_view> base, const std::vector<Step>& steps,
                            UpdateFit fit) {
  std::optional<bson::Document> start;
  if (base) start = json(*base);
  DocumentFold fold(std::move(start), fit);
  const bson::Document key = json(R"({"_id":1})");
  for (const Step& step : steps) {
    const bson::Document body = json(step.body);
    ChangeRecord change;
    change.kind = step.kind;
    change.key = *key.view().find("_id");
    change.body = body.view();
    HOLDFAST_CHECK(fold.apply(change));
  }
  return std::move(fold).finish();
}

constexpr std::string_view set_a2 = R"({"updatedFields":{"a":2},"removedFields":[]})";

TEST(Fold, over_a_fuzzy_base_an_insert_of_what_exists_replaces) {
  const auto folded = fold(R"({"_id":1,"a":9,"b":9})", {{EventKind::insert, R"({"_id":1,"a":1})"}},
                           UpdateFit::fuzzy);
  ASSERT_TRUE(folded.ok());
  EXPECT_EQ(*folded->document, json(R"({"_id":1,"a":1})"));
}

TEST(Fold, over_a_fuzzy_base_a_later_delete_settles_a_skipped_update) {
  const auto folded = fold(std::nullopt, {{EventKind::update, set_a2}, {EventKind::remove, "{}"}},
                           UpdateFit::fuzzy);
  ASSERT_TRUE(folded.ok());
  EXPECT_FALSE(folded->document.has_value());
  EXPECT_FALSE(folded->unsettled);
}

TEST(Fold, over_a_fuzzy_base_an_update_alone_of_what_is_missing_stays_unsettled) {
  const auto folded = fold(std::nullopt, {{EventKind::update, set_a2}}, UpdateFit::fuzzy);
  ASSERT_TRUE(folded.ok());
  EXPECT_TRUE(folded->unsettled);
}

TEST(Fold, over_an_exact_base_whatever_does_not_fit_is_corruption) {
  const std::vector<std::pair<std::optional<std::string_view>, Step>> misfits{
      {R"({"_id":1})", {EventKind::insert, R"({"_id":1})"}},
      {std::nullopt, {EventKind::update, set_a2}},
      {std::nullopt, {EventKind::replace, R"({"_id":1})"}},
      {std::nullopt, {EventKind::remove, "{}"}},
  };
  for (const auto& [base, step] : misfits) {
    const auto folded = fold(base, {step}, UpdateFit::strict);
    ASSERT_FALSE(folded.ok());
    EXPECT_EQ(folded.error().code(), ErrorCode::corrupt);
  }
}

TEST(Fold, applies_changes_in_order) {
  const auto folded = fold(R"({"_id":1,"a":1})",
                           {{EventKind::update, set_a2},
                            {EventKind::replace, R"({"_id":1,"c":1})"},
                            {EventKind::update, R"({"updatedFields":{"c":5},"removedFields":[]})"}},
                           UpdateFit::strict);
  ASSERT_TRUE(folded.ok());
  EXPECT_EQ(*folded->document, json(R"({"_id":1,"c":5})"));
}

TEST(ChangeRecord, survives_its_encoding_and_orders_by_collection_then_key) {
  const bson::Document low = json(R"({"_id":1,"x":[1,2]})");
  const bson::Document high = json(R"({"_id":{"$numberDouble":"1.5"}})");
  Event event;
  event.kind = EventKind::replace;
  event.key = low.view().find("_id");
  event.body = low.view();
  Uuid uuid{};
  uuid[0] = 7;
  Bytes first;
  encode_change(uuid, event, first);
  const ChangeRecord decoded = decode_change(first);
  EXPECT_EQ(decoded.uuid, uuid);
  EXPECT_EQ(decoded.kind, EventKind::replace);
  EXPECT_TRUE(decoded.key.identical(*event.key));
  EXPECT_TRUE(same_bytes(decoded.body.bytes(), low.bytes()));

  event.kind = EventKind::remove;
  event.key = high.view().find("_id");
  event.body.reset();
  Bytes second;
  encode_change(uuid, event, second);
  EXPECT_TRUE(change_before(first, second));
  EXPECT_FALSE(change_before(second, first));
  Uuid other{};
  Bytes third;
  encode_change(other, event, third);
  EXPECT_TRUE(change_before(third, first));
}

}  // namespace
}  // namespace holdfast::changelog
