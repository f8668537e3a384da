#include "interop/gzip.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <zlib.h>

#include <random>

namespace holdfast::interop {
namespace {

Bytes pack(const Bytes& plain, std::size_t piece_bytes) {
  Bytes packed;
  CompressionPool pool(2);
  const auto sink = make_gzip_sink(make_memory_sink(packed), pool);
  for (std::size_t at = 0; at < plain.size(); at += piece_bytes) {
    const auto piece = ByteView(plain).subspan(at, std::min(piece_bytes, plain.size() - at));
    EXPECT_TRUE(sink->write(piece).ok());
  }
  EXPECT_TRUE(sink->finish().ok());
  return packed;
}

Result<Bytes> unpack(Bytes packed) {
  const auto source = make_gunzip_source(make_memory_source(std::move(packed)));
  return read_rest(*source, 1U << 30U);
}

Bytes some_text(std::size_t size) {
  std::mt19937_64 random(size);
  Bytes text(size);
  for (auto& byte : text) byte = static_cast<std::uint8_t>('a' + random() % 7);
  return text;
}

TEST(Gzip, comes_back_whatever_its_length) {
  for (const std::size_t size : {0U, 1U, 1000U, 524287U, 524288U, 524289U, 3000000U}) {
    const Bytes plain = some_text(size);
    const auto back = unpack(pack(plain, 70000));
    ASSERT_TRUE(back.ok()) << size;
    EXPECT_EQ(*back, plain) << size;
  }
}

TEST(Gzip, comes_back_whatever_it_holds) {
  EXPECT_TRUE(rc::check([](const Bytes& plain) {
    const auto back = unpack(pack(plain, 1 + plain.size() / 3));
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == plain);
  }));
}

TEST(Gzip, is_one_member_that_zlib_itself_reads) {
  const Bytes plain = some_text(2000000);
  Bytes packed = pack(plain, 1 << 20);
  Bytes back(plain.size() + 1);
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = packed.data();
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = back.data();
  stream.avail_out = static_cast<uInt>(back.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.total_out, plain.size());
  EXPECT_EQ(stream.avail_in, 0U);
  inflateEnd(&stream);
}

TEST(Gzip, reads_members_behind_one_another) {
  Bytes both = pack({1, 2, 3}, 10);
  append_bytes(both, pack({4, 5}, 10));
  append_bytes(both, Bytes(100, 0));  // padding
  const auto back = unpack(both);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, (Bytes{1, 2, 3, 4, 5}));
}

TEST(Gzip, refuses_what_is_cut_or_damaged) {
  const Bytes packed = pack(some_text(5000), 5000);
  for (std::size_t size = 0; size < packed.size(); size += 7) {
    EXPECT_FALSE(unpack(Bytes(packed.begin(), packed.begin() + static_cast<long>(size))).ok());
  }
  Bytes flipped = packed;
  flipped[packed.size() - 6] ^= 1;  // its sum
  EXPECT_EQ(unpack(flipped).error().code(), ErrorCode::corrupt);
}

TEST(Gzip, refuses_a_bomb) {
  Bytes packed;
  CompressionPool pool(2);
  const auto sink = make_gzip_sink(make_memory_sink(packed), pool);
  const Bytes zeros(1U << 20U, 0);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(sink->write(zeros).ok());
  ASSERT_TRUE(sink->finish().ok());
  const auto source = make_gunzip_source(make_memory_source(std::move(packed)));
  Bytes step(1U << 20U);
  while (true) {
    const auto count = source->read(step);
    if (!count.ok()) {
      EXPECT_NE(count.error().message().find("bomb"), std::string::npos);
      break;
    }
    ASSERT_GT(*count, 0U);
  }
}

TEST(Gzip, is_told_apart_from_a_document_of_that_length) {
  EXPECT_TRUE(is_gzip(pack(some_text(100), 100)));
  Bytes document = {0x1f, 0x8b, 0x08, 0x00, 0x02, 'a', 0};
  document.resize(60000, 'x');
  EXPECT_FALSE(is_gzip(document));
}

}  // namespace
}  // namespace holdfast::interop
