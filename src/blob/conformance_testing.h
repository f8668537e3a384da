#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "blob/blob_store.h"

namespace holdfast::blob {

/// A backend under test: `open_empty` gives a store of its own, empty, each time.
struct StoreUnderTest {
  std::string name;
  std::function<std::unique_ptr<BlobStore>()> open_empty;
};

/// Defined beside the suite: a test that names a StoreUnderTest thereby links the suite too.
void PrintTo(const StoreUnderTest& store, std::ostream* out);

/// What every BlobStore must keep. A backend's test file runs all of it with:
///
///   INSTANTIATE_TEST_SUITE_P(S3, BlobStoreConformance, testing::Values(StoreUnderTest{…}));
class BlobStoreConformance : public testing::TestWithParam<StoreUnderTest> {
 protected:
  BlobStoreConformance();
  ~BlobStoreConformance() override;

  /// `count` bytes that depend on the seed.
  [[nodiscard]] static Bytes content(std::size_t count, std::uint32_t seed);

  std::unique_ptr<BlobStore> store_;
};

}  // namespace holdfast::blob
