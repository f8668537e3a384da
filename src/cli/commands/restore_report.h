#pragma once

#include <string>

#include "cli/exit_code.h"
#include "cli/output.h"
#include "restore/restore.h"

namespace holdfast::cli {

/// The plan as a table, with what a drop would lose.
[[nodiscard]] std::string plan_text(const restore::RestorePlan& plan);
[[nodiscard]] Json plan_json(const restore::RestorePlan& plan);

/// Each collection's end; refused documents and differences by name; "identical" only if all of
/// it was compared and is.
[[nodiscard]] std::string outcome_text(const restore::RestoreOutcome& outcome,
                                       const restore::RestorePlan& plan);
[[nodiscard]] Json outcome_json(const restore::RestoreOutcome& outcome,
                                const restore::RestorePlan& plan, ExitCode code);

/// partial (documents were refused) before findings (something differs) before done.
[[nodiscard]] ExitCode exit_code_of(const restore::RestoreOutcome& outcome,
                                    const restore::RestorePlan& plan);

}  // namespace holdfast::cli
