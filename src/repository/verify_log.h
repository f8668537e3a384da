#pragma once

#include <stop_token>
#include <string>

#include "base/progress.h"
#include "repository/log_store.h"
#include "repository/verify_state.h"

namespace holdfast::repository {

/// Reads the header of every log segment, with `read_data` its events as well, and sees whether one
/// is missing from its chain; damage goes into the state. Errors: cancelled, retry, …
[[nodiscard]] Status verify_log(LogStore& log, bool read_data, VerifyState& state,
                                ProgressSink& progress, const std::stop_token& stop);

/// A log segment that cannot be read.
[[nodiscard]] Damage damaged_log_segment(const std::string& name, const Error& error);

}  // namespace holdfast::repository
