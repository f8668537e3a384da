#include <gtest/gtest.h>

#include "blob/conformance_testing.h"
#include "blob/memory_store_testing.h"

namespace holdfast::blob {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, BlobStoreConformance,
                         testing::Values(StoreUnderTest{
                             "memory", [] { return std::make_unique<MemoryStore>(); }}));

TEST(MemoryStore, shares_and_damages_its_blobs) {
  const auto blobs = std::make_shared<MemoryBlobs>();
  ASSERT_TRUE(MemoryStore(blobs).put("a", as_bytes("abc")).ok());
  blobs->flip_bit("a", 1);
  MemoryStore reopened(blobs);
  EXPECT_EQ(as_text(*reopened.get("a", 10)), "acc");
  blobs->truncate("a", 1);
  EXPECT_EQ(reopened.stat("a")->size, 1U);
  EXPECT_EQ(blobs->total_bytes(), 1U);
}

}  // namespace
}  // namespace holdfast::blob
