#include "changelog/event_name.h"

#include <charconv>
#include <optional>

namespace holdfast::changelog {

namespace {

std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take_sign(std::string_view& text, char sign) {
  if (text.empty() || text.front() != sign) return false;
  text.remove_prefix(1);
  return true;
}

/// Knows an event's number among those of its time, and only with the next one whether there are
/// others: so each is held back by one.
class Namer {
 public:
  explicit Namer(const std::function<Status(const NamedEvent&)>& visit) : visit_(visit) {}

  Status take(const Event& event) {
    const bool same_time = held_ && event.time == name_.time;
    shared_ = shared_ || same_time;
    HOLDFAST_CHECK(give());
    name_ = {event.time, same_time ? name_.ordinal + 1 : 1};
    shared_ = same_time;
    held_ = bson::Document(event.raw);
    return {};
  }

  Status give() {
    if (!held_) return {};
    HOLDFAST_TRY(const Event event, parse_event(held_->view()));
    return visit_({event, name_, shared_});
  }

 private:
  const std::function<Status(const NamedEvent&)>& visit_;
  std::optional<bson::Document> held_;
  EventName name_;
  bool shared_ = false;
};

}  // namespace

std::string EventName::text() const {
  return ordinal == 0 ? time.text() : time.text() + "." + std::to_string(ordinal);
}

Result<EventName> parse_event_name(std::string_view text) {
  std::string_view rest = text;
  EventName name;
  const auto seconds = take_number(rest);
  const bool colon = take_sign(rest, ':');
  const auto increment = take_number(rest);
  bool good = seconds && colon && increment;
  if (good && take_sign(rest, '.')) {
    const auto ordinal = take_number(rest);
    name.ordinal = ordinal.value_or(0);
    good = name.ordinal > 0;
  }
  if (!good || !rest.empty()) {
    return Error(ErrorCode::usage, "'" + std::string(text) + "' is no event's name",
                 "names look like 1763975654:3 or 1763975654:3.2; 'holdfast log' prints them");
  }
  name.time = {*seconds, *increment};
  return name;
}

Status visit_named(const EventSequence& sequence,
                   const std::function<Status(const NamedEvent&)>& visit) {
  Namer namer(visit);
  HOLDFAST_CHECK(sequence.visit([&namer](const Event& event) { return namer.take(event); }));
  return namer.give();
}

}  // namespace holdfast::changelog
