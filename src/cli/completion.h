#pragma once

#include <string>

#include "cli/command_line.h"

namespace holdfast::cli {

enum class Shell { bash, zsh, fish };

/// A script that completes commands, options, names of files and, where an option's words are
/// fixed, those. Made of the commands' own declarations. zsh is served by its bash compatibility.
[[nodiscard]] std::string completion_script(const Commands& commands, Shell shell);

}  // namespace holdfast::cli
