#include "dataset/types.h"

#include <xxhash.h>

#include <array>
#include <string>

namespace holdfast {
namespace {

std::uint64_t byte_swapped(std::uint64_t value) { return __builtin_bswap64(value); }

}  // namespace

std::string ClusterTime::text() const {
  return std::to_string(seconds) + ":" + std::to_string(increment);
}

std::string to_text(const Uuid& uuid) {
  std::string text = to_hex(uuid);
  for (const std::size_t dash_at : {8U, 13U, 18U, 23U}) text.insert(dash_at, "-");
  return text;
}

std::string_view name_of(CollectionType type) {
  switch (type) {
    case CollectionType::collection: return "collection";
    case CollectionType::view: return "view";
    case CollectionType::timeseries: return "timeseries";
  }
  return "unknown";
}

std::optional<bson::DocumentView> CollectionInfo::collation() const {
  const auto found = options.view().find_document("collation");
  if (!found || found->find_string("locale") == "simple") return std::nullopt;
  return found;
}

void Fingerprint::add(const Fingerprint& other) {
  documents += other.documents;
  low += other.low;
  high += other.high + (low < other.low ? 1 : 0);
}

void Fingerprint::subtract(const Fingerprint& other) {
  documents -= other.documents;
  high -= other.high + (low < other.low ? 1 : 0);
  low -= other.low;
}

std::string Fingerprint::text() const {
  // The number as it is read by people: the most significant digit first.
  std::array<std::uint8_t, 16> digits{};
  const std::array<std::uint64_t, 2> halves = {byte_swapped(high), byte_swapped(low)};
  std::memcpy(digits.data(), halves.data(), digits.size());
  return to_hex(digits);
}

Fingerprint DocumentHasher::hash(ByteView document) const {
  const XXH128_hash_t sum =
      XXH3_128bits_withSecret(document.data(), document.size(), secret_.data(), secret_.size());
  return {.documents = 1, .low = sum.low64, .high = sum.high64};
}

}  // namespace holdfast
