#include "changelog/event.h"

#include <gtest/gtest.h>

#include "bson/extended_json.h"

namespace holdfast::changelog {
namespace {

bson::Document json(std::string_view text) {
  auto document = bson::from_json(text);
  if (!document.ok()) ADD_FAILURE() << document.error().message();
  return std::move(document).value();
}

constexpr std::string_view head =
    R"("clusterTime":{"$timestamp":{"t":7,"i":3}},"ns":{"db":"shop","coll":"users"},)"
    R"("collectionUUID":{"$binary":{"base64":"awQF8Uy9QviCfkMnawQF8Q==","subType":"04"}},)";

std::string with(std::string_view rest) {
  return "{" + std::string(head) + std::string(rest) + "}";
}

TEST(Event, reads_an_insert_with_its_uuid_and_time) {
  const auto raw = json(
      with(R"("operationType":"insert","documentKey":{"_id":5},"fullDocument":{"_id":5,"a":1})"));
  const auto event = parse_event(raw.view());
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->kind, EventKind::insert);
  EXPECT_EQ(event->database, "shop");
  EXPECT_EQ(event->collection, "users");
  EXPECT_EQ(event->time, (ClusterTime{7, 3}));
  ASSERT_TRUE(event->uuid.has_value());
  EXPECT_EQ((*event->uuid)[0], 0x6b);
  EXPECT_EQ(event->key->integral(), 5);
  EXPECT_FALSE(event->transaction.has_value());
}

TEST(Event, reads_the_transaction_of_an_update) {
  const auto raw =
      json(with(R"("operationType":"update","documentKey":{"_id":5},"txnNumber":9,)"
                R"("lsid":{"id":{"$binary":{"base64":"iv/UzuKmR7qqpWOKflV67A==","subType":"04"}}},)"
                R"("updateDescription":{"updatedFields":{"a":2},"removedFields":[]})"));
  const auto event = parse_event(raw.view());
  ASSERT_TRUE(event.ok());
  ASSERT_TRUE(event->transaction.has_value());
  EXPECT_EQ(event->transaction->number, 9);
  EXPECT_EQ(event->transaction->session[0], 0x8a);
}

TEST(Event, reads_a_rename_that_replaces) {
  const auto raw = json(
      with(R"("operationType":"rename","to":{"db":"shop","coll":"people"},"operationDescription":)"
           R"({"to":{"db":"shop","coll":"people"},"dropTarget":)"
           R"({"$binary":{"base64":"AQQF8Uy9QviCfkMnawQF8Q==","subType":"04"}}})"));
  const auto event = parse_event(raw.view());
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->to_collection, "people");
  ASSERT_TRUE(event->replaced_uuid.has_value());
  EXPECT_EQ((*event->replaced_uuid)[0], 1);
}

TEST(Event, refuses_what_nobody_knows_instead_of_skipping_it) {
  const auto event = parse_event(json(with(R"("operationType":"transmogrify")")).view());
  ASSERT_FALSE(event.ok());
  EXPECT_EQ(event.error().code(), ErrorCode::unsupported);
}

TEST(Event, refuses_events_without_what_their_kind_needs) {
  for (const std::string_view rest :
       {R"("operationType":"insert","documentKey":{"_id":5})",
        R"("operationType":"insert","documentKey":{},"fullDocument":{"_id":5})",
        R"("operationType":"update","documentKey":{"_id":5},"fullDocument":{"_id":5})",
        R"("operationType":"rename")", R"("x":1)"}) {
    const auto raw = json(with(rest));
    const auto event = parse_event(raw.view());
    ASSERT_FALSE(event.ok()) << rest;
    EXPECT_EQ(event.error().code(), ErrorCode::corrupt);
  }
}

}  // namespace
}  // namespace holdfast::changelog
