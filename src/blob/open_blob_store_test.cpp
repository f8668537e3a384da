#include "blob/open_blob_store.h"

#include <gtest/gtest.h>

#include "base/temporary_folder_testing.h"

namespace holdfast::blob {
namespace {

TEST(OpenBlobStore, opens_a_path_and_a_file_url) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "my backups").native();
  const auto made = open_blob_store(path, OpenMode::create);
  ASSERT_TRUE(made.ok()) << made.error().message();
  ASSERT_TRUE((*made)->put("a", as_bytes("x")).ok());
  for (const std::string& url : {"file://" + folder.path().native() + "/my%20backups",
                                 "file://localhost" + folder.path().native() + "/my%20backups/",
                                 "FILE:" + folder.path().native() + "/my backups"}) {
    const auto store = open_blob_store(url, OpenMode::read_write);
    ASSERT_TRUE(store.ok()) << url << store.error().message();
    EXPECT_TRUE((*store)->stat("a").ok());
    EXPECT_EQ((*store)->location(), path);
  }
}

TEST(OpenBlobStore, opens_a_path_with_a_colon_behind_a_slash) {
  const TemporaryFolder folder;
  EXPECT_TRUE(open_blob_store(folder.path().native() + "/s3:a", OpenMode::create).ok());
}

TEST(OpenBlobStore, read_only_refuses_every_change) {
  const TemporaryFolder folder;
  ASSERT_TRUE((*open_blob_store(folder.path().native(), OpenMode::create))->put("a", {}).ok());
  const auto store = open_blob_store(folder.path().native(), OpenMode::read_only);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ((*store)->put("b", {}).error().code(), ErrorCode::denied);
  EXPECT_EQ((*store)->remove("a").error().code(), ErrorCode::denied);
  EXPECT_EQ((*store)->remove_unfinished(0).error().code(), ErrorCode::denied);
  EXPECT_EQ((*store)->list("")->size(), 1U);
  EXPECT_TRUE((*store)->get("a", 1).ok());
  EXPECT_TRUE((*store)->get_range("a", 0, 0).ok());
  EXPECT_TRUE((*store)->free_space().ok());
}

TEST(OpenBlobStore, makes_nothing_unless_told) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "no";
  EXPECT_EQ(open_blob_store(path.native(), OpenMode::read_write).error().code(),
            ErrorCode::not_found);
  EXPECT_EQ(open_blob_store(path.native(), OpenMode::read_only).error().code(),
            ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(OpenBlobStore, says_what_it_supports) {
  const auto refused = open_blob_store("s3://key:hunter2@bucket/path", OpenMode::create);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::unsupported);
  EXPECT_EQ(refused.error().message(),
            "no repository can be kept at s3://key:***@bucket/path: this version supports a "
            "folder's path and file:///path");
  EXPECT_EQ(open_blob_store("sftp:host:/path", OpenMode::create).error().code(),
            ErrorCode::unsupported);
}

TEST(OpenBlobStore, refuses_malformed_locations) {
  for (const auto* location : {"", "file:", "file://", "file://host/path", "file:///a%2", "file:a",
                               "file:///a%zz", "file:///a%00b", "file:////host/a"}) {
    const auto store = open_blob_store(location, OpenMode::read_write);
    ASSERT_FALSE(store.ok()) << location;
    EXPECT_EQ(store.error().code(), ErrorCode::usage) << location;
  }
}

}  // namespace
}  // namespace holdfast::blob
