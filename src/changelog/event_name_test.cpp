#include "changelog/event_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "changelog/log_testing.h"

namespace holdfast::changelog {
namespace {

using namespace changelog::testing;  // NOLINT: the helpers of this module
using ::testing::ElementsAre;

class MadeSequence final : public EventSequence {
 public:
  explicit MadeSequence(const std::vector<MadeEvent>& events) : stream_(events) {
    if (!events.empty()) end_ = stream_.behind(events.size());
  }
  Status visit(const std::function<Status(const Event&)>& visit) const override {
    return stream_.visit_placed(
        {}, end_, [&visit](const Event& event, const EventPlace&) { return visit(event); });
  }

 private:
  MadeStream stream_;
  Boundary end_;
};

std::vector<std::string> names_in(const std::vector<MadeEvent>& events) {
  std::vector<std::string> names;
  const Status visited = visit_named(MadeSequence(events), [&](const NamedEvent& named) -> Status {
    EXPECT_EQ(named.event.time, named.name.time);
    names.push_back(named.name_text());
    return {};
  });
  EXPECT_TRUE(visited.ok());
  return names;
}

TEST(EventName, is_the_time_and_a_number_where_times_repeat) {
  EXPECT_THAT(names_in({{{5, 1}, 1}, {{5, 2}, 2}, {{5, 2}, 3}, {{5, 2}, 4}, {{6, 1}, 5}}),
              ElementsAre("5:1", "5:2.1", "5:2.2", "5:2.3", "6:1"));
  EXPECT_THAT(names_in({{{5, 1}, 1}, {{5, 1}, 2}}), ElementsAre("5:1.1", "5:1.2"));
  EXPECT_THAT(names_in({}), ElementsAre());
}

TEST(EventName, comes_back_from_its_text) {
  for (const EventName& name : {EventName{{1763975654, 3}, 0}, EventName{{1763975654, 3}, 12}}) {
    const auto parsed = parse_event_name(name.text());
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, name);
  }
}

TEST(EventName, refuses_what_is_none) {
  for (const std::string_view text : {"", "5", "5:", ":5", "5:1.", "5:1.0", "5:1.x", "5:1x", "-5:1",
                                      "99999999999:1", "5:1.2.3"}) {
    const auto parsed = parse_event_name(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::usage);
  }
}

TEST(EventName, without_a_number_means_all_of_that_time) {
  EXPECT_TRUE((EventName{{5, 1}}.names({{5, 1}, 2})));
  EXPECT_TRUE((EventName{{5, 1}, 2}.names({{5, 1}, 2})));
  EXPECT_FALSE((EventName{{5, 1}, 2}.names({{5, 1}, 1})));
  EXPECT_FALSE((EventName{{5, 2}}.names({{5, 1}, 1})));
}

}  // namespace
}  // namespace holdfast::changelog
