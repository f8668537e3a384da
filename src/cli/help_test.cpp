#include "cli/help.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "base/text.h"
#include "cli/commands/all_commands.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

const fs::path source_folder = HOLDFAST_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Compares with the golden file; HOLDFAST_UPDATE_GOLDEN=1 writes it instead.
void expect_golden(const std::string& name, const std::string& text) {
  const fs::path path = source_folder / "src/cli/commands/help_golden" / name;
  const char* update = std::getenv("HOLDFAST_UPDATE_GOLDEN");
  if (update != nullptr && *update != '\0') {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  EXPECT_EQ(read(path), text) << path << "\nHOLDFAST_UPDATE_GOLDEN=1 writes it anew";
}

std::string file_name(std::string_view command) {
  std::string name(command);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name + ".txt";
}

/// Words of a shell line, with single quotes only, up to a pipe.
std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char letter : line) {
    if (letter == '\'') {
      quoted = !quoted;
      any = true;
    } else if (letter == ' ' && !quoted) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word.push_back(letter);
      any = true;
    }
  }
  if (any) words.push_back(word);
  words.erase(std::find(words.begin(), words.end(), "|"), words.end());
  return words;
}

TEST(Help, is_the_golden_text) {
  const Commands commands = make_all_commands();
  expect_golden("holdfast.txt", overview_help(commands));
  for (const auto& command : commands) {
    expect_golden(file_name(command->info().name), command_help(*command));
  }
}

TEST(Help, has_no_golden_text_of_a_command_that_is_gone) {
  std::set<std::string> names{"holdfast.txt"};
  const Commands commands = make_all_commands();
  for (const auto& command : commands) names.insert(file_name(command->info().name));
  for (const auto& entry : fs::directory_iterator(source_folder / "src/cli/commands/help_golden")) {
    EXPECT_TRUE(names.contains(entry.path().filename().string())) << entry.path();
  }
}

TEST(Help, fits_a_terminal_of_80_columns) {
  const Commands commands = make_all_commands();
  std::string all = overview_help(commands);
  for (const auto& command : commands) all += command_help(*command);
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    // Examples are lines to copy; breaking them would break them.
    if (line.find("  holdfast ") == 0) continue;
    EXPECT_LE(display_width(line), 80U) << line;
  }
}

TEST(Help, every_command_has_examples_that_parse) {
  for (const auto& command : make_all_commands()) {
    const CommandInfo info = command->info();
    EXPECT_FALSE(info.examples.empty()) << info.name;
    EXPECT_FALSE(info.summary.empty()) << info.name;
    for (const Example& example : info.examples) {
      const auto words = shell_words(example.line);
      ASSERT_FALSE(words.empty());
      EXPECT_EQ(words.front(), "holdfast") << example.line;
      const Commands fresh = make_all_commands();
      const auto choice = choose_command(fresh, {words.begin() + 1, words.end()});
      ASSERT_TRUE(choice.ok()) << example.line;
      ASSERT_NE(choice->command, nullptr) << example.line;
      EXPECT_EQ(choice->command->info().name, info.name) << example.line;
      CommandOptions options(*choice->command);
      const Status parsed = options.parse(choice->arguments);
      EXPECT_TRUE(parsed.ok()) << example.line << ": "
                               << (parsed.ok() ? "" : parsed.error().message());
    }
  }
}

TEST(Reference, every_command_has_a_page_that_mentions_each_of_its_options) {
  const std::string common = read(source_folder / "docs/reference/common-options.md");
  for (const auto& command : make_all_commands()) {
    const std::string name(command->info().name);
    const std::string page_name = name.substr(0, name.find(' ')) + ".md";
    const std::string page = read(source_folder / "docs/reference" / page_name);
    ASSERT_FALSE(page.empty()) << page_name;
    EXPECT_NE(page.find(name), std::string::npos) << name << " in " << page_name;
    const CommandOptions options(*command);
    for (const CLI::Option* option : options.app().get_options()) {
      const std::string& where = option->get_group() == common_group ? common : page;
      for (const auto& long_name : option->get_lnames()) {
        // `--key` must not pass because `--key-file` is there.
        const std::regex mention("--" + long_name + "(?![a-z-])");
        EXPECT_TRUE(std::regex_search(where, mention)) << name << " --" << long_name;
      }
    }
  }
}

TEST(Reference, pages_mention_no_option_that_does_not_exist) {
  std::set<std::string> known{"version"};
  for (const auto& command : make_all_commands()) {
    const CommandOptions options(*command);
    for (const CLI::Option* option : options.app().get_options()) {
      for (const auto& name : option->get_lnames()) known.insert(name);
    }
  }
  const std::regex option_in_code("`--([a-z-]+)");
  for (const auto& entry : fs::directory_iterator(source_folder / "docs/reference")) {
    const std::string page = read(entry.path());
    for (std::sregex_iterator at(page.begin(), page.end(), option_in_code), end; at != end; ++at) {
      EXPECT_TRUE(known.contains((*at)[1].str())) << entry.path() << ": --" << (*at)[1].str();
    }
  }
}

TEST(Reference, every_json_format_is_listed) {
  const std::string page = read(source_folder / "docs/reference/json.md");
  const std::regex format("\"(holdfast\\.[a-z-]+/[0-9]+)\"");
  std::size_t found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source_folder / "src/cli")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".cpp" || name.ends_with("_test.cpp")) continue;
    const std::string source = read(entry.path());
    for (std::sregex_iterator at(source.begin(), source.end(), format), end; at != end; ++at) {
      ++found;
      EXPECT_NE(page.find("`" + (*at)[1].str() + "`"), std::string::npos) << (*at)[1].str();
    }
  }
  EXPECT_GE(found, 15U);
}

}  // namespace
}  // namespace holdfast::cli
