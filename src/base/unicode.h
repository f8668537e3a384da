#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::unicode {

// The few properties of Unicode 14 that tables on a terminal need; libc's wcwidth depends on the
// locale. Pure and thread-safe.

/// What `take` gives for a byte that is no part of well-formed UTF-8.
inline constexpr char32_t invalid = 0xFFFFFFFF;

/// Removes the first code point of `text`, which must not be empty, and returns it. Of malformed
/// text (overlong, surrogate, cut short, above U+10FFFF) it removes one byte and gives `invalid`.
[[nodiscard]] char32_t take(std::string_view& text);
/// Columns: 0, 1 or 2.
[[nodiscard]] std::size_t width(char32_t letter);
/// C0, DEL and C1.
[[nodiscard]] bool is_control(char32_t letter);
/// Explicit bidirectional formatting, and line and paragraph separators.
[[nodiscard]] bool reorders(char32_t letter);
/// Letters of right-to-left scripts (Bidi_Class R and AL), and the marks that act like one.
[[nodiscard]] bool is_right_to_left(char32_t letter);

}  // namespace holdfast::unicode
