#include "base/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/sodium.h"

namespace holdfast {

namespace {

constexpr std::size_t tag_bytes = crypto_aead_chacha20poly1305_ietf_ABYTES;
using Nonce = std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;

/// The key is new for every spool and each chunk is encrypted once, so a counter never repeats.
Nonce nonce_of(std::uint64_t chunk) {
  Nonce nonce{};
  std::memcpy(nonce.data(), &chunk, sizeof(chunk));
  return nonce;
}

Result<FileDescriptor> open_unnamed(const std::filesystem::path& folder) {
  const int number = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  if (number >= 0) return FileDescriptor(number);
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    return error_from_errno(errno, "make a temporary file in", folder);
  }
  // The file system has no O_TMPFILE: a crash between these two calls leaves an empty file.
  std::string name = (folder / ".tmp-spool-XXXXXX").native();
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.valid()) return error_from_errno(errno, "make a temporary file in", folder);
  if (::unlink(name.c_str()) != 0) return error_from_errno(errno, "remove", name);
  return file;
}

Status write_at(int fd, ByteView bytes, std::uint64_t offset, const std::filesystem::path& folder) {
  while (!bytes.empty()) {
    const auto count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return error_from_errno(errno, "write to a temporary file in", folder);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<EncryptedSpool>> EncryptedSpool::create(const std::filesystem::path& folder,
                                                               RandomSource& random,
                                                               std::uint32_t chunk_bytes) {
  ensure_sodium();
  HOLDFAST_TRY(FileDescriptor file, open_unnamed(folder));
  return std::unique_ptr<EncryptedSpool>(
      new EncryptedSpool(std::move(file), folder, random, chunk_bytes));
}

EncryptedSpool::EncryptedSpool(FileDescriptor file, std::filesystem::path folder,
                               RandomSource& random, std::uint32_t chunk_bytes)
    : file_(std::move(file)),
      folder_(std::move(folder)),
      chunk_bytes_(chunk_bytes),
      key_(crypto_aead_chacha20poly1305_ietf_KEYBYTES) {
  assert(chunk_bytes > 0);
  random.fill(key_.span());
  tail_.reserve(chunk_bytes_ + tag_bytes);
}

Status EncryptedSpool::append(ByteView bytes) {
  const std::scoped_lock lock(mutex_);
  return append_locked(bytes);
}

Status EncryptedSpool::append_record(ByteView record) {
  if (record.size() > max_record_bytes) {
    return Error(ErrorCode::precondition,
                 fmt::format("a record of {} bytes is longer than the {} bytes that fit into a "
                             "temporary file",
                             record.size(), max_record_bytes));
  }
  const auto size = static_cast<std::uint32_t>(record.size());
  std::array<std::uint8_t, sizeof(size)> length{};
  std::memcpy(length.data(), &size, sizeof(size));
  const std::scoped_lock lock(mutex_);
  HOLDFAST_CHECK(append_locked(length));
  return append_locked(record);
}

Status EncryptedSpool::append_locked(ByteView bytes) {
  if (failure_) return *failure_;
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min<std::size_t>(bytes.size(), chunk_bytes_ - tail_.size()));
    append_bytes(tail_, part);
    bytes = bytes.subspan(part.size());
    if (tail_.size() < chunk_bytes_) continue;
    if (auto written = write_tail(); !written.ok()) {
      failure_ = written.error();
      return written;
    }
  }
  return {};
}

Status EncryptedSpool::write_tail() {
  tail_.resize(chunk_bytes_ + tag_bytes);
  const auto nonce = nonce_of(chunks_written_);
  crypto_aead_chacha20poly1305_ietf_encrypt_detached(tail_.data(), tail_.data() + chunk_bytes_,
                                                     nullptr, tail_.data(), chunk_bytes_, nullptr,
                                                     0, nullptr, nonce.data(), key_.view().data());
  const auto outcome = write_at(file_.get(), tail_, chunks_written_ * tail_.size(), folder_);
  tail_.clear();
  if (outcome.ok()) ++chunks_written_;
  return outcome;
}

Status EncryptedSpool::flush() {
  const std::scoped_lock lock(mutex_);
  if (failure_) return *failure_;
  readable_ = chunks_written_ * chunk_bytes_ + tail_.size();
  return {};
}

