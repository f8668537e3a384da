#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "bson/document.h"

namespace holdfast {

/// Documents on their way to a writer, copied behind one another, and views of them. Gives the
/// memory of unusually large ones back when it is cleared. Not thread-safe.
class DocumentBatch {
 public:
  static constexpr std::size_t most_documents = 10'000;

  /// Full with so many bytes, or `most_documents`; a larger document still fits, alone.
  explicit DocumentBatch(std::size_t most_bytes = 2U * 1024 * 1024) : most_bytes_(most_bytes) {}

  [[nodiscard]] bool empty() const { return sizes_.empty(); }
  [[nodiscard]] bool full() const {
    return bytes_.size() >= most_bytes_ || sizes_.size() >= most_documents;
  }
  void add(bson::DocumentView document) {
    // A large one would double the memory of the others.
    const std::size_t size = document.bytes().size();
    if (size > most_bytes_) bytes_.reserve(bytes_.size() + size);
    append_bytes(bytes_, document.bytes());
    sizes_.push_back(size);
  }
  [[nodiscard]] std::size_t documents() const { return sizes_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.size(); }
  /// Valid until the batch is changed or gone.
  [[nodiscard]] std::vector<bson::DocumentView> views() const {
    std::vector<bson::DocumentView> views;
    views.reserve(sizes_.size());
    std::size_t at = 0;
    for (const std::size_t size : sizes_) {
      views.emplace_back(ByteView(bytes_).subspan(at, size));
      at += size;
    }
    return views;
  }
  void clear() {
    bytes_.clear();
    if (bytes_.capacity() > 2 * most_bytes_) Bytes().swap(bytes_);
    sizes_.clear();
  }

 private:
  std::size_t most_bytes_;
  Bytes bytes_;
  std::vector<std::size_t> sizes_;
};

}  // namespace holdfast
