#include "blob/read_only_store.h"

#include <fmt/format.h>

#include <utility>

namespace holdfast::blob {

namespace {

class ReadOnlyStore final : public BlobStore {
 public:
  explicit ReadOnlyStore(std::unique_ptr<BlobStore> inner) : inner_(std::move(inner)) {}

  Result<Bytes> get(std::string_view name, std::uint64_t limit) const override {
    return inner_->get(name, limit);
  }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset,
                          std::uint64_t length) const override {
    return inner_->get_range(name, offset, length);
  }
  Result<BlobInfo> stat(std::string_view name) const override { return inner_->stat(name); }
  Result<std::vector<BlobInfo>> list(std::string_view prefix) const override {
    return inner_->list(prefix);
  }
  std::string location() const override { return inner_->location(); }
  Result<std::uint64_t> free_space() const override { return inner_->free_space(); }

  Result<std::unique_ptr<BlobWriter>> create(std::string_view name) override {
    return refuse(fmt::format("write {}", name));
  }
  Status remove(std::string_view name) override { return refuse(fmt::format("remove {}", name)); }
  Result<std::uint64_t> remove_unfinished(std::uint64_t /*older_than_seconds*/) override {
    return refuse("remove unfinished files");
  }

 private:
  [[nodiscard]] Error refuse(std::string_view what) const {
    return Error(ErrorCode::denied,
                 fmt::format("cannot {}: {} is opened for reading only", what, inner_->location()));
  }

  const std::unique_ptr<BlobStore> inner_;
};

}  // namespace

std::unique_ptr<BlobStore> make_read_only_store(std::unique_ptr<BlobStore> inner) {
  return std::make_unique<ReadOnlyStore>(std::move(inner));
}

}  // namespace holdfast::blob
