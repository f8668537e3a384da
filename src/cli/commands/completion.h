#pragma once

#include <memory>

#include "cli/command.h"

namespace holdfast::cli {

[[nodiscard]] std::unique_ptr<Command> make_completion_command();

}  // namespace holdfast::cli
