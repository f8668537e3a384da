#include "repository/block_index.h"

#include <algorithm>

#include "bson/order.h"

namespace holdfast::repository {
namespace {

/// Stored per block besides its key.
constexpr std::size_t block_record_bytes = 12;
constexpr std::size_t header_bytes = 4 + 8 + 8;
constexpr std::string_view key_field{"_id", 4};  // with its terminator
constexpr std::size_t key_document_overhead = 4 + 1 + key_field.size() + 1;

Error damaged() { return {ErrorCode::corrupt, "a segment's index contradicts itself"}; }

}  // namespace

Result<BlockIndex> BlockIndex::decode(ByteView raw, std::uint64_t data_end) {
  ByteReader reader(raw);
  const auto count = reader.number<std::uint32_t>();
  const auto first_number = reader.number<std::uint64_t>();
  const auto first_offset = reader.number<std::uint64_t>();
  if (!first_offset || *count == 0 || raw.size() / block_record_bytes < *count) return damaged();

  BlockIndex index;
  index.first_number_ = *first_number;
  index.blocks_.reserve(*count);
  std::uint64_t offset = *first_offset;
  for (std::uint32_t at = 0; at < *count; ++at) {
    Block block;
    const auto stored = reader.number<std::uint32_t>();
    const auto raw_bytes = reader.number<std::uint32_t>();
    const auto entries = reader.number<std::uint32_t>();
    if (!entries || *stored > max_stored_block_bytes || *raw_bytes > max_block_bytes ||
        *entries == 0) {
      return damaged();
    }
    block = {offset, *stored, *raw_bytes, *entries, 0};
    if (offset > data_end || data_end - offset < *stored) return damaged();
    offset += *stored;
    index.blocks_.push_back(block);
  }
  if (offset != data_end) return damaged();

  const auto keys = reader.take(reader.remaining());
  index.keys_ = to_bytes(*keys);
  ByteView rest = index.keys_;
  for (std::size_t at = 0; at < index.blocks_.size(); ++at) {
    const auto size = bson::front_document_size(rest);
    if (!size || !bson::validate_document(rest.first(*size)).ok()) return damaged();
    const bson::DocumentView key(rest.first(*size));
    if (key.empty() || key.begin()->name != "_id" || ++key.begin() != key.end()) return damaged();
    index.blocks_[at].key_offset = static_cast<std::uint32_t>(index.keys_.size() - rest.size());
    if (at > 0 && !bson::less(index.first_key(at - 1), index.first_key(at))) return damaged();
    rest = rest.subspan(*size);
  }
  if (!rest.empty()) return damaged();
  return index;
}

bson::ValueView BlockIndex::first_key(std::size_t at) const {
  const std::uint8_t* const document = keys_.data() + blocks_[at].key_offset;
  const auto size = load_little_endian<std::uint32_t>(document);
  const auto type = static_cast<bson::Type>(document[4]);
  return {type, {document + 5 + key_field.size(), size - key_document_overhead}};
}

std::size_t BlockIndex::find(bson::ValueView key) const {
  std::size_t low = 0;
  std::size_t high = blocks_.size();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (bson::less(key, first_key(middle)) ? high : low) = middle;
  }
  return low;
}

std::size_t BlockIndex::memory_bytes() const {
  return sizeof(BlockIndex) + blocks_.size() * sizeof(Block) + keys_.size();
}

std::uint64_t BlockIndex::entries() const {
  std::uint64_t sum = 0;
  for (const Block& block : blocks_) sum += block.entries;
  return sum;
}

void BlockIndexBuilder::add(const BlockIndex::Block& block, std::uint64_t number,
                            bson::ValueView first_key) {
  if (index_.blocks_.empty()) index_.first_number_ = number;
  index_.blocks_.push_back(block);
  stored_bytes_ += block.stored_bytes;
  const std::size_t size = first_key.bytes().size() + key_document_overhead;
  append_little_endian(index_.keys_, static_cast<std::uint32_t>(size));
  append_little_endian(index_.keys_, static_cast<std::uint8_t>(first_key.type()));
  append_bytes(index_.keys_, as_bytes(key_field));
  append_bytes(index_.keys_, first_key.bytes());
  index_.keys_.push_back(0);
}

Bytes BlockIndexBuilder::encode() const {
  Bytes out;
  out.reserve(header_bytes + index_.blocks_.size() * block_record_bytes + index_.keys_.size());
  append_little_endian(out, static_cast<std::uint32_t>(index_.blocks_.size()));
  append_little_endian(out, index_.first_number_);
  append_little_endian(out, index_.blocks_.empty() ? 0 : index_.blocks_.front().offset);
  for (const BlockIndex::Block& block : index_.blocks_) {
    append_little_endian(out, block.stored_bytes);
    append_little_endian(out, block.raw_bytes);
    append_little_endian(out, block.entries);
  }
  append_bytes(out, index_.keys_);
  return out;
}

bool BlockIndexBuilder::has_room(std::size_t key_bytes) const {
  const std::size_t used = header_bytes + (index_.blocks_.size() + 1) * block_record_bytes +
                           index_.keys_.size() + key_bytes + key_document_overhead;
  return used <= max_block_bytes;
}

std::shared_ptr<const BlockIndex> BlockIndexCache::find(std::string_view blob,
                                                        std::uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_key_.find(Key(blob, offset));
  if (found == by_key_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->second;
}

void BlockIndexCache::insert(std::string_view blob, std::uint64_t offset,
                             std::shared_ptr<const BlockIndex> index) {
  const std::scoped_lock lock(mutex_);
  Key key(blob, offset);
  if (by_key_.contains(key)) return;
  bytes_ += index->memory_bytes();
  recent_.emplace_front(key, std::move(index));
  by_key_.emplace(std::move(key), recent_.begin());
  while (bytes_ > max_bytes_ && recent_.size() > 1) {
    bytes_ -= recent_.back().second->memory_bytes();
    by_key_.erase(recent_.back().first);
    recent_.pop_back();
  }
}

}  // namespace holdfast::repository
