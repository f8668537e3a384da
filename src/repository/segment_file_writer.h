#pragma once

#include <sodium.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "repository/block_codec.h"
#include "repository/context.h"
#include "repository/segment.h"
#include "repository/settings.h"

namespace holdfast::repository {

/// Bytes before the first block of a file of segments: magic, key epoch, nonce prefix.
inline constexpr std::size_t segment_header_bytes = 8 + 4 + nonce_prefix_bytes;
/// Parses it. Errors: corrupt (why, not where).
[[nodiscard]] Result<NoncePrefix> read_segment_header(ByteView header);

/// The files that one SnapshotWriter writes, by handle. Thread-safe.
class OwnFiles {
 public:
  /// Registers a file that is being written; returns its handle.
  [[nodiscard]] std::uint32_t add(const std::string& name);
  void close(std::uint32_t handle, const FileRef& file);
  /// Errors: precondition (unknown, or still being written).
  [[nodiscard]] Result<FileRef> find(std::uint32_t handle) const;

 private:
  struct OwnFile {
    FileRef file;
    bool closed = false;
  };
  mutable std::mutex mutex_;
  std::vector<OwnFile> files_;
};

/// One file of segments in the making: seals blocks into it and counts bytes and digest.
/// Destroyed uncommitted, nothing of it remains. Not thread-safe.
class SegmentFileWriter {
 public:
  /// Begins a file under a fresh random name.
  [[nodiscard]] static Result<std::unique_ptr<SegmentFileWriter>> create(Context& context,
                                                                         const std::string& source,
                                                                         OwnFiles& files);

  struct Appended {
    std::uint64_t offset = 0;
    std::uint32_t stored_bytes = 0;
    std::uint64_t number = 0;
  };
  /// `kind` is segment_data or segment_index.
  [[nodiscard]] Result<Appended> append(BlockEncoder& encoder, SealKind kind, ByteView raw);
  /// Durable and visible afterwards; its handle resolves.
  [[nodiscard]] Status commit();

  [[nodiscard]] std::uint32_t handle() const { return handle_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  SegmentFileWriter(Context& context, const std::string& source, std::string file_name,
                    std::unique_ptr<blob::BlobWriter> blob, OwnFiles& files);
  [[nodiscard]] Status write(ByteView bytes);

  Context& context_;
  std::string file_name_;
  BlockIdentity identity_;
  std::unique_ptr<blob::BlobWriter> blob_;
  OwnFiles& files_;
  std::uint32_t handle_ = 0;
  NoncePrefix prefix_{};
  std::uint64_t next_block_ = 0;
  std::uint64_t bytes_ = 0;
  crypto_generichash_state digest_;
};

}  // namespace holdfast::repository
