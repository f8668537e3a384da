#include "cli/mask_arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::cli {
namespace {

/// Arguments as a process has them: writable, of fixed room.
class Arguments {
 public:
  explicit Arguments(std::vector<std::string> texts) : texts_(std::move(texts)) {
    for (auto& text : texts_) pointers_.push_back(text.data());
  }
  void mask() { mask_arguments(static_cast<int>(pointers_.size()), pointers_.data()); }
  [[nodiscard]] std::string at(std::size_t i) const { return pointers_[i]; }
  /// All the bytes, behind the first NUL, too.
  [[nodiscard]] const std::string& memory(std::size_t i) const { return texts_[i]; }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

TEST(MaskArguments, leaves_no_byte_of_a_password) {
  Arguments arguments({"holdfast", "backup", "--uri", "mongodb://me:hunter2-and-more@db/shop",
                       "--uri=mongodb+srv://me:hunter2@db/"});
  arguments.mask();
  EXPECT_EQ(arguments.at(3), "mongodb://me:***@db/shop");
  EXPECT_EQ(arguments.at(4), "--uri=mongodb+srv://me:***@db/");
  for (const std::size_t i : {3U, 4U}) {
    EXPECT_EQ(arguments.memory(i).find("hunter"), std::string::npos);
  }
}

TEST(MaskArguments, leaves_everything_else_as_it_is) {
  Arguments arguments({"holdfast", "restore", "latest", "--uri", "mongodb://db/shop", "--as", "x"});
  arguments.mask();
  EXPECT_EQ(arguments.at(2), "latest");
  EXPECT_EQ(arguments.at(4), "mongodb://db/shop");
}

TEST(MaskArguments, keeps_within_the_room_of_a_short_password) {
  Arguments arguments({"holdfast", "mongodb://a:b@h/database"});
  const std::size_t room = arguments.memory(1).size();
  arguments.mask();
  EXPECT_EQ(arguments.memory(1).size(), room);
  EXPECT_EQ(arguments.memory(1).find(":b@"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::cli
