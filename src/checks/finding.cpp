#include "checks/finding.h"

#include <xxhash.h>

#include <algorithm>

#include "bson/order.h"
#include "checks/join_key.h"

namespace holdfast::checks {
namespace {

/// A second look at more than that many documents of one rule takes all of them as confirmed.
constexpr std::size_t most_remembered = 2'000'000;

bool before(const Example& a, const Example& b) {
  const auto order = bson::compare(a.id.view(), b.id.view());
  if (order != 0) return order < 0;
  return a.note < b.note;
}

std::uint64_t hash_of(const profile::Datum& id) {
  Bytes key;
  append_join_key(key, id);
  return XXH3_64bits(key.data(), key.size());
}

}  // namespace

void Tally::violation(const profile::Datum& id, const profile::Datum* expected,
                      const profile::Datum* actual, std::string_view note) {
  if (remember_ || only_ != nullptr) {
    const std::uint64_t hash = hash_of(id);
    if (only_ != nullptr && only_->size() < most_remembered && !only_->contains(hash)) return;
    if (remember_ && hashes_.size() < most_remembered) hashes_.insert(hash);
  }
  ++violations_;
  if (examples_.size() == most_examples) {
    std::array<std::uint8_t, 8> scratch;
    const bool later = !id.missing() && !id.is_list() &&
                       bson::compare(id.view(scratch), examples_.front().id.view()) > 0;
    if (later) return;
  }
  Example example{id.to_value(), {}, {}, std::string(note)};
  if (expected != nullptr && !expected->missing()) example.expected = expected->to_value();
  if (actual != nullptr && !actual->missing()) example.actual = actual->to_value();
  keep(std::move(example));
}

void Tally::keep(Example example) {
  examples_.push_back(std::move(example));
  std::ranges::push_heap(examples_, before);
  if (examples_.size() <= most_examples) return;
  std::ranges::pop_heap(examples_, before);
  examples_.pop_back();
}

void Tally::merge(Tally&& other) {
  checked_ += other.checked_;
  violations_ += other.violations_;
  for (Example& example : other.examples_) keep(std::move(example));
  hashes_.merge(other.hashes_);
}

void Tally::move_to(Finding& finding) && {
  std::ranges::sort(examples_, before);
  finding.checked = checked_;
  finding.violations = violations_;
  finding.examples = std::move(examples_);
}

}  // namespace holdfast::checks
