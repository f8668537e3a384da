#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "bson/document.h"

namespace holdfast::transfer {

/// Documents on their way, copied behind one another. A value.
class Batch {
 public:
  static constexpr std::size_t most_bytes = 2U * 1024 * 1024;
  static constexpr std::size_t most_documents = 10'000;

  [[nodiscard]] bool empty() const { return sizes_.empty(); }
  [[nodiscard]] bool full() const {
    return bytes_.size() >= most_bytes || sizes_.size() >= most_documents;
  }
  void add(bson::DocumentView document) {
    append_bytes(bytes_, document.bytes());
    sizes_.push_back(document.bytes().size());
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
    sizes_.clear();
  }

 private:
  Bytes bytes_;
  std::vector<std::size_t> sizes_;
};

}  // namespace holdfast::transfer
