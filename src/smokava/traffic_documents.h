#pragma once

#include <string_view>

#include "bson/document.h"
#include "smokava/dice.h"
#include "smokava/object_ids.h"

namespace holdfast::smokava {

/// Whether documents of this collection may come and go (unique keys and references of the
/// others are in nobody's way).
[[nodiscard]] bool may_come_and_go(std::string_view collection);

/// A new document after the pattern of another one: same fields, its own `_id` and its own values
/// under unique indexes.
[[nodiscard]] bson::Document clone_with_id(bson::DocumentView pattern, const ObjectId& id,
                                           Dice& dice);

/// The same document with a field more, a field less and two fields in another order; fields
/// under unique indexes and arrays that updates go into stay.
[[nodiscard]] bson::Document rearranged(bson::DocumentView document, Dice& dice,
                                        std::int64_t now_ms);

}  // namespace holdfast::smokava
