#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "profile/datum.h"
#include "profile/evaluation.h"

namespace re2 {
class RE2;
}

namespace holdfast::profile {

/// The server's coercion of a value to text where an operator wants one: nullish is "", numbers,
/// dates and strings as written; nothing for the others.
[[nodiscard]] std::optional<std::string_view> coerce_to_text(Evaluation& evaluation,
                                                             const Datum& value);
/// A number or date as $toString writes it; requires one.
[[nodiscard]] std::string_view number_to_text(Evaluation& evaluation, const Datum& value);
/// Code points, as the server counts lengths; each byte that continues none begins one.
[[nodiscard]] std::size_t count_code_points(std::string_view text);
/// Any number, cut to an integer and to the range.
[[nodiscard]] std::int64_t clamp_to_int64(const Datum& number);

/// Compiles a pattern with MongoDB's options (i, m, s, x). Errors: usage (RE2 knows no
/// backreferences and no lookaround; says so).
[[nodiscard]] Result<std::unique_ptr<re2::RE2>> compile_pattern(std::string_view pattern,
                                                                std::string_view options);

/// "2026-11-23T09:14:14.000Z" of any year.
[[nodiscard]] std::string iso_text(std::int64_t milliseconds);

}  // namespace holdfast::profile
