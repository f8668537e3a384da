#include "interop/dump_names.h"

#include <gtest/gtest.h>

#include "interop/sha1.h"

namespace holdfast::interop {
namespace {

TEST(Sha1, gives_the_sums_of_the_standard) {
  EXPECT_EQ(to_hex(sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(sha1({})), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(to_hex(sha1(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

TEST(DumpNames, escapes_everything_but_plain_letters) {
  EXPECT_EQ(escape_collection("users-1_a.b~c"), "users-1_a.b~c");
  EXPECT_EQ(escape_collection("a b"), "a+b");
  EXPECT_EQ(escape_collection("a+b/c%\n"), "a%2Bb%2Fc%25%0A");
  EXPECT_EQ(escape_collection("é"), "%C3%A9");
}

TEST(DumpNames, come_back_from_their_files) {
  for (const std::string name : {"users", "a b", "a+b/c%\n", "é$\\", "..", "."}) {
    EXPECT_EQ(unescape_collection(escape_collection(name)), name);
  }
}

TEST(DumpNames, are_shortened_when_a_file_name_could_not_hold_them) {
  const std::string longest(max_escaped_bytes, 'x');
  EXPECT_EQ(escape_collection(longest), longest);
  const std::string shortened = escape_collection(longest + "y");
  EXPECT_EQ(shortened.size(), max_escaped_bytes);
  EXPECT_EQ(shortened.substr(0, 211), std::string(208, 'x') + "%24");
  EXPECT_NE(shortened, escape_collection(longest + "z"));
  EXPECT_EQ(unescape_collection(shortened), std::nullopt);
}

TEST(DumpNames, refuse_broken_escapes) {
  for (const std::string name : {"%", "%4", "%zz", "a%00b", ""}) {
    EXPECT_EQ(unescape_collection(name), std::nullopt) << name;
  }
}

TEST(DumpNames, of_databases_never_climb_out_of_a_folder) {
  EXPECT_TRUE(check_database_name("shop").ok());
  EXPECT_TRUE(check_database_name("نگه").ok());
  for (const std::string name : {"", ".", "..", "a/b", "/etc", "a\\b"}) {
    EXPECT_FALSE(check_database_name(name).ok()) << name;
  }
  EXPECT_FALSE(check_database_name(std::string("a\0b", 3)).ok());
}

TEST(DumpNames, tell_what_a_file_is) {
  const auto documents = parse_dump_file_name("shop", "users.bson.gz");
  ASSERT_TRUE(documents);
  EXPECT_EQ(documents->kind, DumpFileName::Kind::documents);
  EXPECT_EQ(documents->escaped, "users");
  EXPECT_TRUE(documents->gzip);
  EXPECT_EQ(parse_dump_file_name("shop", "users.metadata.json")->kind,
            DumpFileName::Kind::metadata);
  EXPECT_EQ(parse_dump_file_name("", "oplog.bson")->kind, DumpFileName::Kind::oplog);
  EXPECT_EQ(parse_dump_file_name("shop", "oplog.bson")->kind, DumpFileName::Kind::documents);
  EXPECT_EQ(parse_dump_file_name("shop", "prelude.json")->kind, DumpFileName::Kind::prelude);
  EXPECT_FALSE(parse_dump_file_name("shop", "readme.txt"));
  EXPECT_FALSE(parse_dump_file_name("shop", ".bson"));
}

}  // namespace
}  // namespace holdfast::interop
