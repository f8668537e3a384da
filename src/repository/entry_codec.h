#pragma once

#include <compare>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "bson/document.h"
#include "bson/order.h"
#include "repository/block_codec.h"
#include "repository/segment.h"

/// Entries as they stand in a block: kind byte, for put_at the position (int64), the document.
namespace holdfast::repository {

/// bson::compare, with the usual case in front: two ObjectIds.
[[nodiscard]] inline std::weak_ordering compare_keys(bson::ValueView a, bson::ValueView b) {
  if (a.type() == bson::Type::object_id && b.type() == bson::Type::object_id) {
    return std::memcmp(a.bytes().data(), b.bytes().data(), 12) <=> 0;
  }
  return bson::compare(a, b);
}

/// `_id`, which servers put first. `document` is valid.
[[nodiscard]] std::optional<bson::ValueView> document_key(bson::DocumentView document);

/// An entry and its key; both views into somebody's bytes.
struct KeyedEntry {
  Entry entry;
  bson::ValueView key;
};

/// The key of an entry that is about to be written. `position` must stay in place as long as the
/// key is used. Errors: corrupt (no `_id`).
[[nodiscard]] Result<bson::ValueView> entry_key(const Entry& entry);

[[nodiscard]] std::size_t encoded_size(const Entry& entry);
void append_entry(BlockBuffer& block, const Entry& entry);

/// Reads the entry at the front of bytes that `check_entries` accepted, and moves past it.
[[nodiscard]] KeyedEntry take_entry(ByteView& checked);

/// What the index promises about a block.
struct BlockPromise {
  std::uint32_t entries = 0;
  bson::ValueView first_key;
  bson::ValueView limit_key;    ///< All keys are below it, or …
  bool limit_included = false;  ///< … not above it.
};
/// Checks untrusted bytes of a block whole: every entry, every document, the order of keys, the
/// promise. Returns the bytes of all put documents. Errors: corrupt (why, not where).
[[nodiscard]] Result<std::uint64_t> check_entries(ByteView raw, const BlockPromise& promise);

}  // namespace holdfast::repository
