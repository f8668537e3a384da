#include "transfer/find_dumps.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_folder_testing.h"

namespace holdfast::transfer {
namespace {

std::int64_t seconds_of(std::string_view name) {
  const auto date = date_in_name(name);
  return date ? std::chrono::duration_cast<std::chrono::seconds>(date->time_since_epoch()).count()
              : -1;
}

TEST(DateInName, is_read_in_the_usual_forms) {
  const auto whole = seconds_of("20261123_091414.tar.gz");
  EXPECT_GT(whole, 0);
  for (const std::string name : {"shop-2026-11-23_09-14-14", "20261123091414",
                                 "dump.20261123T091414", "2026-11-23T09:14:14.archive"}) {
    EXPECT_EQ(seconds_of(name), whole) << name;
  }
  EXPECT_EQ(seconds_of("backup-2026-11-23.archive"), seconds_of("20261123"));
  EXPECT_LT(seconds_of("20261123"), whole);
}

TEST(DateInName, is_not_seen_where_there_is_none) {
  for (const std::string name : {"dump", "1234567", "99999999", "20261399", "v10020261123"}) {
    EXPECT_EQ(date_in_name(name), std::nullopt) << name;
  }
}

TEST(FindDumps, gives_files_and_folders_of_dumps_oldest_first) {
  const TemporaryFolder folder;
  for (const std::string name : {"20260301/shop", "20260101/deep/shop", "empty", ".hidden/shop"}) {
    std::filesystem::create_directories(folder.path() / name);
  }
  std::ofstream(folder.path() / "20260301/shop/a.bson") << "";
  std::ofstream(folder.path() / "20260101/deep/shop/a.bson.gz") << "";
  std::ofstream(folder.path() / ".hidden/shop/a.bson") << "";
  std::ofstream(folder.path() / "20260201.archive") << "";
  const auto found = find_dumps(folder.path());
  ASSERT_TRUE(found.ok());
  std::vector<std::string> names;
  for (const FoundDump& one : *found) names.push_back(one.path.filename().string());
  EXPECT_EQ(names, (std::vector<std::string>{"20260101", "20260201.archive", "20260301"}));
  EXPECT_EQ(find_dumps(folder.path() / "empty").error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace holdfast::transfer
