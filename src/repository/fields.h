#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bson/document.h"

/// Reading fields of BSON documents that this module wrote: what is missing or of another type
/// is `corrupt`. Documents are validated already.
namespace holdfast::repository {

[[nodiscard]] Error bad_field(std::string_view field);
[[nodiscard]] Result<std::string> text_field(bson::DocumentView document, std::string_view field);
[[nodiscard]] Result<std::int64_t> integer_field(
    bson::DocumentView document, std::string_view field, std::int64_t least = 0,
    std::int64_t most = std::numeric_limits<std::int64_t>::max());
[[nodiscard]] Result<std::uint64_t> count_field(bson::DocumentView document,
                                                std::string_view field);
[[nodiscard]] Result<bool> bool_field(bson::DocumentView document, std::string_view field);
[[nodiscard]] Result<WallTime> time_field(bson::DocumentView document, std::string_view field);
[[nodiscard]] Result<bson::DocumentView> document_field(bson::DocumentView document,
                                                        std::string_view field);
[[nodiscard]] Result<std::vector<std::string>> texts_field(bson::DocumentView document,
                                                           std::string_view field);
/// Binary data of exactly `size` bytes.
[[nodiscard]] Result<ByteView> binary_field(bson::DocumentView document, std::string_view field,
                                            std::size_t size);

}  // namespace holdfast::repository
