#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "interop/buffered_input.h"
#include "interop/byte_stream.h"

namespace holdfast::interop {

// Tar as POSIX.1-2001 (ustar and pax) and GNU have it: regular files and folders.

/// A member's name in a pax or GNU header; far above what file systems take.
inline constexpr std::uint64_t max_tar_header_bytes = 1024ULL * 1024;

struct TarMember {
  std::string name;
  std::uint64_t size = 0;
  bool regular = true;  ///< False for folders, links and devices: they have no bytes.
};

/// Reads members one after another. Not thread-safe. Errors: corrupt, with the offset.
class TarReader {
 public:
  /// `input` must outlive it.
  explicit TarReader(BufferedInput& input) : input_(input) {}
  /// Goes on behind the member before; nothing at the end.
  [[nodiscard]] Result<std::optional<TarMember>> next();
  /// The bytes of the member that `next` gave; valid until the next call of it.
  [[nodiscard]] std::unique_ptr<ByteSource> content();

 private:
  class Content;
  struct Header;
  [[nodiscard]] Result<std::optional<Header>> read_header();
  [[nodiscard]] Result<std::string> read_text(std::uint64_t size);
  [[nodiscard]] Error corrupt(const std::string& what) const;

  BufferedInput& input_;
  std::uint64_t rest_ = 0;     ///< Of the current member.
  std::uint64_t padding_ = 0;  ///< Behind it.
};

/// Whether these first bytes are a tar's.
[[nodiscard]] bool is_tar(ByteView front);

/// Writes members one after another, each of a size known before. Not thread-safe.
class TarWriter {
 public:
  explicit TarWriter(std::unique_ptr<ByteSink> sink) : sink_(std::move(sink)) {}
  /// `modified`: seconds since 1970. Names that ustar cannot hold get a pax header.
  [[nodiscard]] Status begin(const std::string& name, std::uint64_t size, bool folder,
                             std::uint64_t modified);
  [[nodiscard]] Status write(ByteView bytes);
  /// Ends the member: exactly its size must have been written (asserted).
  [[nodiscard]] Status end();
  [[nodiscard]] Status finish();

 private:
  std::unique_ptr<ByteSink> sink_;
  std::uint64_t size_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace holdfast::interop
