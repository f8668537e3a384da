#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "repository/sealing.h"

namespace holdfast::repository {

/// The newest format of a repository that this program writes and reads.
inline constexpr std::int64_t repository_format = 1;

/// `holdfast.json`: what must be known before a key is.
struct Header {
  RepositoryId id{};
  bool encrypted = true;
  WallTime created{};

  [[nodiscard]] std::string id_text() const { return to_hex(id); }
};

[[nodiscard]] std::string encode_header(const Header& header);
/// Errors: corrupt, unsupported (a newer format, or a feature that this version does not know).
[[nodiscard]] Result<Header> decode_header(ByteView bytes);

/// Milliseconds since 1970, as the formats keep times.
[[nodiscard]] std::int64_t to_milliseconds(WallTime time);
[[nodiscard]] WallTime from_milliseconds(std::int64_t milliseconds);
/// The clock counts nanoseconds, which end in 2262; times beyond 2255 are taken for damage.
inline constexpr std::int64_t max_milliseconds = 9'000'000'000'000;

}  // namespace holdfast::repository
