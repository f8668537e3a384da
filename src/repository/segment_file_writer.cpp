#include "repository/segment_file_writer.h"

#include <algorithm>

#include "repository/names.h"

namespace holdfast::repository {
namespace {

constexpr std::array<std::uint8_t, 8> segment_magic = {'H', 'F', 'S', 'E', 'G', 0, 1, 0};

}  // namespace

Result<NoncePrefix> read_segment_header(ByteView header) {
  ByteReader reader(header);
  const auto magic = reader.take(segment_magic.size());
  const auto epoch = reader.number<std::uint32_t>();
  const auto prefix = reader.take(nonce_prefix_bytes);
  if (!prefix || reader.remaining() > 0 || !same_bytes(*magic, segment_magic)) {
    return Error(ErrorCode::corrupt, "it does not begin as files of segments do");
  }
  if (*epoch != key_epoch) {
    return Error(ErrorCode::corrupt, "it names a key that does not exist");
  }
  NoncePrefix nonce{};
  std::copy(prefix->begin(), prefix->end(), nonce.begin());
  return nonce;
}

std::uint32_t OwnFiles::add(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  OwnFile file;
  file.file.name = name;
  files_.push_back(std::move(file));
  return own_file_handle + static_cast<std::uint32_t>(files_.size() - 1);
}

void OwnFiles::close(std::uint32_t handle, const FileRef& file) {
  const std::scoped_lock lock(mutex_);
  files_[handle - own_file_handle] = {file, true};
}

Result<FileRef> OwnFiles::find(std::uint32_t handle) const {
  const std::scoped_lock lock(mutex_);
  if (handle < own_file_handle || handle - own_file_handle >= files_.size()) {
    return Error(ErrorCode::precondition, "a segment of a file that this writer does not have");
  }
  const OwnFile& found = files_[handle - own_file_handle];
  if (!found.closed) {
    return Error(ErrorCode::precondition, "a segment whose file is still being written");
  }
  return found.file;
}

Result<std::unique_ptr<SegmentFileWriter>> SegmentFileWriter::create(Context& context,
                                                                     const std::string& source,
                                                                     OwnFiles& files) {
  const std::string file_name = to_hex(context.random.bytes<16>());
  HOLDFAST_TRY(std::unique_ptr<blob::BlobWriter> blob,
               context.store.create(segment_name(source, file_name)));
  std::unique_ptr<SegmentFileWriter> writer(
      new SegmentFileWriter(context, source, file_name, std::move(blob), files));
  Bytes header(segment_magic.begin(), segment_magic.end());
  append_little_endian(header, key_epoch);
  append_bytes(header, writer->prefix_);
  HOLDFAST_CHECK(writer->write(header));
  return writer;
}

SegmentFileWriter::SegmentFileWriter(Context& context, const std::string& source,
                                     std::string file_name, std::unique_ptr<blob::BlobWriter> blob,
                                     OwnFiles& files)
    : context_(context),
      file_name_(std::move(file_name)),
      identity_(context.id, SealKind::segment_data, segment_name(source, file_name_), key_epoch, 0),
      blob_(std::move(blob)),
      files_(files),
      handle_(files.add(file_name_)),
      prefix_(context.random.bytes<nonce_prefix_bytes>()) {
  crypto_generichash_init(&digest_, nullptr, 0, FileRef{}.digest.size());
}

Result<SegmentFileWriter::Appended> SegmentFileWriter::append(BlockEncoder& encoder, SealKind kind,
                                                              ByteView raw) {
  identity_.set_kind(kind);
  const BlockContent content =
      kind == SealKind::segment_data ? BlockContent::entries : BlockContent::any;
  HOLDFAST_TRY(const ByteView stored,
               encoder.encode(context_.keys.segments, block_nonce(prefix_, next_block_),
                              identity_.of_block(next_block_), raw, content));
  const Appended appended{bytes_, static_cast<std::uint32_t>(stored.size()), next_block_};
  HOLDFAST_CHECK(write(stored));
  ++next_block_;
  return appended;
}

Status SegmentFileWriter::commit() {
  HOLDFAST_CHECK(blob_->commit());
  FileRef file;
  file.name = file_name_;
  file.length = bytes_;
  crypto_generichash_final(&digest_, file.digest.data(), file.digest.size());
  files_.close(handle_, file);
  return {};
}

Status SegmentFileWriter::write(ByteView bytes) {
  HOLDFAST_CHECK(blob_->append(bytes));
  crypto_generichash_update(&digest_, bytes.data(), bytes.size());
  bytes_ += bytes.size();
  return {};
}

}  // namespace holdfast::repository
