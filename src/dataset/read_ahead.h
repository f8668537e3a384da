#pragma once

#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/bytes.h"
#include "base/result.h"
#include "dataset/reader.h"

namespace holdfast {

/// Reads a cursor on a thread of its own, a few chunks ahead of whoever uses the documents, so that
/// waiting for the one and working on the other overlap. Holds at most about `chunks_ahead` + 2
/// chunks of 1 MiB (a larger document is a chunk of its own). Not thread-safe.
class ReadAhead final : public DocumentCursor {
 public:
  static constexpr std::size_t chunk_bytes = 1024U * 1024;
  static constexpr std::size_t chunks_ahead = 3;

  /// `cursor` must outlive it, and is nobody else's until it is destroyed or has reached its end.
  explicit ReadAhead(DocumentCursor& cursor);
  /// Waits for the read that is under way.
  ~ReadAhead() override;
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  [[nodiscard]] Result<std::optional<bson::DocumentView>> next() override;

 private:
  struct Chunk {
    Bytes bytes;
    std::vector<std::uint32_t> sizes;
    std::optional<Error> error;
    bool last = false;
  };
  void run();
  [[nodiscard]] Chunk read_chunk();

  DocumentCursor& cursor_;
  BoundedQueue<Chunk> queue_;
  Chunk current_;
  std::size_t document_ = 0;
  std::size_t offset_ = 0;
  std::jthread thread_;
};

}  // namespace holdfast
