#pragma once

#include <string>
#include <string_view>

#include "cli/command_line.h"

namespace CLI {
class Option;
}

namespace holdfast::cli {

/// What an option takes, "FILE"; empty for a flag.
[[nodiscard]] std::string value_name(const CLI::Option& option);

/// `holdfast --help`: all commands by group, the common options, the exit codes. With a
/// `group_word` ("snapshot") only the commands that begin with it.
[[nodiscard]] std::string overview_help(const Commands& commands, std::string_view group_word = {});
/// One command's help: usage, description, options, examples. 80 columns wide.
[[nodiscard]] std::string command_help(Command& command);

}  // namespace holdfast::cli
