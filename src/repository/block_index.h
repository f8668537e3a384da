#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bson/document.h"
#include "repository/block_codec.h"

namespace holdfast::repository {

/// Where the blocks of one segment lie and which key each begins with. Blocks are contiguous and
/// numbered one after another. Immutable once decoded; thread-safe to read.
class BlockIndex {
 public:
  struct Block {
    std::uint64_t offset = 0;  ///< In the file.
    std::uint32_t stored_bytes = 0;
    std::uint32_t raw_bytes = 0;
    std::uint32_t entries = 0;
    std::uint32_t key_offset = 0;  ///< Of its first key, `{_id: key}`, in the keys.
  };

  /// Errors: corrupt. `data_end` is the offset that blocks must end at: the index's own.
  [[nodiscard]] static Result<BlockIndex> decode(ByteView raw, std::uint64_t data_end);

  [[nodiscard]] std::size_t size() const { return blocks_.size(); }
  [[nodiscard]] const Block& block(std::size_t at) const { return blocks_[at]; }
  /// The block's number in its file.
  [[nodiscard]] std::uint64_t number(std::size_t at) const { return first_number_ + at; }
  [[nodiscard]] bson::ValueView first_key(std::size_t at) const;
  /// The only block in which `key` may be: the last that begins at or below it, else the first.
  [[nodiscard]] std::size_t find(bson::ValueView key) const;
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] std::uint64_t entries() const;

 private:
  friend class BlockIndexBuilder;
  std::uint64_t first_number_ = 0;
  std::vector<Block> blocks_;
  Bytes keys_;
};

/// Gathers an index while a segment is written.
class BlockIndexBuilder {
 public:
  void add(const BlockIndex::Block& block, std::uint64_t number, bson::ValueView first_key);
  [[nodiscard]] Bytes encode() const;
  /// Whether one more block would still leave the index within what is read.
  [[nodiscard]] bool has_room(std::size_t key_bytes) const;
  [[nodiscard]] std::uint64_t stored_bytes() const { return stored_bytes_; }

 private:
  BlockIndex index_;
  std::uint64_t stored_bytes_ = 0;
};

/// Decoded indexes that were used last, up to a bound in bytes. Thread-safe.
class BlockIndexCache {
 public:
  explicit BlockIndexCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  [[nodiscard]] std::shared_ptr<const BlockIndex> find(std::string_view blob, std::uint64_t offset);
  void insert(std::string_view blob, std::uint64_t offset, std::shared_ptr<const BlockIndex> index);

 private:
  using Key = std::pair<std::string, std::uint64_t>;
  using Recent = std::list<std::pair<Key, std::shared_ptr<const BlockIndex>>>;
  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;
  Recent recent_;  ///< The last used in front.
  std::map<Key, Recent::iterator> by_key_;
};

}  // namespace holdfast::repository
