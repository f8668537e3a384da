#pragma once

#include "cli/command_line.h"

namespace holdfast::cli {

/// The one table of commands, in the order of help. A new command is a file and a row.
[[nodiscard]] Commands make_all_commands();

}  // namespace holdfast::cli
