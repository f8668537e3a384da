#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "changelog/boundary.h"
#include "changelog/event_sequence.h"

/// Hand-made events for tests.
namespace holdfast::changelog::testing {

/// An event of "shop.users" at this time; `transaction` 0 means none. `filler` makes it longer.
struct MadeEvent {
  ClusterTime time;
  int key = 0;
  std::int64_t transaction = 0;
  std::size_t filler = 0;
  std::string_view operation = "insert";
};
[[nodiscard]] bson::Document made_event(const MadeEvent& made);
/// The token of the event with this time and key: what a boundary behind it has.
[[nodiscard]] bson::Document made_token(ClusterTime time, int key);

/// A drained stream in memory.
class MadeStream final : public PlacedEvents {
 public:
  explicit MadeStream(const std::vector<MadeEvent>& events);
  [[nodiscard]] Status visit_placed(const Boundary& from, const Boundary& to,
                                    const Visit& visit) const override;
  /// Before the first event, and behind `count` of them.
  [[nodiscard]] Boundary start(ClusterTime time) const;
  [[nodiscard]] Boundary behind(std::size_t count) const;

 private:
  std::vector<MadeEvent> made_;
  std::vector<bson::Document> events_;
};

/// The keys of the events of a sequence, in order.
[[nodiscard]] std::vector<int> keys_of(const EventSequence& sequence);

}  // namespace holdfast::changelog::testing
