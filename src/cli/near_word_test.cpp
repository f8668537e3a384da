#include "cli/near_word.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

TEST(NearWord, finds_a_typing_slip) {
  const std::vector<std::string> words{"backup", "restore", "verify", "--tag"};
  EXPECT_EQ(nearest_word("bakcup", words), "backup");
  EXPECT_EQ(nearest_word("restor", words), "restore");
  EXPECT_EQ(nearest_word("--tga", words), "--tag");
}

TEST(NearWord, guesses_nothing_far_away) {
  EXPECT_EQ(nearest_word("frobnicate", {"backup", "restore"}), "");
  EXPECT_EQ(nearest_word("", {"backup"}), "");
  EXPECT_EQ(nearest_word("backup", {}), "");
}

}  // namespace
}  // namespace holdfast::cli
