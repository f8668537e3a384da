#include "repository/segment_writer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "repository/entry_codec.h"

namespace holdfast::repository {
namespace {

LayoutSettings within_limits(LayoutSettings layout) {
  if (layout.compression == Compression::max && layout.block_bytes == default_block_bytes) {
    layout.block_bytes = default_max_block_bytes;
  }
  layout.block_bytes =
      std::clamp(layout.block_bytes, min_block_bytes_setting, max_block_bytes_setting);
  return layout;
}

bson::Document key_document(const bson::Value& key) {
  bson::Builder builder;
  builder.append("_id", key.view());
  return std::move(builder).finish();
}

/// A value that is replaced often: keeps its memory.
class LastKey {
 public:
  void set(bson::ValueView key) {
    type_ = key.type();
    bytes_.assign(key.bytes().begin(), key.bytes().end());
  }
  [[nodiscard]] bson::ValueView view() const { return {type_, bytes_}; }
  [[nodiscard]] bson::Value copy() const { return bson::Value(type_, bytes_); }

 private:
  bson::Type type_ = bson::Type::min_key;
  Bytes bytes_;
};

}  // namespace

class StoredSegmentWriter final : public SegmentWriter {
 public:
  explicit StoredSegmentWriter(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {
    core_->segment_open_ = true;
    core_->block_.clear();
  }
  ~StoredSegmentWriter() override {
    if (!finished_) core_->segment_open_ = false;  // its blocks stay behind, unnamed
  }

  Status add(const Entry& entry) override {
    if (failure_) return *failure_;
    const Status added = try_add(entry);
    if (!added.ok()) failure_ = added.error();
    return added;
  }

  bool full() const override {
    const std::uint64_t file_bytes = core_->file_ ? core_->file_->bytes() : 0;
    return file_bytes >= core_->layout_.file_bytes ||
           !index_.has_room(block_first_key_.view().bytes().size() + bson::max_document_bytes);
  }

  Result<std::optional<SegmentRef>> finish() override {
    if (failure_) return *failure_;
    auto reference = try_finish();
    if (!reference.ok()) failure_ = reference.error();
    finished_ = true;
    core_->segment_open_ = false;
    return reference;
  }

  const Fingerprint& fingerprint() const override { return fingerprint_; }

 private:
  Status try_add(const Entry& entry) {
    if (finished_) return Error(ErrorCode::precondition, "the segment is finished");
    const ByteView document = entry.document.bytes();
    // What could not be read back must not go in.
    HOLDFAST_CHECK(bson::validate_document(document));
    HOLDFAST_TRY(const bson::ValueView key, entry_key(entry));
    if (entries_ == 0) {
      first_key_.emplace(key);
    } else if (compare_keys(last_key_.view(), key) >= 0) {
      return out_of_order(key);
    }
    BlockBuffer& block = core_->block_;
    if (block.size() > 0 && block.size() + encoded_size(entry) > core_->layout_.block_bytes) {
      HOLDFAST_CHECK(flush());
    }
    if (block.size() == 0) {
      if (!index_.has_room(key.bytes().size())) {
        return Error(ErrorCode::precondition, "a segment has too many blocks for its index");
      }
      block_first_key_.set(key);
    }
    append_entry(block, entry);
    ++block_entries_;
    ++entries_;
    last_key_.set(key);
    if (entry.kind != Entry::Kind::remove) {
      document_bytes_ += document.size();
      fingerprint_.add(core_->context_.keys.hasher.hash(document));
    }
    return {};
  }

  Result<std::optional<SegmentRef>> try_finish() {
    if (finished_) return Error(ErrorCode::precondition, "the segment is finished");
    if (entries_ == 0) return std::optional<SegmentRef>();
    HOLDFAST_CHECK(flush());
    const Bytes index = index_.encode();
    HOLDFAST_TRY(const SegmentFileWriter::Appended at,
                 core_->append(SealKind::segment_index, index));
    SegmentRef reference;
    reference.file = core_->file_->handle();
    reference.index_offset = at.offset;
    reference.index_length = at.stored_bytes;
    reference.index_block = static_cast<std::uint32_t>(at.number);
    reference.entries = entries_;
    reference.document_bytes = document_bytes_;
    reference.stored_bytes = index_.stored_bytes() + at.stored_bytes;
    reference.first_key = key_document(*first_key_);
    reference.last_key = key_document(last_key_.copy());
    return std::optional<SegmentRef>(std::move(reference));
  }

  Status flush() {
    BlockBuffer& block = core_->block_;
    HOLDFAST_TRY(const SegmentFileWriter::Appended at,
                 core_->append(SealKind::segment_data, block.view()));
    index_.add(
        {at.offset, at.stored_bytes, static_cast<std::uint32_t>(block.size()), block_entries_, 0},
        at.number, block_first_key_.view());
    block.clear();
    block_entries_ = 0;
    return {};
  }

  Error out_of_order(bson::ValueView key) const {
    const std::string above = bson::to_json(key, bson::JsonMode::relaxed);
    const std::string below = bson::to_json(last_key_.view(), bson::JsonMode::relaxed);
    return {ErrorCode::corrupt, "keys must ascend, but " + above + " came after " + below};
  }

  std::shared_ptr<StreamCore> core_;
  std::optional<Error> failure_;
  bool finished_ = false;
  std::optional<bson::Value> first_key_;
  LastKey last_key_;
  LastKey block_first_key_;
  BlockIndexBuilder index_;
  std::uint32_t block_entries_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t document_bytes_ = 0;
  Fingerprint fingerprint_;
};

StreamCore::StreamCore(Context& context, std::string source, const LayoutSettings& layout,
                       std::shared_ptr<OwnFiles> files)
    : context_(context),
      source_(std::move(source)),
      layout_(within_limits(layout)),
      files_(std::move(files)) {}

Result<std::unique_ptr<SegmentWriter>> StreamCore::begin(const std::shared_ptr<StreamCore>& core) {
  if (core->failure_) return *core->failure_;
  if (core->closed_) return Error(ErrorCode::precondition, "the stream is closed");
  if (core->segment_open_) return Error(ErrorCode::precondition, "a segment is still open");
  if (core->file_ && core->file_->bytes() >= core->layout_.file_bytes) {
    HOLDFAST_CHECK(core->close_file());
  }
  return std::unique_ptr<SegmentWriter>(std::make_unique<StoredSegmentWriter>(core));
}

Status StreamCore::close_file() {
  if (failure_) return *failure_;
  if (segment_open_) return Error(ErrorCode::precondition, "a segment is still open");
  if (!file_) return {};
  // Streams live until the snapshot is committed; of large documents their buffers are large.
  encoder_.reset();
  block_ = {};
  const std::unique_ptr<SegmentFileWriter> file = std::move(file_);
  const Status committed = file->commit();
  if (!committed.ok()) failure_ = committed.error();
  return committed;
}

Status StreamCore::close() {
  HOLDFAST_CHECK(close_file());
  closed_ = true;
  return {};
}

Result<SegmentFileWriter::Appended> StreamCore::append(SealKind kind, ByteView raw) {
  if (failure_) return *failure_;
  if (!file_) {
    HOLDFAST_TRY(file_, SegmentFileWriter::create(context_, source_, *files_));
  }
  if (!encoder_) encoder_.emplace(layout_.compression);
  auto appended = file_->append(*encoder_, kind, raw);
  if (!appended.ok()) {
    // Nobody knows how much of it arrived: the file, and what it held, is lost.
    failure_ = appended.error();
    file_.reset();
  }
  return appended;
}

}  // namespace holdfast::repository
