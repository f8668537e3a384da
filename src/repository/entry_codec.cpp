#include "repository/entry_codec.h"

#include <string>

namespace holdfast::repository {
namespace {

constexpr std::size_t position_bytes = 8;
constexpr std::size_t first_name_offset = 5;   // length prefix and type
constexpr std::size_t first_value_offset = 9;  // and "_id" with its terminator
constexpr std::size_t object_id_bytes = 12;

Error damaged(std::string_view why) { return {ErrorCode::corrupt, std::string(why)}; }

bson::ValueView position_key(const std::uint8_t* at) {
  return {bson::Type::int64, {at, position_bytes}};
}

std::optional<Entry::Kind> kind_of(std::uint8_t byte) {
  switch (static_cast<Entry::Kind>(byte)) {
    case Entry::Kind::put: return Entry::Kind::put;
    case Entry::Kind::remove: return Entry::Kind::remove;
    case Entry::Kind::put_at: return Entry::Kind::put_at;
  }
  return std::nullopt;
}

/// The checked counterpart of take_entry.
Result<KeyedEntry> take_unchecked(ByteView& rest) {
  const auto kind = kind_of(rest.front());
  if (!kind) return damaged("an entry of an unknown kind");
  rest = rest.subspan(1);
  const std::uint8_t* const position_at = rest.data();
  if (*kind == Entry::Kind::put_at) {
    if (rest.size() < position_bytes) return damaged("an entry that is cut off");
    rest = rest.subspan(position_bytes);
  }
  const auto size = bson::front_document_size(rest);
  if (!size) return damaged("an entry that is cut off");
  const ByteView bytes = rest.first(*size);
  HOLDFAST_CHECK(bson::validate_document(bytes));
  rest = rest.subspan(*size);

  const bson::DocumentView document(bytes);
  if (*kind == Entry::Kind::put_at) {
    const auto position = load_little_endian<std::int64_t>(position_at);
    return KeyedEntry{{*kind, document, position}, position_key(position_at)};
  }
  const auto key = document_key(document);
  if (!key) return damaged("a document without _id");
  return KeyedEntry{{*kind, document, 0}, *key};
}

}  // namespace

std::optional<bson::ValueView> document_key(bson::DocumentView document) {
  const ByteView bytes = document.bytes();
  if (bytes.size() > first_value_offset + object_id_bytes &&
      std::memcmp(bytes.data() + first_name_offset, "_id", 4) == 0 &&
      static_cast<bson::Type>(bytes[4]) == bson::Type::object_id) {
    return bson::ValueView(bson::Type::object_id,
                           bytes.subspan(first_value_offset, object_id_bytes));
  }
  return document.find("_id");
}

Result<bson::ValueView> entry_key(const Entry& entry) {
  if (entry.kind == Entry::Kind::put_at) {
    return position_key(reinterpret_cast<const std::uint8_t*>(&entry.position));
  }
  const auto key = document_key(entry.document);
  if (!key) return damaged("a document without _id");
  return *key;
}

std::size_t encoded_size(const Entry& entry) {
  return 1 + (entry.kind == Entry::Kind::put_at ? position_bytes : 0) +
         entry.document.bytes().size();
}

void append_entry(BlockBuffer& block, const Entry& entry) {
  std::uint8_t* at = block.extend(encoded_size(entry));
  *at++ = static_cast<std::uint8_t>(entry.kind);
  if (entry.kind == Entry::Kind::put_at) {
    std::memcpy(at, &entry.position, position_bytes);
    at += position_bytes;
  }
  std::memcpy(at, entry.document.bytes().data(), entry.document.bytes().size());
}

KeyedEntry take_entry(ByteView& checked) {
  const auto kind = static_cast<Entry::Kind>(checked.front());
  const std::uint8_t* const position_at = checked.data() + 1;
  const std::size_t before = kind == Entry::Kind::put_at ? 1 + position_bytes : 1;
  const auto size = load_little_endian<std::uint32_t>(checked.data() + before);
  const bson::DocumentView document(checked.subspan(before, size));
  checked = checked.subspan(before + size);
  if (kind == Entry::Kind::put_at) {
    const auto position = load_little_endian<std::int64_t>(position_at);
    return {{kind, document, position}, position_key(position_at)};
  }
  const auto key = document_key(document);
  return {{kind, document, 0}, key ? *key : bson::ValueView(bson::Type::null, {})};
}

Result<std::uint64_t> check_entries(ByteView raw, const BlockPromise& promise) {
  std::uint32_t entries = 0;
  std::uint64_t document_bytes = 0;
  bson::ValueView last = promise.first_key;
  while (!raw.empty()) {
    HOLDFAST_TRY(const KeyedEntry taken, take_unchecked(raw));
    if (entries == 0) {
      if (!taken.key.identical(promise.first_key)) {
        return damaged("its first key is not the one in the index");
      }
    } else if (compare_keys(last, taken.key) >= 0) {
      return damaged("its keys are out of order");
    }
    last = taken.key;
    ++entries;
    if (taken.entry.kind != Entry::Kind::remove) {
      document_bytes += taken.entry.document.bytes().size();
    }
  }
  if (entries != promise.entries) return damaged("its number of entries is not that in the index");
  const auto against_limit = compare_keys(last, promise.limit_key);
  if (against_limit > 0 || (against_limit == 0 && !promise.limit_included)) {
    return damaged("its last key is beyond what the index says");
  }
  return document_bytes;
}

}  // namespace holdfast::repository
