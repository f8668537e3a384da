#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::transfer {

/// A dump among others in a folder, and when it was taken.
struct FoundDump {
  std::filesystem::path path;
  WallTime taken{};
};

/// What lies in a folder of dumps: its files, and those of its folders that hold BSON files; names
/// that begin with a dot are left out. Oldest first. The date is that of the name where it holds
/// one ("20261123_091414", "2026-11-23", in this machine's zone), else of the last change.
/// Errors: not_found (there is nothing), those of the file system.
[[nodiscard]] Result<std::vector<FoundDump>> find_dumps(const std::filesystem::path& folder);

/// The date in a name, if there is one: eight digits or three parts, perhaps with a time of six
/// digits behind it.
[[nodiscard]] std::optional<WallTime> date_in_name(std::string_view name);

}  // namespace holdfast::transfer
