#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "repository/log_segment.h"

/// Names and headers of log segments; see docs/format/repository.md, "Log segments".
namespace holdfast::repository {

/// The blob name of the segment that covers these databases (sorted) and starts there.
[[nodiscard]] std::string log_segment_name(std::string_view source,
                                           const std::vector<std::string>& databases,
                                           const LogPosition& start);

/// The header document: all but `name` and `stored_bytes`, which the store tells.
[[nodiscard]] Bytes encode_log_header(const LogSegmentInfo& info);
/// The reverse, `name` included. Errors: corrupt.
[[nodiscard]] Result<LogSegmentInfo> decode_log_header(ByteView block);

}  // namespace holdfast::repository
