#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "bson/generate_testing.h"
#include "interop/fuzz_testing.h"

namespace holdfast::interop {
namespace {

std::vector<std::string> read_corpus() {
  std::vector<std::string> inputs;
  const auto folder = std::filesystem::path(HOLDFAST_SOURCE_DIR) / "src/interop/fuzz_corpus";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

TEST(FuzzCorpus, damaged_dumps_are_read_safely) {
  const auto inputs = read_corpus();
  ASSERT_GE(inputs.size(), 7U);
  for (const std::string& input : inputs) {
    EXPECT_EQ(check_dump(as_bytes(input)), "");
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
      std::mt19937_64 random(seed);
      Bytes bytes = to_bytes(as_bytes(input));
      bytes[1 + bson::pick_below(random, bytes.size() - 1)] = static_cast<std::uint8_t>(random());
      ASSERT_EQ(check_dump(bytes), "") << "seed " << seed;
      bytes.resize(1 + bson::pick_below(random, bytes.size()));
      ASSERT_EQ(check_dump(bytes), "") << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace holdfast::interop
