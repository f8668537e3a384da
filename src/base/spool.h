#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/file.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace holdfast {

class SpoolReader;

/// An append-only temporary file for what doesn't fit into memory: a stream of bytes, or of records
/// (a 32-bit length before each). It has no name in the file system, so a crash leaves nothing, and
/// its content is encrypted and authenticated (ChaCha20-Poly1305-IETF, RFC 8439) under a random key
/// that only this object holds, so the bytes on disk are worthless after it.
///
/// Chunk i of the stream lies at i * (chunk_bytes + 16), encrypted with nonce i; full chunks only
/// are written, once; the last partial one stays in memory. Thread-safe; readers may read while
/// another thread appends. It must outlive its readers.
class EncryptedSpool {
 public:
  static constexpr std::uint32_t default_chunk_bytes = 256U * 1024;
  /// A longer record is refused; four times the largest BSON document, and below 2^32.
  static constexpr std::uint32_t max_record_bytes = 64U * 1024 * 1024;

  /// Makes the file in `folder`, which must exist. Errors: those of error_from_errno.
  [[nodiscard]] static Result<std::unique_ptr<EncryptedSpool>> create(
      const std::filesystem::path& folder, RandomSource& random,
      std::uint32_t chunk_bytes = default_chunk_bytes);

  /// Adds to the stream. Errors: no_space, io, …; after one, every further append gives the same.
  [[nodiscard]] Status append(ByteView bytes);
  /// Adds a length and the bytes, for SpoolReader::next_record. Errors: precondition (longer than
  /// max_record_bytes), and those of append.
  [[nodiscard]] Status append_record(ByteView record);
  /// Lets readers see all that was appended before.
  [[nodiscard]] Status flush();

  /// Gives the disk space of what lies before `offset` back, by chunks; it can no longer be read.
  /// False where the file system cannot make holes: then nothing happens.
  [[nodiscard]] bool discard(std::uint64_t offset);
  /// How much lies behind what was discarded, flushed or not.
  [[nodiscard]] std::uint64_t live_bytes() const;

  /// Bytes appended so far, flushed or not: the offset where the next append begins.
  [[nodiscard]] std::uint64_t size() const;

  /// Reads from an offset of the stream (a multiple of nothing; for records, where one begins).
  [[nodiscard]] std::unique_ptr<SpoolReader> reader(std::uint64_t offset = 0) const;

 private:
  friend class SpoolReader;
  EncryptedSpool(FileDescriptor file, std::filesystem::path folder, RandomSource& random,
                 std::uint32_t chunk_bytes);

  [[nodiscard]] Status append_locked(ByteView bytes);
  [[nodiscard]] Status write_tail();
  /// Fills `chunk` with chunk `index` as far as it is flushed.
  [[nodiscard]] Status load_chunk(std::uint64_t index, Bytes& chunk) const;
  [[nodiscard]] std::uint64_t readable() const;

  const FileDescriptor file_;
  const std::filesystem::path folder_;  ///< For messages.
  const std::uint32_t chunk_bytes_;
  SecretBytes key_;

  mutable std::mutex mutex_;
  Bytes tail_;
  std::uint64_t chunks_written_ = 0;
  std::uint64_t readable_ = 0;
  std::uint64_t discarded_ = 0;  ///< Always a multiple of a chunk.
  std::optional<Error> failure_;
};

/// Reads a spool from front to back, one chunk in memory. Not thread-safe; one per thread.
class SpoolReader {
 public:
  /// As many bytes as are flushed, up to `out.size()`; 0 at the end. Errors: corrupt (the
  /// file was changed under us), io.
  [[nodiscard]] Result<std::size_t> read(std::span<std::uint8_t> out);
  /// The next record, valid until the next call; nothing at the end of what is flushed.
  /// Errors: as read; corrupt also where no record begins.
  [[nodiscard]] Result<std::optional<ByteView>> next_record();
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  friend class EncryptedSpool;
  SpoolReader(const EncryptedSpool& spool, std::uint64_t offset)
      : spool_(&spool), offset_(offset) {}
  [[nodiscard]] Result<ByteView> available();

  const EncryptedSpool* spool_;
  std::uint64_t offset_;
  std::uint64_t chunk_index_ = 0;
  Bytes chunk_;  ///< Plain bytes of chunk_index_, perhaps fewer than are flushed by now.
  Bytes record_;
};

}  // namespace holdfast
