#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "changelog/event_sequence.h"
#include "dataset/types.h"

namespace holdfast::changelog {

/// Names an event of a source's log: its cluster time and, where several events share one (those
/// of a transaction do on mongod), its number among them.
struct EventName {
  ClusterTime time;
  std::uint32_t ordinal = 0;  ///< From 1; 0 stands for all events of that time.

  /// "1763975654:3", "1763975654:3.2".
  [[nodiscard]] std::string text() const;
  /// Whether an event that has this name, with its ordinal, is meant.
  [[nodiscard]] bool names(const EventName& event) const {
    return time == event.time && (ordinal == 0 || ordinal == event.ordinal);
  }
  friend auto operator<=>(const EventName&, const EventName&) = default;
};

/// Errors: usage.
[[nodiscard]] Result<EventName> parse_event_name(std::string_view text);

/// An event with its name, always with an ordinal; `shared` says whether others have its time, and
/// so whether it is needed to tell them apart.
struct NamedEvent {
  const Event& event;
  EventName name;
  bool shared = false;

  [[nodiscard]] std::string name_text() const {
    return shared ? name.text() : EventName{name.time}.text();
  }
};

/// Visits a sequence with names. Numbers count what the sequence gives: to be the same everywhere,
/// it must begin before the first event of a time, and not be filtered.
[[nodiscard]] Status visit_named(const EventSequence& sequence,
                                 const std::function<Status(const NamedEvent&)>& visit);

}  // namespace holdfast::changelog
