#include "dataset/selection.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Glob, matches_stars_and_question_marks) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("user*", "userpackages"));
  EXPECT_TRUE(matches_glob("*pack*s", "userpackages"));
  EXPECT_TRUE(matches_glob("?sers", "users"));
  EXPECT_TRUE(matches_glob("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(matches_glob("user", "users"));
  EXPECT_FALSE(matches_glob("a*b*c", "aXbYbZ"));
  EXPECT_FALSE(matches_glob("?", ""));
}

TEST(Selection, matches_a_bare_name_or_a_whole_namespace) {
  const Selection chosen({"users", "shop.order*"}, {"*.orders_old"});
  EXPECT_TRUE(chosen.contains({"any", "users"}));
  EXPECT_TRUE(chosen.contains({"shop", "orders"}));
  EXPECT_FALSE(chosen.contains({"shop", "orders_old"}));
  EXPECT_FALSE(chosen.contains({"other", "orders"}));
}

TEST(Selection, names_globs_that_match_nothing) {
  const Selection chosen({"users", "userz"}, {});
  CollectionInfo users;
  users.ns = {"shop", "users"};
  EXPECT_EQ(chosen.unmatched({users}), std::vector<std::string>{"userz"});
}

}  // namespace
}  // namespace holdfast
