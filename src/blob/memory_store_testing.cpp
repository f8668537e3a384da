#include "blob/memory_store_testing.h"

#include <fmt/format.h>

#include <utility>

#include "blob/blob_name.h"

namespace holdfast::blob {

namespace {

Error missing(std::string_view name) {
  return Error(ErrorCode::not_found, fmt::format("there is no blob {} in memory", name));
}

class MemoryWriter final : public BlobWriter {
 public:
  MemoryWriter(std::shared_ptr<MemoryBlobs> blobs, std::string name)
      : blobs_(std::move(blobs)), name_(std::move(name)) {}

  Status append(ByteView bytes) override {
    if (!blobs_) return over();
    append_bytes(bytes_, bytes);
    return {};
  }

  Status commit() override {
    if (!blobs_) return over();
    const auto blobs = std::exchange(blobs_, nullptr);
    if (blobs->insert(name_, std::move(bytes_))) return {};
    return Error(ErrorCode::exists, fmt::format("{} exists and is never overwritten", name_));
  }

 private:
  Error over() const {
    return Error(ErrorCode::precondition, fmt::format("{} was committed before", name_));
  }

  std::shared_ptr<MemoryBlobs> blobs_;  ///< None after commit.
  const std::string name_;
  Bytes bytes_;
};

}  // namespace

std::map<std::string, Bytes> MemoryBlobs::all() const {
  const std::scoped_lock lock(mutex_);
  return {blobs_.begin(), blobs_.end()};
}

std::vector<std::string> MemoryBlobs::names() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, bytes] : blobs_) names.push_back(name);
  return names;
}

std::optional<Bytes> MemoryBlobs::find(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = blobs_.find(name);
  if (found == blobs_.end()) return std::nullopt;
  return found->second;
}

void MemoryBlobs::overwrite(std::string_view name, Bytes bytes) {
  const std::scoped_lock lock(mutex_);
  blobs_.insert_or_assign(std::string(name), std::move(bytes));
}

bool MemoryBlobs::insert(std::string_view name, Bytes bytes) {
  const std::scoped_lock lock(mutex_);
  return blobs_.emplace(name, std::move(bytes)).second;
}

bool MemoryBlobs::erase(std::string_view name) {
  const std::scoped_lock lock(mutex_);
  const auto found = blobs_.find(name);
  if (found == blobs_.end()) return false;
  blobs_.erase(found);
  return true;
}

void MemoryBlobs::flip_bit(std::string_view name, std::uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  blobs_.find(name)->second.at(offset) ^= 1U;
}

void MemoryBlobs::truncate(std::string_view name, std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  blobs_.find(name)->second.resize(size);
}

std::uint64_t MemoryBlobs::total_bytes() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t total = 0;
  for (const auto& [name, bytes] : blobs_) total += bytes.size();
  return total;
}

MemoryStore::MemoryStore(std::shared_ptr<MemoryBlobs> blobs) : blobs_(std::move(blobs)) {}

Result<Bytes> MemoryStore::get(std::string_view name, std::uint64_t limit) const {
  HOLDFAST_CHECK(check_blob_name(name));
  auto bytes = blobs_->find(name);
  if (!bytes) return missing(name);
  if (bytes->size() <= limit) return std::move(*bytes);
  return Error(ErrorCode::precondition, fmt::format("{} is {} bytes long, more than the {} allowed",
                                                    name, bytes->size(), limit));
}

Result<Bytes> MemoryStore::get_range(std::string_view name, std::uint64_t offset,
                                     std::uint64_t length) const {
  HOLDFAST_CHECK(check_blob_name(name));
  const auto bytes = blobs_->find(name);
  if (!bytes) return missing(name);
  if (offset <= bytes->size() && length <= bytes->size() - offset) {
    return to_bytes(ByteView(*bytes).subspan(offset, length));
  }
  return Error(ErrorCode::corrupt,
               fmt::format("{} is too short: {} bytes from offset {} are wanted, it has {}", name,
                           length, offset, bytes->size()));
}

Result<BlobInfo> MemoryStore::stat(std::string_view name) const {
  HOLDFAST_CHECK(check_blob_name(name));
  const auto bytes = blobs_->find(name);
  if (!bytes) return missing(name);
  return BlobInfo{std::string(name), bytes->size()};
}

Result<std::vector<BlobInfo>> MemoryStore::list(std::string_view prefix) const {
  HOLDFAST_CHECK(check_blob_prefix(prefix));
  std::vector<BlobInfo> blobs;
  for (const auto& [name, bytes] : blobs_->all()) {
    if (name.starts_with(prefix)) blobs.push_back({name, bytes.size()});
  }
  return blobs;
}

Result<std::unique_ptr<BlobWriter>> MemoryStore::create(std::string_view name) {
  HOLDFAST_CHECK(check_blob_name(name));
  return std::unique_ptr<BlobWriter>(std::make_unique<MemoryWriter>(blobs_, std::string(name)));
}

Status MemoryStore::remove(std::string_view name) {
  HOLDFAST_CHECK(check_blob_name(name));
  if (!blobs_->erase(name)) return missing(name);
  return {};
}

Result<std::uint64_t> MemoryStore::free_space() const {
  return Error(ErrorCode::not_found, "memory doesn't tell its free space");
}

Result<std::uint64_t> MemoryStore::remove_unfinished(std::uint64_t /*older_than_seconds*/) {
  return std::uint64_t{0};
}

}  // namespace holdfast::blob
