#include "profile/evaluation.h"

#include <algorithm>

namespace holdfast::profile {
namespace {

constexpr std::size_t no_slot = static_cast<std::size_t>(-1);
/// Beyond that many fields a document's order is not remembered; they are looked up.
constexpr std::size_t most_guesses = 256;

std::size_t look_up(const std::vector<std::string>& names, std::string_view name) {
  for (std::size_t slot = 0; slot < names.size(); ++slot) {
    if (names[slot] == name) return slot;
  }
  return no_slot;
}

}  // namespace

std::size_t FieldNames::slot_of(std::string_view name) {
  const std::size_t found = look_up(names_, name);
  if (found != no_slot) return found;
  names_.emplace_back(name);
  return names_.size() - 1;
}

void Evaluation::set_root(bson::DocumentView document) {
  arena_.reset();
  failed_ = false;
  root_ = document;
  slots_.assign(fields_.names().size(), Datum());
  if (slots_.empty()) return;
  std::size_t position = 0;
  for (const bson::Element& element : document) {
    const std::size_t slot = find_slot(element.name, position++);
    // Names may repeat; the first one counts, as on the server.
    if (slot != no_slot && slots_[slot].missing()) slots_[slot] = Datum(element.value);
  }
}

std::size_t Evaluation::find_slot(std::string_view name, std::size_t position) {
  if (position < guesses_.size() && guesses_[position].name == name) {
    return guesses_[position].slot;
  }
  const std::size_t slot = look_up(fields_.names(), name);
  if (position < most_guesses) {
    if (position >= guesses_.size()) guesses_.resize(position + 1);
    guesses_[position] = {std::string(name), slot};
  }
  return slot;
}

Datum Evaluation::fail(std::string message) {
  if (!failed_) failure_ = std::move(message);
  failed_ = true;
  return {};
}

}  // namespace holdfast::profile
