#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "cli/exit_code.h"
#include "cli/setting.h"
#include "cli/terminal.h"

namespace holdfast::cli {

/// The program: arguments and environment of this process, its terminal, its signals. Masks the
/// passwords in `argv` before anything else. Returns the process's exit code.
int run_cli(int argc, char** argv);

/// The same with everything passed in.
struct Invocation {
  std::vector<std::string> arguments;  ///< Without the program's name.
  Environment environment;
  Terminal& terminal;
  const Clock& clock;
  RandomSource& random;
  std::stop_token stop;
  /// The signal that asked to stop, or 0.
  std::function<int()> signal = [] { return 0; };
  std::string default_config_file = "/etc/holdfast/holdfast.yaml";
};
[[nodiscard]] ExitCode run_command_line(const Invocation& invocation);

}  // namespace holdfast::cli
