#include "blob/blob_name.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::blob {
namespace {

TEST(BlobName, takes_letters_digits_dot_dash_and_underscore) {
  for (const auto* name : {"a", "holdfast.json", "Source-1/segments/0a_b", "a/b/c/d"}) {
    EXPECT_TRUE(check_blob_name(name).ok()) << name;
  }
}

TEST(BlobName, has_a_longest_length) {
  EXPECT_TRUE(check_blob_name(std::string(255, 'a')).ok());
  EXPECT_FALSE(check_blob_name(std::string(256, 'a')).ok());
  std::string name;
  while (name.size() < 1024) name += "aaaaaaa/";
  name.back() = 'a';
  EXPECT_TRUE(check_blob_name(name).ok());
  EXPECT_FALSE(check_blob_name(name + "a").ok());
}

TEST(BlobName, an_error_shows_no_control_characters) {
  EXPECT_EQ(check_blob_name("a\x1b[2J").error().message(),
            "\"a\\x1b[2J\" cannot be the name of a blob");
}

TEST(BlobName, folder_is_what_stands_before_the_last_slash) {
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
  EXPECT_EQ(folder_of("a"), "");
}

}  // namespace
}  // namespace holdfast::blob
