#include "base/bytes.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Bytes, hexadecimal_round_trips) {
  const Bytes bytes = {0x00, 0x7f, 0x80, 0xff};
  EXPECT_EQ(to_hex(bytes), "007f80ff");
  EXPECT_EQ(from_hex("007F80ff"), bytes);
  EXPECT_EQ(from_hex(""), Bytes());
}

TEST(Bytes, from_hex_refuses_what_is_not_hexadecimal) {
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
  EXPECT_EQ(from_hex("+1"), std::nullopt);
}

TEST(ByteReader, never_reads_past_the_end) {
  Bytes bytes;
  append_little_endian<std::uint32_t>(bytes, 0x04030201);
  bytes.push_back(9);
  ByteReader reader(bytes);
  EXPECT_EQ(reader.number<std::uint32_t>(), 0x04030201U);
  EXPECT_EQ(reader.number<std::uint16_t>(), std::nullopt);
  EXPECT_FALSE(reader.take(2).has_value());
  EXPECT_EQ(reader.take(1)->front(), 9);
  EXPECT_EQ(reader.remaining(), 0U);
}

}  // namespace
}  // namespace holdfast
