#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast::repository {

/// A segment entry. Keys are unique within a segment and ascend (bson::compare).
struct Entry {
  enum class Kind : std::uint8_t {
    put = 1,     ///< `document` is the whole document; its key is its `_id`.
    remove = 2,  ///< The key is gone; `document` is `{_id: key}`.
    put_at = 3,  ///< Capped collections: the key is `position`, an int64.
  };
  Kind kind = Kind::put;
  bson::DocumentView document;
  std::int64_t position = 0;
};

/// A file of the repository that holds segments, as the manifest names it.
struct FileRef {
  std::string name;  ///< 32 hexadecimal digits; blob "<source>/segments/<name>".
  std::uint64_t length = 0;
  std::array<std::uint8_t, 32> digest{};  ///< BLAKE2b-256 of the whole file as stored.
};

/// Values of SegmentRef::file from here on are files that a SnapshotWriter is still writing.
inline constexpr std::uint32_t own_file_handle = 0x80000000U;

/// A segment: a run of blocks in a file, found through its index block. Several segments (of one
/// or more collections) may share a file.
struct SegmentRef {
  std::uint32_t file = 0;  ///< Index into the manifest's list of files, or a handle.
  std::uint64_t index_offset = 0;
  std::uint32_t index_length = 0;  ///< Stored bytes of the index block.
  std::uint32_t index_block = 0;   ///< Its block number in the file (AAD).
  std::uint64_t entries = 0;
  std::uint64_t document_bytes = 0;
  std::uint64_t stored_bytes = 0;  ///< Blocks and index.
  /// `{_id: key}` of the first and last entry ({_id: position} for put_at).
  bson::Document first_key;
  bson::Document last_key;
};

/// Keys from `from` (included) to `to` (left out); nothing means without that bound.
struct KeyRange {
  std::optional<bson::Value> from;
  std::optional<bson::Value> to;
};

/// Segments of one layer, sorted by key, not overlapping.
struct Layer {
  std::vector<SegmentRef> segments;
};

}  // namespace holdfast::repository
