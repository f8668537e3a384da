#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blob/blob_store.h"

namespace holdfast::blob {

/// What memory stores hold: outlives them, so that a test can "reopen" a store, and look at or
/// damage the raw bytes behind its back. Thread-safe. Tests only.
class MemoryBlobs {
 public:
  [[nodiscard]] std::map<std::string, Bytes> all() const;
  [[nodiscard]] std::vector<std::string> names() const;
  /// The raw bytes, or nothing if there is no such blob.
  [[nodiscard]] std::optional<Bytes> find(std::string_view name) const;
  /// Puts bytes there whether or not the name exists.
  void overwrite(std::string_view name, Bytes bytes);
  /// Adds the blob unless it exists; says whether it did.
  [[nodiscard]] bool insert(std::string_view name, Bytes bytes);
  /// Says whether it was there.
  bool erase(std::string_view name);
  /// Flips the lowest bit of the byte at `offset`, which must exist.
  void flip_bit(std::string_view name, std::uint64_t offset);
  /// Cuts the blob, which must exist, to `size` bytes.
  void truncate(std::string_view name, std::uint64_t size);
  [[nodiscard]] std::uint64_t total_bytes() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Bytes, std::less<>> blobs_;
};

/// A store in memory. Tests only.
class MemoryStore final : public BlobStore {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryBlobs> blobs = std::make_shared<MemoryBlobs>());

  [[nodiscard]] MemoryBlobs& blobs() { return *blobs_; }

  Result<Bytes> get(std::string_view name, std::uint64_t limit) const override;
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset,
                          std::uint64_t length) const override;
  Result<BlobInfo> stat(std::string_view name) const override;
  Result<std::vector<BlobInfo>> list(std::string_view prefix) const override;
  std::string location() const override { return "memory"; }
  Result<std::unique_ptr<BlobWriter>> create(std::string_view name) override;
  Status remove(std::string_view name) override;
  Result<std::uint64_t> free_space() const override;
  Result<std::uint64_t> remove_unfinished(std::uint64_t older_than_seconds) override;

 private:
  const std::shared_ptr<MemoryBlobs> blobs_;
};

}  // namespace holdfast::blob
