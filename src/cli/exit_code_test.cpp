#include "cli/exit_code.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace holdfast::cli {
namespace {

std::string reference_page(const std::string& name) {
  std::ifstream file(std::string(HOLDFAST_SOURCE_DIR) + "/docs/reference/" + name);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

TEST(ExitCode, every_code_is_explained_in_the_reference) {
  const std::string page = reference_page("exit-codes.md");
  ASSERT_FALSE(page.empty());
  for (const ExitCodeInfo& info : exit_codes()) {
    const std::string row = "| " + std::to_string(static_cast<int>(info.code)) + " | ";
    const auto at = page.find(row);
    ASSERT_NE(at, std::string::npos) << row;
    EXPECT_EQ(page.substr(at + row.size(), info.meaning.size()), info.meaning);
  }
}

TEST(ExitCode, every_error_maps_to_a_listed_code_that_is_not_success) {
  std::set<ExitCode> listed;
  for (const ExitCodeInfo& info : exit_codes()) listed.insert(info.code);
  for (int i = 0; i <= static_cast<int>(ErrorCode::unsupported); ++i) {
    const ExitCode code = exit_code_for(static_cast<ErrorCode>(i));
    EXPECT_TRUE(listed.contains(code)) << i;
    EXPECT_NE(code, ExitCode::done) << i;
  }
}

TEST(ExitCode, follows_the_published_numbers) {
  EXPECT_EQ(static_cast<int>(exit_code_for(ErrorCode::usage)), 2);
  EXPECT_EQ(static_cast<int>(exit_code_for(ErrorCode::partial)), 3);
  EXPECT_EQ(static_cast<int>(exit_code_for(ErrorCode::corrupt)), 4);
  EXPECT_EQ(static_cast<int>(exit_code_for(ErrorCode::no_repository)), 10);
  EXPECT_EQ(static_cast<int>(exit_code_for(ErrorCode::busy)), 11);
  EXPECT_EQ(static_cast<int>(exit_code_for(ErrorCode::wrong_key)), 12);
  EXPECT_EQ(static_cast<int>(exit_code_for(ErrorCode::gap)), 13);
  EXPECT_EQ(static_cast<int>(exit_code_for(ErrorCode::cancelled)), 130);
}

}  // namespace
}  // namespace holdfast::cli
