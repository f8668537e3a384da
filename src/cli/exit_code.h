#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace holdfast::cli {

/// How the program ends; scripts rest on these numbers. docs/reference/exit-codes.md explains them.
enum class ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,
  partial = 3,
  findings = 4,
  no_repository = 10,
  busy = 11,
  wrong_key = 12,
  gap = 13,
  interrupted = 130,  ///< SIGINT
  terminated = 143,   ///< SIGTERM
};

struct ExitCodeInfo {
  ExitCode code;
  std::string_view meaning;
};

/// Every code with its meaning, ascending.
[[nodiscard]] std::span<const ExitCodeInfo> exit_codes();

/// The one mapping from errors. `cancelled` maps to `interrupted`; whoever knows the signal
/// refines it.
[[nodiscard]] ExitCode exit_code_for(ErrorCode code);

}  // namespace holdfast::cli
