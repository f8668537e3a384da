#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/temporary_folder_testing.h"
#include "cli/commands/all_commands.h"
#include "cli/man_page.h"

namespace holdfast::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// What a shell command prints, line by line, and whether it ended well.
std::pair<std::vector<std::string>, bool> output_of(const std::string& command) {
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), size);
  }
  const bool well = ::pclose(pipe) == 0;
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return {lines, well};
}

class Completion : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(script_) << completion_script(make_all_commands(), Shell::bash);
  }

  /// What bash offers for the last word of a line.
  std::vector<std::string> offered(const std::string& line) {
    std::istringstream in(line);
    std::string words;
    std::size_t count = 0;
    for (std::string word; in >> word; ++count) words += " '" + word + "'";
    if (line.ends_with(" ")) {
      words += " ''";
      ++count;
    }
    const auto [lines, well] =
        output_of("bash --norc -c \"source '" + script_.string() + "'; COMP_WORDS=(" + words +
                  "); COMP_CWORD=" + std::to_string(count - 1) +
                  "; _holdfast; printf '%s\\n' \\\"\\${COMPREPLY[@]}\\\"\"");
    EXPECT_TRUE(well) << line << ::testing::PrintToString(lines);
    return lines == std::vector<std::string>{""} ? std::vector<std::string>() : lines;
  }

  TemporaryFolder folder_;
  const std::filesystem::path script_ = folder_.path() / "completion.bash";
};

TEST_F(Completion, offers_commands_and_options) {
  EXPECT_THAT(offered("holdfast rest"), ElementsAre("restore"));
  EXPECT_THAT(offered("holdfast "), Contains("backup"));
  EXPECT_THAT(offered("holdfast snapshot t"), ElementsAre("tag"));
  EXPECT_THAT(offered("holdfast backup --inc"), Contains("--incremental"));
  EXPECT_THAT(offered("holdfast snapshot tag --rep"), ElementsAre("--repository"));
  EXPECT_THAT(offered("holdfast capture --onc"), ElementsAre("--once"));
  EXPECT_THAT(offered("holdfast capture status --least"), Not(IsEmpty()));
  EXPECT_THAT(offered("holdfast backup --uri mong"), IsEmpty());
}

TEST_F(Completion, offers_files_where_a_file_is_meant) {
  const auto prefix = (folder_.path() / "compl").string();
  EXPECT_THAT(offered("holdfast backup --password-file " + prefix), ElementsAre(script_.string()));
  EXPECT_THAT(offered("holdfast import " + prefix), ElementsAre(script_.string()));
}

TEST_F(Completion, of_other_shells_is_whole) {
  EXPECT_THAT(completion_script(make_all_commands(), Shell::zsh), HasSubstr("#compdef holdfast"));
  EXPECT_THAT(completion_script(make_all_commands(), Shell::fish), HasSubstr("-l incremental -d "));
  if (!output_of("command -v fish").second) GTEST_SKIP() << "fish is not installed";
  const auto path = folder_.path() / "holdfast.fish";
  std::ofstream(path) << completion_script(make_all_commands(), Shell::fish);
  EXPECT_TRUE(output_of("fish --no-execute " + path.string()).second);
}

TEST(ManPages, are_taken_by_groff_without_a_warning) {
  if (!output_of("command -v groff").second) GTEST_SKIP() << "groff is not installed";
  const TemporaryFolder folder;
  const auto path = folder.path() / "page.1";
  const Commands commands = make_all_commands();
  std::vector<std::string> pages = {overview_man_page(commands)};
  for (const auto& command : commands) pages.push_back(command_man_page(*command));
  for (const std::string& page : pages) {
    std::ofstream(path) << page;
    const auto [lines, well] = output_of("groff -Kutf8 -man -ww -z " + path.string());
    EXPECT_TRUE(well);
    EXPECT_THAT(lines, IsEmpty()) << page;
  }
}

}  // namespace
}  // namespace holdfast::cli
