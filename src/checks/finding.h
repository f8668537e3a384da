#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "bson/document.h"
#include "profile/datum.h"
#include "profile/profile.h"

namespace holdfast::checks {

/// How many documents a finding names.
inline constexpr std::size_t most_examples = 20;

/// One document that breaks a rule.
struct Example {
  bson::Value id;
  std::optional<bson::Value> expected;
  std::optional<bson::Value> actual;
  /// What there is to say beside: a path, the reason why it could not be evaluated.
  std::string note;
};

/// What one rule found.
struct Finding {
  std::string rule;
  profile::Severity severity = profile::Severity::error;
  std::string collection;
  std::string sentence;
  std::uint64_t checked = 0;  ///< Documents (or elements, or keys) that it looked at.
  std::uint64_t violations = 0;
  std::vector<Example> examples;  ///< Those with the smallest `_id`s.
  std::string query;              ///< For mongosh: shows such documents; empty where none can.
  std::string repair;
};

/// Gathers one rule's violations on one thread; parts are merged afterwards. The result does not
/// depend on the order of `violation`s.
class Tally {
 public:
  void check() { ++checked_; }
  void check(std::uint64_t count) { checked_ += count; }
  /// Requires a key (an `_id` of any type).
  void violation(const profile::Datum& id, const profile::Datum* expected,
                 const profile::Datum* actual, std::string_view note = {});
  void merge(Tally&& other);
  void move_to(Finding& finding) &&;

  /// Remembers which documents it counted, by hash, for a second look.
  void remember(bool wanted) { remember_ = wanted; }
  /// Counts only documents that the first look counted. Null: all.
  void only(const std::unordered_set<std::uint64_t>* hashes) { only_ = hashes; }
  [[nodiscard]] const std::unordered_set<std::uint64_t>& remembered() const { return hashes_; }

 private:
  void keep(Example example);
  std::uint64_t checked_ = 0;
  std::uint64_t violations_ = 0;
  std::vector<Example> examples_;  ///< A heap, the largest `_id` first.
  bool remember_ = false;
  const std::unordered_set<std::uint64_t>* only_ = nullptr;
  std::unordered_set<std::uint64_t> hashes_;
};

}  // namespace holdfast::checks
