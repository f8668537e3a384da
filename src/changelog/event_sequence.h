#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "changelog/event.h"

namespace holdfast::changelog {

/// Events of one source without a hole, in order: from a drained stream, from stored log segments,
/// from a dump's oplog. It begins and ends where no transaction is open. Thread-safe to read.
class EventSequence {
 public:
  virtual ~EventSequence() = default;
  /// Calls `visit` with each event, markers and events that say nothing of the data left out.
  /// May be called again, and then reads anew. Errors: those of `visit` and of what is read.
  [[nodiscard]] virtual Status visit(const std::function<Status(const Event&)>& visit) const = 0;
};

/// One sequence after the other, which must each go on where the one before ends, and outlive it.
class JoinedEvents final : public EventSequence {
 public:
  explicit JoinedEvents(std::vector<const EventSequence*> parts) : parts_(std::move(parts)) {}
  [[nodiscard]] Status visit(const std::function<Status(const Event&)>& visit) const override {
    for (const EventSequence* part : parts_) HOLDFAST_CHECK(part->visit(visit));
    return {};
  }

 private:
  const std::vector<const EventSequence*> parts_;
};

}  // namespace holdfast::changelog
