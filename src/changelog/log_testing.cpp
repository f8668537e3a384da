#include "changelog/log_testing.h"

#include <gtest/gtest.h>

#include "bson/builder.h"

namespace holdfast::changelog::testing {

bson::Document made_token(ClusterTime time, int key) {
  bson::Builder token;
  token.append_string("_data", time.text() + "/" + std::to_string(key));
  return std::move(token).finish();
}

bson::Document made_event(const MadeEvent& made) {
  bson::Builder to;
  to.append_document("_id", made_token(made.time, made.key).view());
  to.append_string("operationType", made.operation);
  to.append_timestamp("clusterTime", made.time.packed());
  to.begin_document("ns").append_string("db", "shop").append_string("coll", "users").end();
  if (made.transaction != 0) {
    const Bytes session(16, 7);
    constexpr std::uint8_t uuid_subtype = 4;
    to.begin_document("lsid").append_binary("id", uuid_subtype, session).end();
    to.append_int64("txnNumber", made.transaction);
  }
  to.begin_document("documentKey").append_int32("_id", made.key).end();
  to.begin_document("fullDocument").append_int32("_id", made.key);
  to.append_string("text", std::string(made.filler, 'x')).end();
  return std::move(to).finish();
}

MadeStream::MadeStream(const std::vector<MadeEvent>& events) : made_(events) {
  for (const MadeEvent& made : events) events_.push_back(made_event(made));
}

Status MadeStream::visit_placed(const Boundary& from, const Boundary& to,
                                const Visit& visit) const {
  EXPECT_EQ(from.offset, from.events * 100);
  for (std::uint64_t at = from.events; at < to.events; ++at) {
    HOLDFAST_TRY(const Event event, parse_event(events_[at].view()));
    HOLDFAST_CHECK(visit(event, {at + 1, (at + 1) * 100}));
  }
  return {};
}

Boundary MadeStream::start(ClusterTime time) const { return {0, 0, time, made_token(time, 0)}; }

Boundary MadeStream::behind(std::size_t count) const {
  const MadeEvent& last = made_[count - 1];
  return {count, count * 100, last.time, made_token(last.time, last.key)};
}

std::vector<int> keys_of(const EventSequence& sequence) {
  std::vector<int> keys;
  const Status visited = sequence.visit([&keys](const Event& event) -> Status {
    keys.push_back(static_cast<int>(event.key->integral().value_or(-1)));
    return {};
  });
  EXPECT_TRUE(visited.ok()) << visited.error().message();
  return keys;
}

}  // namespace holdfast::changelog::testing
