#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

/// Whether an argument of `verify` names a file or folder and not a snapshot.
[[nodiscard]] bool names_a_file(const std::string& argument);

/// `verify FILE`: reads every document of dumps outside of the repository, and says what is whole.
[[nodiscard]] Result<ExitCode> verify_files(Context& context, const std::vector<std::string>& files,
                                            const std::vector<std::string>& required);

}  // namespace holdfast::cli
