#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::cli {

/// The candidate that is a typing slip away from `word` (at most a third of its letters changed,
/// missing, added or swapped with their neighbour), or nothing.
[[nodiscard]] std::string nearest_word(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace holdfast::cli
