#include "changelog/event_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bson/extended_json.h"
#include "changelog/log_testing.h"

namespace holdfast::changelog {
namespace {

using namespace changelog::testing;  // NOLINT: the helpers of this module
using ::testing::ElementsAre;

/// Seconds alone, as commands take them among other forms.
Result<TimeSpan> seconds(std::string_view text) {
  const auto name = parse_event_name(text);
  if (name.ok()) return TimeSpan{name->time, name->time};
  const auto number = static_cast<std::uint32_t>(std::atoi(std::string(text).c_str()));
  if (number == 0) return Error(ErrorCode::usage, "no time");
  return TimeSpan{{number, 0}, {number, 0xffffffff}};
}

bool matches(std::string_view selection, const MadeEvent& made, std::uint32_t ordinal = 1) {
  const auto parsed = parse_event_selection(selection, seconds);
  if (!parsed.ok()) {
    ADD_FAILURE() << parsed.error().message();
    return false;
  }
  const bson::Document raw = made_event(made);
  const auto event = parse_event(raw.view());
  EXPECT_TRUE(event.ok());
  return parsed->matches({*event, {event->time, ordinal}, false});
}

const MadeEvent removal{{20, 3}, 5, 0, 0, "delete"};

TEST(EventSelection, each_part_must_fit) {
  EXPECT_TRUE(matches("op=delete ns=shop.users time=10..30 id=5", removal));
  EXPECT_FALSE(matches("op=insert ns=shop.users time=10..30 id=5", removal));
  EXPECT_FALSE(matches("op=delete ns=shop.orders time=10..30 id=5", removal));
  EXPECT_FALSE(matches("op=delete ns=shop.users time=21..30 id=5", removal));
  EXPECT_FALSE(matches("op=delete ns=shop.users time=10..30 id=6", removal));
}

TEST(EventSelection, one_of_several_values_is_enough) {
  EXPECT_TRUE(matches("op=insert,delete", removal));
  EXPECT_TRUE(matches("ns=*.orders,us*", removal));
  EXPECT_TRUE(matches("id=7 id=5", removal));
  EXPECT_TRUE(matches("event=9:1,20:3", removal));
}

TEST(EventSelection, times_include_their_ends_and_may_be_open) {
  EXPECT_TRUE(matches("time=20..20", removal));
  EXPECT_TRUE(matches("time=20", removal));
  EXPECT_TRUE(matches("time=20:3", removal));
  EXPECT_FALSE(matches("time=20:4", removal));
  EXPECT_TRUE(matches("time=20:3..20:3", removal));
  EXPECT_FALSE(matches("time=20:4..", removal));
  EXPECT_FALSE(matches("time=..20:2", removal));
  EXPECT_TRUE(matches("time=..21", removal));
}

TEST(EventSelection, ids_are_compared_as_mongodb_does) {
  EXPECT_TRUE(matches("id=5.0", removal));
  EXPECT_TRUE(matches(R"(id={"$numberLong": "5"})", removal));
  EXPECT_FALSE(matches(R"(id="5")", removal));
}

TEST(EventSelection, an_event_is_meant_with_or_without_its_number) {
  EXPECT_TRUE(matches("event=20:3.2", removal, 2));
  EXPECT_FALSE(matches("event=20:3.2", removal, 1));
  EXPECT_TRUE(matches("event=20:3", removal, 2));
}

TEST(EventSelection, refuses_what_it_does_not_understand) {
  for (const std::string_view text :
       {"", " ", "op", "op=", "delete", "op=destroy", "what=5", "time=..", "time=30..10", "time=x",
        "id=hello", "event=5", "id={\"a\":1"}) {
    const auto parsed = parse_event_selection(text, seconds);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::usage) << text;
  }
}

TEST(DocumentId, is_twenty_four_digits_or_extended_json) {
  const auto type = [](std::string_view text) {
    const auto id = parse_document_id(text);
    EXPECT_TRUE(id.ok()) << text;
    return id.ok() ? id->view().type() : bson::Type::null;
  };
  EXPECT_EQ(type("0123456789abcdef01234567"), bson::Type::object_id);
  EXPECT_EQ(type(R"({"$oid": "0123456789abcdef01234567"})"), bson::Type::object_id);
  EXPECT_EQ(type(R"("0123456789abcdef01234567")"), bson::Type::string);
  EXPECT_EQ(type("5"), bson::Type::int32);
  EXPECT_EQ(type(R"({"a": 1, "b": [2, 3]})"), bson::Type::document);
  EXPECT_FALSE(parse_document_id("5, \"x\": 6").ok());
}

TEST(Operations, are_known_however_they_are_capitalised) {
  EXPECT_EQ(parse_operation("DROPdatabase").value(), "dropDatabase");
  EXPECT_FALSE(parse_operation("invalidate").ok());
}

}  // namespace
}  // namespace holdfast::changelog
