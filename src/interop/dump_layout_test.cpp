#include "interop/dump_layout.h"

#include <gtest/gtest.h>

namespace holdfast::interop {
namespace {

TEST(DumpLayout, finds_collections_in_folders_of_databases) {
  const auto layout = find_dump_layout(
      {"oplog.bson", "prelude.json", "shop/a.bson", "shop/a.metadata.json", "shop/v.metadata.json"},
      "");
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->oplog, 0U);
  EXPECT_EQ(layout->prelude, 1U);
  ASSERT_EQ(layout->collections.size(), 2U);
  EXPECT_EQ(layout->collections[0].documents, 2U);
  EXPECT_EQ(layout->collections[0].metadata, 3U);
  EXPECT_EQ(layout->collections[1].documents, std::nullopt);
}

TEST(DumpLayout, looks_below_the_folder_of_a_time) {
  const auto layout = find_dump_layout({"./20261123/oplog.bson", "./20261123/shop/a.bson.gz"}, "");
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->oplog, 0U);
  ASSERT_EQ(layout->collections.size(), 1U);
  EXPECT_EQ(layout->collections[0].database, "shop");
}

TEST(DumpLayout, a_collection_may_be_called_oplog) {
  const auto layout = find_dump_layout({"shop/oplog.bson", "shop/a.bson"}, "");
  ASSERT_TRUE(layout.ok());
  EXPECT_FALSE(layout->oplog);
  EXPECT_EQ(layout->collections.size(), 2U);
}

TEST(DumpLayout, files_without_a_folder_need_a_database) {
  EXPECT_EQ(find_dump_layout({"a.bson"}, "").error().code(), ErrorCode::usage);
  const auto layout = find_dump_layout({"a.bson", "a.metadata.json"}, "shop");
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->collections[0].database, "shop");
}

TEST(DumpLayout, refuses_paths_that_climb_and_several_dumps) {
  EXPECT_EQ(find_dump_layout({"../shop/a.bson"}, "").error().code(), ErrorCode::corrupt);
  EXPECT_EQ(find_dump_layout({"one/shop/a.bson", "two/shop/a.bson"}, "").error().code(),
            ErrorCode::usage);
  EXPECT_EQ(find_dump_layout({"shop/a.bson", "shop/a.bson.gz"}, "").error().code(),
            ErrorCode::corrupt);
  EXPECT_EQ(find_dump_layout({"shop/readme.txt"}, "").error().code(), ErrorCode::not_found);
}

TEST(DumpLayout, a_shortened_name_needs_its_metadata) {
  const DumpLayout::Collection collection{
      .database = "shop",
      .escaped = std::string(208, 'x') + "%24" + std::string(27, 'h'),
      .documents = 0,
      .metadata = std::nullopt};
  EXPECT_FALSE(describe_dumped(collection, std::nullopt).ok());
  const auto info = describe_dumped(collection, R"({"collectionName":"long name","options":{}})");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->ns.collection, "long name");
}

}  // namespace
}  // namespace holdfast::interop
