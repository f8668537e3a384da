#include "blob/layered_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blob/memory_store_testing.h"

namespace holdfast::blob {
namespace {

using ::testing::ElementsAre;

class LayeredStoreTest : public ::testing::Test {
 protected:
  static std::string text_of(const Result<Bytes>& bytes) {
    return bytes.ok() ? std::string(bytes->begin(), bytes->end()) : bytes.error().message();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    const auto listed = store->list("");
    if (!listed.ok()) return {listed.error().message()};
    for (const BlobInfo& blob : *listed) found.push_back(blob.name);
    return found;
  }

  MemoryStore lower;
  std::unique_ptr<BlobStore> store = make_layered_store(lower, std::make_unique<MemoryStore>());
};

TEST_F(LayeredStoreTest, reads_both_and_writes_only_above) {
  ASSERT_TRUE(lower.put("a/below", as_bytes("one")).ok());
  ASSERT_TRUE(store->put("a/above", as_bytes("two")).ok());
  EXPECT_THAT(names(), ElementsAre("a/above", "a/below"));
  EXPECT_EQ(text_of(store->get("a/below", 10)), "one");
  EXPECT_EQ(text_of(store->get_range("a/above", 1, 2)), "wo");
  EXPECT_FALSE(lower.stat("a/above").ok());
  ASSERT_TRUE(store->remove("a/above").ok());
  EXPECT_THAT(names(), ElementsAre("a/below"));
}

TEST_F(LayeredStoreTest, changes_nothing_below) {
  ASSERT_TRUE(lower.put("a", as_bytes("one")).ok());
  const Status put = store->put("a", as_bytes("two"));
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().code(), ErrorCode::exists);
  const Status removed = store->remove("a");
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().code(), ErrorCode::denied);
  EXPECT_EQ(store->remove("b").error().code(), ErrorCode::not_found);
  EXPECT_EQ(text_of(lower.get("a", 10)), "one");
}

}  // namespace
}  // namespace holdfast::blob
