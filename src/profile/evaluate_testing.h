#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::profile {

/// What an expression (as Extended JSON) gives on a document (the same), as relaxed Extended JSON;
/// "missing"; "error: …" of the evaluation; "refused: …" of the parser.
[[nodiscard]] std::string evaluate_text(std::string_view expression, std::string_view document,
                                        std::int64_t now_ms = 0);

}  // namespace holdfast::profile
