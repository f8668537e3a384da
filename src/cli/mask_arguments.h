#pragma once

namespace holdfast::cli {

/// Overwrites, in the process's own argument memory, the passwords of every URI among the
/// arguments, so that `ps` and /proc/PID/cmdline show "***" from here on. Read the arguments first.
void mask_arguments(int argc, char** argv);

}  // namespace holdfast::cli
