#include "cli/exit_code.h"

#include <array>

namespace holdfast::cli {

std::span<const ExitCodeInfo> exit_codes() {
  static constexpr std::array<ExitCodeInfo, 11> table{{
      {ExitCode::done, "done"},
      {ExitCode::failed, "failed; the message says why"},
      {ExitCode::usage, "the command line or a setting makes no sense; nothing was touched"},
      {ExitCode::partial, "done in part; the message names what is missing"},
      {ExitCode::findings, "done, and damage or differences were found"},
      {ExitCode::no_repository, "there is no repository at that place"},
      {ExitCode::busy, "somebody else holds it; waiting may help"},
      {ExitCode::wrong_key, "the key given does not open the repository, or none was given"},
      {ExitCode::gap, "that time cannot be recovered: its history is lost"},
      {ExitCode::interrupted, "interrupted (SIGINT)"},
      {ExitCode::terminated, "terminated (SIGTERM)"},
  }};
  return table;
}

ExitCode exit_code_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return ExitCode::usage;
    case ErrorCode::no_repository: return ExitCode::no_repository;
    case ErrorCode::corrupt: return ExitCode::findings;
    case ErrorCode::wrong_key: return ExitCode::wrong_key;
    case ErrorCode::busy: return ExitCode::busy;
    case ErrorCode::gap: return ExitCode::gap;
    case ErrorCode::partial: return ExitCode::partial;
    case ErrorCode::findings: return ExitCode::findings;
    case ErrorCode::cancelled: return ExitCode::interrupted;
    case ErrorCode::not_found:
    case ErrorCode::exists:
    case ErrorCode::denied:
    case ErrorCode::precondition:
    case ErrorCode::retry:
    case ErrorCode::no_space:
    case ErrorCode::io:
    case ErrorCode::unsupported: return ExitCode::failed;
  }
  return ExitCode::failed;
}

}  // namespace holdfast::cli
