#include "cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace holdfast::cli {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Table, aligns_by_columns_not_bytes) {
  Table table({{"NAME"}, {"COUNT", Align::right}});
  table.add_row({"users", "12"});
  table.add_row({"größe", "1,234"});
  table.add_row({"東京", "7"});
  for (const auto& line : lines_of(table.text())) {
    EXPECT_EQ(display_width(line), std::string("users  1,234").size()) << line;
  }
}

TEST(Table, isolates_right_to_left_names_so_that_columns_keep_their_order) {
  Table table({{"NAME"}, {"COUNT", Align::right}});
  table.add_row({"کاربران", "3"});
  const auto lines = lines_of(table.text());
  EXPECT_NE(lines[1].find("\u2068کاربران\u2069"), std::string::npos);
  EXPECT_EQ(display_width(lines[0]), display_width(lines[1]));
}

TEST(Table, shows_control_characters_escaped) {
  Table table({{"NAME"}});
  table.add_row({"a\x1b[2Jb\nc"});
  const std::string text = table.text();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(lines_of(text).size(), 2U);
}

TEST(Table, leaves_out_columns_without_a_cell_and_spaces_at_the_end) {
  Table table({{"A"}, {"B"}, {"C"}});
  table.add_row({"1", "", "x"});
  table.add_row({"2", "", ""});
  EXPECT_EQ(table.text(), "A  C\n1  x\n2\n");
}

TEST(Table, is_just_a_heading_without_rows) { EXPECT_EQ(Table({{"A"}, {"B"}}).text(), "\n"); }

}  // namespace
}  // namespace holdfast::cli
