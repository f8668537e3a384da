#include "mongo/resume_token_internal.h"

namespace holdfast::mongo {
namespace {

constexpr std::uint8_t key_string_timestamp = 0x82;
constexpr std::uint8_t key_string_small_number = 0x2b;
/// Type byte, timestamp, type byte of the version.
constexpr std::size_t shortest_token = 10;

}  // namespace

ClusterTime decode_token_time(bson::DocumentView token) {
  const auto text = token.find_string("_data");
  if (!text) return {};
  const auto data = from_hex(*text);
  if (!data || data->size() < shortest_token || data->front() != key_string_timestamp ||
      (*data)[shortest_token - 1] != key_string_small_number) {
    return {};
  }
  std::uint64_t packed = 0;
  for (std::size_t at = 1; at + 1 < shortest_token; ++at) packed = (packed << 8U) | (*data)[at];
  return ClusterTime::from_packed(packed);
}

ClusterTime time_settled_by(bson::DocumentView token) {
  const ClusterTime time = decode_token_time(token);
  return time.is_null() ? time : ClusterTime::from_packed(time.packed() - 1);
}

}  // namespace holdfast::mongo
