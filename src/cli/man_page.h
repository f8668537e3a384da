#pragma once

#include <string>
#include <string_view>

#include "cli/command_line.h"

namespace holdfast::cli {

/// A manual page (man(7)) of the whole program: holdfast(1). Commands, settings, exit codes.
[[nodiscard]] std::string overview_man_page(const Commands& commands);
/// One command's page, holdfast-NAME(1): the same words as its help.
[[nodiscard]] std::string command_man_page(Command& command);
/// "holdfast-snapshot-tag" for "snapshot tag".
[[nodiscard]] std::string man_page_name(std::string_view command);

}  // namespace holdfast::cli
