#include "blob/layered_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::blob {

namespace {

class LayeredStore final : public BlobStore {
 public:
  LayeredStore(const BlobReader& lower, std::unique_ptr<BlobStore> upper)
      : lower_(lower), upper_(std::move(upper)) {}

  Result<Bytes> get(std::string_view name, std::uint64_t limit) const override {
    auto found = upper_->get(name, limit);
    return is_absent(found) ? lower_.get(name, limit) : std::move(found);
  }

  Result<Bytes> get_range(std::string_view name, std::uint64_t offset,
                          std::uint64_t length) const override {
    auto found = upper_->get_range(name, offset, length);
    return is_absent(found) ? lower_.get_range(name, offset, length) : std::move(found);
  }

  Result<BlobInfo> stat(std::string_view name) const override {
    auto found = upper_->stat(name);
    return is_absent(found) ? lower_.stat(name) : std::move(found);
  }

  Result<std::vector<BlobInfo>> list(std::string_view prefix) const override {
    HOLDFAST_TRY(const std::vector<BlobInfo> above, upper_->list(prefix));
    HOLDFAST_TRY(const std::vector<BlobInfo> below, lower_.list(prefix));
    std::vector<BlobInfo> all;
    std::merge(above.begin(), above.end(), below.begin(), below.end(), std::back_inserter(all),
               [](const BlobInfo& a, const BlobInfo& b) { return a.name < b.name; });
    return all;
  }

  std::string location() const override { return lower_.location(); }

  Result<std::unique_ptr<BlobWriter>> create(std::string_view name) override {
    const auto below = lower_.stat(name);
    if (below.ok()) return Error(ErrorCode::exists, std::string(name) + " exists");
    if (!is_absent(below)) return below.error();
    return upper_->create(name);
  }

  Status remove(std::string_view name) override {
    const Status removed = upper_->remove(name);
    if (removed.ok() || removed.error().code() != ErrorCode::not_found) return removed;
    if (!lower_.stat(name).ok()) return removed;
    return Error(ErrorCode::denied, std::string(name) + " may only be read here");
  }

  Result<std::uint64_t> free_space() const override { return upper_->free_space(); }

  Result<std::uint64_t> remove_unfinished(std::uint64_t older_than_seconds) override {
    return upper_->remove_unfinished(older_than_seconds);
  }

 private:
  template <typename T>
  static bool is_absent(const Result<T>& result) {
    return !result.ok() && result.error().code() == ErrorCode::not_found;
  }

  const BlobReader& lower_;
  const std::unique_ptr<BlobStore> upper_;
};

}  // namespace

std::unique_ptr<BlobStore> make_layered_store(const BlobReader& lower,
                                              std::unique_ptr<BlobStore> upper) {
  return std::make_unique<LayeredStore>(lower, std::move(upper));
}

}  // namespace holdfast::blob
