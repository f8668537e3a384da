#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace holdfast::interop {

/// Bytes from front to back: a file, a pipe, memory, or what another source unpacks. Not
/// thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills a part of `out`, at least one byte; 0 at the end. Requires room in `out`.
  /// Errors: io, denied, …; corrupt where the source unpacks.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::uint8_t> out) = 0;
};

/// Takes bytes from front to back. Not thread-safe.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// Errors: no_space, denied, io. After one the sink is of no use.
  [[nodiscard]] virtual Status write(ByteView bytes) = 0;
  /// Ends it: everything written is there, durably if it is a file. Call it once; a sink that is
  /// destroyed without it leaves nothing under the file's name.
  [[nodiscard]] virtual Status finish() = 0;
};

/// Reads until `out` is full or the source ends; returns how many bytes.
[[nodiscard]] Result<std::size_t> read_full(ByteSource& source, std::span<std::uint8_t> out);

/// The rest of a source. Errors: precondition (longer than `limit`), and those of reading.
[[nodiscard]] Result<Bytes> read_rest(ByteSource& source, std::uint64_t limit);

/// A file or pipe from its current position. `path` is for messages.
[[nodiscard]] std::unique_ptr<ByteSource> make_file_source(FileDescriptor file,
                                                           std::filesystem::path path);
[[nodiscard]] Result<std::unique_ptr<ByteSource>> open_file_source(
    const std::filesystem::path& path);

/// Reads a file by position, so that several may read one descriptor, which must outlive them.
/// `end`: where it stops, as an offset.
[[nodiscard]] std::unique_ptr<ByteSource> make_range_source(const FileDescriptor& file,
                                                            std::filesystem::path path,
                                                            std::uint64_t begin, std::uint64_t end);

/// Bytes of its own.
[[nodiscard]] std::unique_ptr<ByteSource> make_memory_source(Bytes bytes);

/// `front`, then what `rest` still has: for looking at the first bytes of a pipe.
[[nodiscard]] std::unique_ptr<ByteSource> make_joined_source(Bytes front,
                                                             std::unique_ptr<ByteSource> rest);

/// Standard output or another descriptor that somebody else owns. `finish` syncs nothing.
[[nodiscard]] std::unique_ptr<ByteSink> make_descriptor_sink(int descriptor,
                                                             std::filesystem::path name);

/// A new file. It is written beside its place under a temporary name and gets its own in `finish`,
/// without ever replacing one: a crash leaves at most the temporary file.
/// Errors: exists, those of open_file.
[[nodiscard]] Result<std::unique_ptr<ByteSink>> create_file_sink(const std::filesystem::path& path);

/// Collects in memory; `bytes` must outlive it.
[[nodiscard]] std::unique_ptr<ByteSink> make_memory_sink(Bytes& bytes);

}  // namespace holdfast::interop
