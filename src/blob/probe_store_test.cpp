#include "blob/probe_store.h"

#include <gtest/gtest.h>

#include "base/temporary_folder_testing.h"
#include "blob/faulty_store_testing.h"
#include "blob/local_store.h"
#include "blob/memory_store_testing.h"

namespace holdfast::blob {
namespace {

/// A store with one thing wrong.
class CarelessStore final : public BlobStore {
 public:
  enum class Flaw { replaces, refuses_but_replaces, lists_late, keeps_removed };
  explicit CarelessStore(Flaw flaw) : flaw_(flaw) {}

  Result<Bytes> get(std::string_view name, std::uint64_t limit) const override {
    return inner_.get(name, limit);
  }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset,
                          std::uint64_t length) const override {
    return inner_.get_range(name, offset, length);
  }
  Result<BlobInfo> stat(std::string_view name) const override { return inner_.stat(name); }
  Result<std::vector<BlobInfo>> list(std::string_view prefix) const override {
    if (flaw_ == Flaw::lists_late) return std::vector<BlobInfo>();
    return inner_.list(prefix);
  }
  std::string location() const override { return "careless"; }
  Result<std::uint64_t> free_space() const override { return inner_.free_space(); }
  Result<std::uint64_t> remove_unfinished(std::uint64_t age) override {
    return inner_.remove_unfinished(age);
  }
  Status remove(std::string_view name) override {
    return flaw_ == Flaw::keeps_removed ? Status() : inner_.remove(name);
  }
  Result<std::unique_ptr<BlobWriter>> create(std::string_view name) override {
    return std::unique_ptr<BlobWriter>(std::make_unique<Writer>(*this, std::string(name)));
  }

 private:
  struct Writer final : BlobWriter {
    Writer(CarelessStore& owner, std::string blob) : store(owner), name(std::move(blob)) {}
    Status append(ByteView more) override {
      append_bytes(bytes, more);
      return {};
    }
    Status commit() override {
      const bool there = store.inner_.stat(name).ok();
      if (store.flaw_ == Flaw::replaces || store.flaw_ == Flaw::refuses_but_replaces) {
        store.inner_.blobs().overwrite(name, bytes);
        if (store.flaw_ == Flaw::replaces || !there) return {};
        return Error(ErrorCode::exists, "exists");
      }
      return store.inner_.put(name, bytes);
    }
    CarelessStore& store;
    std::string name;
    Bytes bytes;
  };

  MemoryStore inner_;
  const Flaw flaw_;
};

TEST(ProbeStore, passes_a_store_that_keeps_its_word_and_leaves_nothing) {
  const TemporaryFolder folder;
  const auto local = open_local_store(folder.path(), true).value();
  const auto outcome = probe_store(*local);
  EXPECT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_TRUE(local->list("")->empty());
  MemoryStore memory;
  EXPECT_TRUE(probe_store(memory).ok());
}

TEST(ProbeStore, refuses_a_careless_store) {
  using Flaw = CarelessStore::Flaw;
  for (const auto flaw :
       {Flaw::replaces, Flaw::refuses_but_replaces, Flaw::lists_late, Flaw::keeps_removed}) {
    CarelessStore store(flaw);
    const auto outcome = probe_store(store);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code(), ErrorCode::unsupported);
    EXPECT_TRUE(outcome.error().message().starts_with("careless cannot hold a repository: "));
  }
}

TEST(ProbeStore, passes_on_the_errors_of_the_store) {
  const auto plan = std::make_shared<FaultPlan>();
  FaultyStore store(std::make_unique<MemoryStore>(), plan);
  Fault fault;
  fault.code = ErrorCode::no_space;
  plan->set(fault);
  EXPECT_EQ(probe_store(store).error().code(), ErrorCode::no_space);
}

}  // namespace
}  // namespace holdfast::blob
