#pragma once

#include <string>

#include "checks/check.h"
#include "cli/output.h"

namespace holdfast::cli {

/// What a check found, for people: the gravest first, each with its sentence, documents, query and
/// repair. `output` colours the severities.
[[nodiscard]] std::string check_report_text(const checks::CheckReport& report,
                                            const Output& output);
/// The same for programs: rules that were checked, and the findings.
[[nodiscard]] Json check_report_json(const checks::CheckReport& report);

}  // namespace holdfast::cli
