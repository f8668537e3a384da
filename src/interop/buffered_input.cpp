#include "interop/buffered_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace holdfast::interop {

namespace {

constexpr std::size_t step_bytes = 256U * 1024;

class BsonCursor final : public DocumentCursor {
 public:
  explicit BsonCursor(std::unique_ptr<ByteSource> source) : input_(std::move(source)) {}
  Result<std::optional<bson::DocumentView>> next() override { return input_.next_document(); }

 private:
  BufferedInput input_;
};

}  // namespace

Result<ByteView> BufferedInput::ahead(std::size_t wanted) {
  if (end_ - begin_ < wanted && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < wanted && !ended_) {
    const std::size_t room = std::max(wanted, step_bytes);
    if (buffer_.size() < room) buffer_.resize(room);
    HOLDFAST_TRY(const std::size_t count, source_->read(std::span(buffer_).subspan(end_)));
    ended_ = count == 0;
    end_ += count;
  }
  return ByteView(buffer_).subspan(begin_, end_ - begin_);
}

void BufferedInput::consume(std::size_t count) {
  begin_ += count;
  offset_ += count;
}

Status BufferedInput::skip(std::uint64_t count) {
  while (count > 0) {
    HOLDFAST_TRY(const ByteView seen, ahead(1));
    if (seen.empty()) {
      return Error(ErrorCode::corrupt,
                   fmt::format("cut short: it ends at byte {}, {} too early", offset_, count));
    }
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, seen.size()));
    consume(part);
    count -= part;
  }
  return {};
}

Result<std::optional<bson::DocumentView>> BufferedInput::next_document() {
  constexpr std::size_t prefix_bytes = 4;
  HOLDFAST_TRY(ByteView seen, ahead(prefix_bytes));
  if (seen.empty()) return std::optional<bson::DocumentView>();
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::corrupt, fmt::format("byte {}: {}", offset_, why));
  };
  if (seen.size() < prefix_bytes) return refuse("cut short inside a document's length");
  const auto size = load_little_endian<std::uint32_t>(seen.data());
  if (size < 5 || size > bson::max_document_bytes) {
    return refuse(fmt::format("no document has a length of {} bytes", size));
  }
  HOLDFAST_TRY(seen, ahead(size));
  if (seen.size() < size) {
    return refuse(fmt::format("cut short inside a document of {} bytes", size));
  }
  const ByteView bytes = seen.first(size);
  if (const Status valid = bson::validate_document(bytes); !valid.ok()) {
    return refuse(valid.error().message());
  }
  consume(size);
  return std::optional(bson::DocumentView(bytes));
}

std::unique_ptr<DocumentCursor> make_bson_cursor(std::unique_ptr<ByteSource> source) {
  return std::make_unique<BsonCursor>(std::move(source));
}

}  // namespace holdfast::interop
