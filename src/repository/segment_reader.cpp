#include "repository/segment_reader.h"

#include <algorithm>

#include "bson/extended_json.h"
#include "repository/names.h"
#include "repository/segment_file_writer.h"

namespace holdfast::repository {
namespace {

/// How much is fetched with one request when blocks are read one after another.
constexpr std::uint64_t window_bytes = 1024U * 1024;
/// Keys are shown, not dumped.
constexpr std::size_t max_key_text = 120;

Error in_file(const StoredSegment& segment, const Error& error) {
  return error.with_context(segment.file->blob_name());
}

BlockPromise promise_of(const StoredSegment& segment, const BlockIndex& index, std::size_t block) {
  const bool last = block + 1 == index.size();
  return {index.block(block).entries, index.first_key(block),
          last ? segment.last_key() : index.first_key(block + 1), last};
}

}  // namespace

SegmentFile::SegmentFile(const Context& context, const std::string& source, FileRef reference)
    : context_(context),
      reference_(std::move(reference)),
      blob_name_(segment_name(source, reference_.name)) {}

Result<NoncePrefix> SegmentFile::prefix() {
  const std::scoped_lock lock(mutex_);
  if (prefix_) return *prefix_;
  HOLDFAST_TRY(const Bytes header, read(0, segment_header_bytes));
  auto prefix = read_segment_header(header);
  if (!prefix.ok()) return prefix.error().with_context(blob_name_);
  prefix_ = *prefix;
  return *prefix;
}

Result<Bytes> SegmentFile::read(std::uint64_t offset, std::uint64_t length) const {
  return context_.store.get_range(blob_name_, offset, length);
}

bson::ValueView first_key_of(const SegmentRef& reference) {
  return reference.first_key.view().begin()->value;
}
bson::ValueView last_key_of(const SegmentRef& reference) {
  return reference.last_key.view().begin()->value;
}

Status check_reference(const SegmentRef& reference, const FileRef& file) {
  const Error wrong(ErrorCode::corrupt, "a segment that cannot be in file " + file.name);
  if (reference.index_length < block_overhead_bytes ||
      reference.index_length > max_stored_block_bytes ||
      reference.index_offset < segment_header_bytes || reference.index_offset > file.length ||
      file.length - reference.index_offset < reference.index_length) {
    return wrong;
  }
  for (const bson::Document* key : {&reference.first_key, &reference.last_key}) {
    const auto first = key->view().begin();
    if (key->view().empty() || first->name != "_id") return wrong;
  }
  const auto order = compare_keys(first_key_of(reference), last_key_of(reference));
  if (order > 0 || reference.entries == 0) return wrong;
  return {};
}

Status check_layer(const Layer& layer) {
  for (std::size_t at = 1; at < layer.segments.size(); ++at) {
    const bson::ValueView last = last_key_of(layer.segments[at - 1]);
    const bson::ValueView first = first_key_of(layer.segments[at]);
    if (compare_keys(last, first) >= 0) {
      return Error(ErrorCode::corrupt, "segments of a layer overlap or are not sorted: " +
                                           key_text(first) + " comes after " + key_text(last));
    }
  }
  return {};
}

Result<BlockIndex> read_index(const Context& context, const StoredSegment& segment) {
  const SegmentRef& reference = segment.reference;
  const std::string& blob = segment.file->blob_name();
  HOLDFAST_TRY(const NoncePrefix prefix, segment.file->prefix());
  HOLDFAST_TRY(const Bytes stored,
               segment.file->read(reference.index_offset, reference.index_length));
  BlockIdentity identity(context.id, SealKind::segment_index, blob, key_epoch, 0);
  BlockDecoder decoder;
  BlockBuffer raw;
  const Status decoded =
      decoder.decode(context.keys.segments, block_nonce(prefix, reference.index_block),
                     identity.of_block(reference.index_block), stored, raw);
  const std::string what = "the index at " + std::to_string(reference.index_offset) +
                           " (_id from " + key_text(segment.first_key()) + " to " +
                           key_text(segment.last_key()) + ")";
  if (!decoded.ok()) return in_file(segment, decoded.error().with_context(what));
  auto index = BlockIndex::decode(raw.view(), reference.index_offset);
  if (!index.ok()) return in_file(segment, index.error().with_context(what));
  if (index->entries() != reference.entries ||
      index->number(index->size()) != reference.index_block ||
      index->block(0).offset < segment_header_bytes ||
      !index->first_key(0).identical(segment.first_key())) {
    return in_file(segment, Error(ErrorCode::corrupt, what + " is not the manifest's"));
  }
  return index;
}

Result<std::shared_ptr<const BlockIndex>> load_index(Context& context,
                                                     const StoredSegment& segment) {
  const std::string& blob = segment.file->blob_name();
  const std::uint64_t offset = segment.reference.index_offset;
  if (auto cached = context.indexes.find(blob, offset)) return cached;
  HOLDFAST_TRY(BlockIndex index, read_index(context, segment));
  auto shared = std::make_shared<const BlockIndex>(std::move(index));
  context.indexes.insert(blob, offset, shared);
  return std::shared_ptr<const BlockIndex>(shared);
}

std::string key_text(bson::ValueView key) {
  std::string text = bson::to_json(key, bson::JsonMode::relaxed);
  if (text.size() > max_key_text) {
    text.resize(max_key_text);
    text += "…";
  }
  return text;
}

std::string describe_block(const StoredSegment& segment, const BlockIndex& index,
                           std::size_t block) {
  const bool last = block + 1 == index.size();
  const std::string to = last ? "to " + key_text(segment.last_key())
                              : "to below " + key_text(index.first_key(block + 1));
  return segment.file->blob_name() + ", block " + std::to_string(index.number(block)) +
         " (_id from " + key_text(index.first_key(block)) + " " + to + ")";
}

BlockReader::BlockReader(const Context& context, StoredSegment segment,
                         std::shared_ptr<const BlockIndex> index)
    : context_(context),
      segment_(std::move(segment)),
      index_(std::move(index)),
      identity_(context.id, SealKind::segment_data, segment_.file->blob_name(), key_epoch, 0),
      end_(index_->size()) {}

Result<std::uint64_t> BlockReader::read(std::size_t block, BlockDecoder& decoder,
                                        BlockBuffer& raw) {
  HOLDFAST_TRY(const NoncePrefix prefix, segment_.file->prefix());
  HOLDFAST_TRY(const ByteView bytes, stored(block));
  const std::uint64_t number = index_->number(block);
  const Status decoded = decoder.decode(context_.keys.segments, block_nonce(prefix, number),
                                        identity_.of_block(number), bytes, raw);
  if (window_.size() > BlockBuffer::most_kept_bytes && block + 1 == window_to_) {
    window_ = {};
    window_to_ = window_from_;
  }
  if (!decoded.ok()) {
    return decoded.error().with_context(describe_block(segment_, *index_, block));
  }
  if (raw.size() != index_->block(block).raw_bytes) {
    return Error(ErrorCode::corrupt, describe_block(segment_, *index_, block) +
                                         ": its length is not that in the index");
  }
  auto checked = check_entries(raw.view(), promise_of(segment_, *index_, block));
  if (!checked.ok()) {
    return checked.error().with_context(describe_block(segment_, *index_, block));
  }
  return checked;
}

Result<ByteView> BlockReader::stored(std::size_t block) {
  if (block < window_from_ || block >= window_to_) {
    const std::uint64_t from = index_->block(block).offset;
    std::uint64_t length = index_->block(block).stored_bytes;
    std::size_t to = block + 1;
    while (to < end_ && length + index_->block(to).stored_bytes <= window_bytes) {
      length += index_->block(to++).stored_bytes;
    }
    window_from_ = window_to_ = 0;
    HOLDFAST_TRY(window_, segment_.file->read(from, length));
    window_from_ = block;
    window_to_ = to;
  }
  const std::uint64_t start = index_->block(window_from_).offset;
  return ByteView(window_).subspan(index_->block(block).offset - start,
                                   index_->block(block).stored_bytes);
}

LayerCursor::LayerCursor(Context& context, StoredLayer layer, KeyRange range)
    : context_(context), layer_(std::move(layer)), range_(std::move(range)) {
  if (!range_.from) return;
  const bson::ValueView from = range_.from->view();
  before_range_ = true;
  const auto first = std::partition_point(
      layer_.begin(), layer_.end(),
      [from](const StoredSegment& segment) { return compare_keys(segment.last_key(), from) < 0; });
  next_segment_ = static_cast<std::size_t>(first - layer_.begin());
}

Result<bool> LayerCursor::advance() {
  while (true) {
    if (rest_.empty()) {
      HOLDFAST_TRY(const bool more, next_block());
      if (!more) return false;
    }
    current_ = take_entry(rest_);
    if (before_range_) {
      if (compare_keys(current_->key, range_.from->view()) < 0) continue;
      before_range_ = false;
    }
    if (!beyond_range(current_->key)) return true;
    rest_ = {};
    next_block_ = end_block_;
    next_segment_ = layer_.size();
    return false;
  }
}

Result<bool> LayerCursor::next_block() {
  while (!reader_ || next_block_ == end_block_) {
    HOLDFAST_TRY(const bool opened, open_segment());
    if (!opened) return false;
  }
  HOLDFAST_CHECK(reader_->read(next_block_, decoder_, raw_));
  ++next_block_;
  rest_ = raw_.view();
  return true;
}

Result<bool> LayerCursor::open_segment() {
  if (next_segment_ == layer_.size()) return false;
  const StoredSegment& segment = layer_[next_segment_];
  if (beyond_range(segment.first_key())) {
    next_segment_ = layer_.size();
    return false;
  }
  ++next_segment_;
  HOLDFAST_TRY(std::shared_ptr<const BlockIndex> index, load_index(context_, segment));
  next_block_ = range_.from ? index->find(range_.from->view()) : 0;
  end_block_ = index->size();
  if (range_.to) {
    const std::size_t holds_end = index->find(range_.to->view());
    // The block that begins with the bound itself, or above it, is not needed.
    const bool needed = !beyond_range(index->first_key(holds_end));
    end_block_ = std::max(next_block_, holds_end + (needed ? 1 : 0));
  }
  reader_.emplace(context_, segment, std::move(index));
  reader_->set_end(end_block_);
  return true;
}

bool LayerCursor::beyond_range(bson::ValueView key) const {
  return range_.to && compare_keys(key, range_.to->view()) >= 0;
}

}  // namespace holdfast::repository