std::uint64_t EncryptedSpool::size() const {
  const std::scoped_lock lock(mutex_);
  return chunks_written_ * chunk_bytes_ + tail_.size();
}

bool EncryptedSpool::discard(std::uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  const std::uint64_t chunks = std::min(offset / chunk_bytes_, chunks_written_);
  if (chunks * chunk_bytes_ <= discarded_) return true;
  // From the front each time: a hole covers whole blocks only, and chunks end inside of them.
  const std::uint64_t length = chunks * (chunk_bytes_ + tag_bytes);
  if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                  static_cast<off_t>(length)) != 0) {
    return false;
  }
  discarded_ = chunks * chunk_bytes_;
  return true;
}

std::uint64_t EncryptedSpool::live_bytes() const {
  const std::scoped_lock lock(mutex_);
  return chunks_written_ * chunk_bytes_ + tail_.size() - discarded_;
}

std::uint64_t EncryptedSpool::readable() const {
  const std::scoped_lock lock(mutex_);
  return readable_;
}

std::unique_ptr<SpoolReader> EncryptedSpool::reader(std::uint64_t offset) const {
  return std::unique_ptr<SpoolReader>(new SpoolReader(*this, offset));
}

Status EncryptedSpool::load_chunk(std::uint64_t index, Bytes& chunk) const {
  {
    const std::scoped_lock lock(mutex_);
    if (index >= chunks_written_) {
      chunk = tail_;
      return {};
    }
  }
  chunk.resize(chunk_bytes_ + tag_bytes);
  HOLDFAST_TRY(const auto got, read_at(file_.get(), chunk, index * chunk.size(), folder_));
  const auto nonce = nonce_of(index);
  if (got != chunk.size() ||
      crypto_aead_chacha20poly1305_ietf_decrypt_detached(
          chunk.data(), nullptr, chunk.data(), chunk_bytes_, chunk.data() + chunk_bytes_, nullptr,
          0, nonce.data(), key_.view().data()) != 0) {
    return Error(ErrorCode::corrupt,
                 fmt::format("a temporary file in {} was damaged while in use (chunk {})",
                             folder_.native(), index));
  }
  chunk.resize(chunk_bytes_);
  return {};
}

/// The plain bytes from offset_ on that are at hand, at most to the end of the chunk.
Result<ByteView> SpoolReader::available() {
  const auto end = spool_->readable();
  if (offset_ >= end) return ByteView();
  const auto index = offset_ / spool_->chunk_bytes_;
  const auto start = index * spool_->chunk_bytes_;
  const auto inside = static_cast<std::size_t>(offset_ - start);
  if (chunk_.empty() || chunk_index_ != index || inside >= chunk_.size()) {
    if (auto loaded = spool_->load_chunk(index, chunk_); !loaded.ok()) {
      chunk_.clear();
      return loaded.error();
    }
    chunk_index_ = index;
  }
  const auto size = std::min<std::uint64_t>(chunk_.size(), end - start);
  return ByteView(chunk_).subspan(inside, static_cast<std::size_t>(size) - inside);
}

Result<std::size_t> SpoolReader::read(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    HOLDFAST_TRY(const ByteView front, available());
    if (front.empty()) break;
    const auto count = std::min(front.size(), out.size() - done);
    std::memcpy(out.data() + done, front.data(), count);
    done += count;
    offset_ += count;
  }
  return done;
}

Result<std::optional<ByteView>> SpoolReader::next_record() {
  const auto damaged = [this] {
    return Error(ErrorCode::corrupt, fmt::format("no record begins at offset {} of a temporary "
                                                 "file in {}",
                                                 offset_, spool_->folder_.native()));
  };
  std::uint32_t size = 0;
  std::array<std::uint8_t, sizeof(size)> length{};
  HOLDFAST_TRY(const auto got, read(length));
  if (got == 0) return std::optional<ByteView>();
  std::memcpy(&size, length.data(), sizeof(size));
  if (got != length.size() || size > EncryptedSpool::max_record_bytes) return damaged();
  HOLDFAST_TRY(const ByteView front, available());
  if (front.size() >= size) {  // whole in one chunk: no copy
    offset_ += size;
    return std::optional<ByteView>(front.first(size));
  }
  record_.resize(size);
  HOLDFAST_TRY(const auto body, read(record_));
  if (body != size) return damaged();
  return std::optional<ByteView>(record_);
}

}  // namespace holdfast
