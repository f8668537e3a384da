#include "changelog/change_record.h"

#include <algorithm>
#include <cstring>

#include "bson/order.h"

namespace holdfast::changelog {

namespace {

constexpr std::size_t kind_at = 16;
constexpr std::size_t time_at = 17;
constexpr std::size_t key_type_at = 25;
constexpr std::size_t key_length_at = 26;
constexpr std::size_t key_at = 30;
constexpr std::uint8_t left_out_bit = 0x80;

bson::ValueView key_of(ByteView record) {
  const auto length = load_little_endian<std::uint32_t>(record.data() + key_length_at);
  return {static_cast<bson::Type>(record[key_type_at]), record.subspan(key_at, length)};
}

}  // namespace

void encode_change(const Uuid& uuid, const Event& event, Bytes& out) {
  out.clear();
  append_bytes(out, uuid);
  const auto kind = static_cast<std::uint8_t>(event.kind);
  out.push_back(event.left_out ? kind | left_out_bit : kind);
  append_little_endian(out, event.time.packed());
  out.push_back(static_cast<std::uint8_t>(event.key->type()));
  append_little_endian(out, static_cast<std::uint32_t>(event.key->bytes().size()));
  append_bytes(out, event.key->bytes());
  if (event.body) append_bytes(out, event.body->bytes());
}

ChangeRecord decode_change(ByteView record) {
  ChangeRecord change;
  std::copy_n(record.begin(), change.uuid.size(), change.uuid.begin());
  change.kind = static_cast<EventKind>(record[kind_at] & ~left_out_bit);
  change.left_out = (record[kind_at] & left_out_bit) != 0;
  change.time =
      ClusterTime::from_packed(load_little_endian<std::uint64_t>(record.data() + time_at));
  change.key = key_of(record);
  const ByteView body = record.subspan(key_at + change.key.bytes().size());
  if (!body.empty()) change.body = bson::DocumentView(body);
  return change;
}

bool change_before(ByteView a, ByteView b) {
  if (const int order = std::memcmp(a.data(), b.data(), 16); order != 0) return order < 0;
  return bson::less(key_of(a), key_of(b));
}

}  // namespace holdfast::changelog
