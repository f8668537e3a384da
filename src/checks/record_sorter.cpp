#include "checks/record_sorter.h"

#include <algorithm>
#include <cstring>

namespace holdfast::checks {
namespace {

// A record: the key's length (32 bits), the key, the tag, the payload.
constexpr std::size_t length_bytes = 4;

Record parse(ByteView bytes) {
  const auto length = load_little_endian<std::uint32_t>(bytes.data());
  return {bytes.subspan(length_bytes, length), bytes[length_bytes + length],
          bytes.subspan(length_bytes + length + 1)};
}

int compare_bytes(ByteView a, ByteView b) {
  const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
  if (order != 0) return order;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

/// Runs many times a record: plain pointers, and the tag and payload looked at only for equal keys.
bool before(ByteView left, ByteView right) {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::memcpy(&first, left.data(), length_bytes);
  std::memcpy(&second, right.data(), length_bytes);
  const int order =
      std::memcmp(left.data() + length_bytes, right.data() + length_bytes, std::min(first, second));
  if (order != 0) return order < 0;
  if (first != second) return first < second;
  // The payloads too: the answer must not depend on which thread came first.
  const std::size_t rest = length_bytes + first;
  return compare_bytes(left.subspan(rest), right.subspan(rest)) < 0;
}

}  // namespace

RecordSorter::RecordSorter(const ExternalSorterSettings& settings, RandomSource& random)
    : sorter_(before, settings, random) {}

Status RecordSorter::add(const Record& record) {
  const std::scoped_lock lock(mutex_);
  scratch_.clear();
  append_little_endian(scratch_, static_cast<std::uint32_t>(record.key.size()));
  append_bytes(scratch_, record.key);
  scratch_.push_back(record.tag);
  append_bytes(scratch_, record.payload);
  return sorter_.add(scratch_);
}

Result<std::optional<Record>> RecordSorter::next() {
  HOLDFAST_TRY(const auto bytes, sorter_.next());
  if (!bytes) return std::optional<Record>();
  return std::optional<Record>(parse(*bytes));
}

}  // namespace holdfast::checks
