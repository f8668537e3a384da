#include "base/scratch_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <utility>

#include "base/temporary_folder_testing.h"

namespace holdfast {
namespace {

TEST(ScratchFolder, goes_with_its_content_when_the_last_owner_goes) {
  const TemporaryFolder parent;
  std::filesystem::path path;
  {
    auto created = ScratchFolder::create(parent.path());
    ASSERT_TRUE(created.ok()) << created.error().message();
    const ScratchFolder folder = std::move(created).value();
    path = folder.path();
    std::ofstream(path / "file") << "content";
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ScratchFolder, says_where_it_cannot_be_made) {
  const auto created = ScratchFolder::create("/nowhere");
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code(), ErrorCode::not_found);
  EXPECT_NE(created.error().message().find("/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace holdfast
