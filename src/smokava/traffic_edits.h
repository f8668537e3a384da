#pragma once

#include <span>
#include <string_view>

#include "bson/document.h"
#include "smokava/dice.h"
#include "smokava/traffic_targets.h"

namespace holdfast::smokava {

/// One kind of update, as text: a JSON object with `update`, and where needed `where` (joined to
/// the `_id` in the filter) and `arrayFilters`. Words in angle brackets stand for values:
/// <user> <restaurant> <admin> <package> <id> <now> <soon> <flavor> <comment> <reason> <code>
/// <small> <big>.
struct Edit {
  std::string_view operation;
  std::string_view collection;
  unsigned weight;
  std::string_view text;
};

[[nodiscard]] std::span<const Edit> edits();
/// One by dice, by weight.
[[nodiscard]] const Edit& pick_edit(Dice& dice);

/// The edit's object with values for its words. Asserts that the text is well-formed.
/// `everybody`: all targets, for references.
[[nodiscard]] bson::Document fill_in(std::string_view text, Dice& dice,
                                     const TrafficTargets& everybody, std::int64_t now_ms);

}  // namespace holdfast::smokava
