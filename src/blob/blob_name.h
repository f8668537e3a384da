#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace holdfast::blob {

/// The longest name: what S3 takes, and every file system.
inline constexpr std::size_t max_name_bytes = 1024;
/// The longest part between two '/': what file systems take.
inline constexpr std::size_t max_component_bytes = 255;

/// Whether the text may be a part of a name: [A-Za-z0-9._-]+, not starting with a dot.
[[nodiscard]] bool is_name_component(std::string_view text);

/// Refuses what is no name of a blob (usage): so no name leaves the store ("..", "/etc") or hits
/// its own files (".tmp-…"). Pure.
[[nodiscard]] Status check_blob_name(std::string_view name);
/// The same for a prefix, which is empty or a name with '/' at its end.
[[nodiscard]] Status check_blob_prefix(std::string_view prefix);

/// All of a name before its last '/', or empty.
[[nodiscard]] std::string_view folder_of(std::string_view name);

}  // namespace holdfast::blob
