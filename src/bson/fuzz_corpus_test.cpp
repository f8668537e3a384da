#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "bson/fuzz_testing.h"
#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(FuzzCorpus, replays_without_a_finding) {
  std::size_t files = 0;
  const auto folder = std::filesystem::path(HOLDFAST_SOURCE_DIR) / "src/bson/fuzz_corpus";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++files;
    const std::string input = read_file(entry.path());
    EXPECT_EQ(check_document(as_bytes(input)), "") << entry.path();
    EXPECT_EQ(check_extended_json(input), "") << entry.path();
  }
  EXPECT_GE(files, 20U);
}

TEST(FuzzCorpus, damaged_documents_are_read_safely) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    std::mt19937_64 random(seed);
    Bytes bytes = generate_document(random).bytes();
    const std::size_t damages = 1 + pick_below(random, 3);
    for (std::size_t damage = 0; damage < damages; ++damage) {
      bytes[pick_below(random, bytes.size())] = static_cast<std::uint8_t>(random());
    }
    ASSERT_EQ(check_document(bytes), "") << "seed " << seed;
    bytes.resize(pick_below(random, bytes.size()));
    ASSERT_EQ(check_document(bytes), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace holdfast::bson
