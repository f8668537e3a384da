#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bson/document.h"
#include "profile/arena.h"
#include "profile/datum.h"

namespace holdfast::profile {

/// The top-level fields that a group of expressions reads, each with a slot: one walk over a
/// document then serves all of them. Filled while parsing, read-only afterwards.
class FieldNames {
 public:
  [[nodiscard]] std::size_t slot_of(std::string_view name);
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// Whether some expression reads the whole document ($$ROOT).
  [[nodiscard]] bool whole() const { return whole_; }
  void use_whole() { whole_ = true; }

 private:
  std::vector<std::string> names_;
  bool whole_ = false;
};

/// What expressions are evaluated on: a document, variables, a clock; and what they compute, until
/// the next `set_root`. Not thread-safe; one per thread. `fields` must outlive it and have all its
/// names.
class Evaluation {
 public:
  explicit Evaluation(const FieldNames& fields, std::int64_t now_ms = 0)
      : fields_(fields), now_ms_(now_ms) {}

  /// Starts with the next document, which must stay in place while data of it are used.
  void set_root(bson::DocumentView document);
  /// Puts a value where a field of the document would be, e.g. what a join found.
  void set_field(std::size_t slot, const Datum& value) { slots_[slot] = value; }

  [[nodiscard]] const Datum& field(std::size_t slot) const { return slots_[slot]; }
  [[nodiscard]] bson::DocumentView root() const { return root_; }
  [[nodiscard]] std::int64_t now_ms() const { return now_ms_; }
  [[nodiscard]] Arena& arena() { return arena_; }

  [[nodiscard]] const Datum& variable(std::size_t index) const { return variables_[index]; }
  void set_variable(std::size_t index, const Datum& value) {
    if (index >= variables_.size()) variables_.resize(index + 1);
    variables_[index] = value;
  }

  /// Notes the first failure and gives missing; evaluation goes on with it, to no effect.
  Datum fail(std::string message);
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }
  void clear_failure() { failed_ = false; }

 private:
  [[nodiscard]] std::size_t find_slot(std::string_view name, std::size_t position);

  const FieldNames& fields_;
  std::int64_t now_ms_;
  bson::DocumentView root_;
  std::vector<Datum> slots_;
  /// Documents of one collection have mostly the same fields in the same order: which slot the
  /// field at this position had last time.
  struct Guess {
    std::string name;
    std::size_t slot;
  };
  std::vector<Guess> guesses_;
  std::vector<Datum> variables_;
  Arena arena_;
  bool failed_ = false;
  std::string failure_;
};

}  // namespace holdfast::profile
