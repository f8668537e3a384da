#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/result.h"
#include "interop/byte_stream.h"

namespace holdfast::interop {

/// Whether these first bytes of something are gzip (RFC 1952): the magic number, and it unpacks.
/// The magic alone could be the length of a BSON document.
[[nodiscard]] bool is_gzip(ByteView front);

/// A stream may expand freely up to here …
inline constexpr std::uint64_t gunzip_grace_bytes = 256ULL * 1024 * 1024;
/// … and from there on to at most this many times its length. Deflate can reach 1032; documents
/// of a database stay far below, a "bomb" does not.
inline constexpr std::uint64_t max_gunzip_ratio = 900;

/// Unpacks gzip (RFC 1952), several members one after another included. Errors: corrupt (damaged,
/// cut short, other bytes behind the end; expands beyond max_gunzip_ratio), and those of `packed`.
[[nodiscard]] std::unique_ptr<ByteSource> make_gunzip_source(std::unique_ptr<ByteSource> packed);

/// Threads that compress. Thread-safe; it must outlive the sinks that use it.
class CompressionPool {
 public:
  explicit CompressionPool(std::size_t threads);
  ~CompressionPool();
  CompressionPool(const CompressionPool&) = delete;
  CompressionPool& operator=(const CompressionPool&) = delete;

  [[nodiscard]] std::size_t thread_count() const { return threads_.size(); }
  void submit(std::function<void()> task);

 private:
  BoundedQueue<std::function<void()>> tasks_;
  std::vector<std::jthread> threads_;
};

/// Packs into one gzip member; blocks are compressed by the pool's threads, each with the end of
/// the one before as its dictionary, so that little is lost. `finish` ends `packed` too.
[[nodiscard]] std::unique_ptr<ByteSink> make_gzip_sink(std::unique_ptr<ByteSink> packed,
                                                       CompressionPool& pool);

}  // namespace holdfast::interop
