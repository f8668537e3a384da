#include "interop/tar.h"

#include <gtest/gtest.h>

namespace holdfast::interop {
namespace {

struct File {
  std::string name;
  std::string content;
};

Bytes write(const std::vector<File>& files) {
  Bytes bytes;
  TarWriter tar(make_memory_sink(bytes));
  EXPECT_TRUE(tar.begin("shop", 0, true, 5).ok());
  EXPECT_TRUE(tar.end().ok());
  for (const File& file : files) {
    EXPECT_TRUE(tar.begin(file.name, file.content.size(), false, 5).ok());
    EXPECT_TRUE(tar.write(as_bytes(file.content)).ok());
    EXPECT_TRUE(tar.end().ok());
  }
  EXPECT_TRUE(tar.finish().ok());
  return bytes;
}

Result<std::vector<File>> read(Bytes bytes) {
  BufferedInput input(make_memory_source(std::move(bytes)));
  TarReader tar(input);
  std::vector<File> files;
  while (true) {
    HOLDFAST_TRY(const auto member, tar.next());
    if (!member) return files;
    if (!member->regular) continue;
    const auto content = tar.content();
    HOLDFAST_TRY(const Bytes all, read_rest(*content, 1U << 20U));
    files.push_back({member->name, std::string(as_text(all))});
  }
}

TEST(Tar, comes_back_with_names_of_any_length) {
  const std::vector<File> files = {{"shop/a.bson", ""},
                                   {"shop/" + std::string(238, 'x') + ".bson", "hello"},
                                   {"shop/b", std::string(512, 'b')},
                                   {"shop/c", std::string(513, 'c')}};
  const auto back = read(write(files));
  ASSERT_TRUE(back.ok()) << back.error().message();
  ASSERT_EQ(back->size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ((*back)[i].name, files[i].name);
    EXPECT_EQ((*back)[i].content, files[i].content);
  }
}

TEST(Tar, content_that_nobody_reads_is_passed_over) {
  BufferedInput input(make_memory_source(write({{"a", std::string(3000, 'a')}, {"b", "b"}})));
  TarReader tar(input);
  ASSERT_TRUE(tar.next().ok());  // the folder
  ASSERT_EQ((*tar.next())->name, "a");
  ASSERT_EQ((*tar.next())->name, "b");
}

TEST(Tar, refuses_damage_wherever_it_is_cut) {
  const Bytes whole = write({{"a", std::string(700, 'a')}});
  for (std::size_t size = 0; size + 512 < whole.size(); size += 100) {
    EXPECT_FALSE(read(Bytes(whole.begin(), whole.begin() + static_cast<long>(size))).ok()) << size;
  }
  Bytes flipped = whole;
  flipped[3] ^= 1;
  EXPECT_EQ(read(flipped).error().code(), ErrorCode::corrupt);
}

TEST(Tar, is_recognised) {
  EXPECT_TRUE(is_tar(write({})));
  EXPECT_FALSE(is_tar(Bytes(512, 0)));
}

}  // namespace
}  // namespace holdfast::interop
