#include "dataset/read_ahead.h"

#include <utility>

namespace holdfast {

ReadAhead::ReadAhead(DocumentCursor& cursor)
    : cursor_(cursor), queue_(chunks_ahead), thread_([this] { run(); }) {}

ReadAhead::~ReadAhead() {
  // Here, not in the members' own order: the thread must not find the queue gone.
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

void ReadAhead::run() {
  while (true) {
    Chunk chunk = read_chunk();
    const bool last = chunk.last;
    if (!queue_.push(std::move(chunk)) || last) return;
  }
}

ReadAhead::Chunk ReadAhead::read_chunk() {
  Chunk chunk;
  chunk.bytes.reserve(chunk_bytes);
  while (chunk.bytes.size() < chunk_bytes) {
    auto document = cursor_.next();
    if (!document.ok()) {
      chunk.error = document.error();
      chunk.last = true;
      return chunk;
    }
    if (!*document) {
      chunk.last = true;
      return chunk;
    }
    append_bytes(chunk.bytes, (*document)->bytes());
    chunk.sizes.push_back(static_cast<std::uint32_t>((*document)->bytes().size()));
  }
  return chunk;
}

Result<std::optional<bson::DocumentView>> ReadAhead::next() {
  while (document_ == current_.sizes.size()) {
    if (current_.error) return *current_.error;
    if (current_.last) {
      // What the cursor tells after its end (its operation time) may be asked for from here on.
      if (thread_.joinable()) thread_.join();
      return std::optional<bson::DocumentView>();
    }
    auto chunk = queue_.pop();
    if (!chunk) return Error(ErrorCode::cancelled, "stopped");
    current_ = std::move(*chunk);
    document_ = 0;
    offset_ = 0;
  }
  const std::size_t size = current_.sizes[document_++];
  const bson::DocumentView document(ByteView(current_.bytes).subspan(offset_, size));
  offset_ += size;
  return std::optional(document);
}

}  // namespace holdfast
