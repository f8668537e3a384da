#include "base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>

#include "base/random.h"

namespace holdfast {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes>);

TEST(SecretBytes, begins_as_zeros_and_is_filled_through_its_span) {
  SecretBytes secret(32);
  EXPECT_TRUE(std::all_of(secret.view().begin(), secret.view().end(),
                          [](std::uint8_t byte) { return byte == 0; }));
  SystemRandom random;
  random.fill(secret.span());
  EXPECT_FALSE(std::all_of(secret.view().begin(), secret.view().end(),
                           [](std::uint8_t byte) { return byte == 0; }));
}

TEST(SecretBytes, moving_leaves_the_source_empty) {
  SecretBytes first(as_bytes("correct horse"));
  SecretBytes second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(as_text(second.view()), "correct horse");
  SecretBytes third(as_bytes("other"));
  third = std::move(second);
  EXPECT_EQ(as_text(third.view()), "correct horse");
  EXPECT_TRUE(same_secret(third.clone().view(), third.view()));
}

TEST(SecretBytes, may_be_empty) {
  const SecretBytes secret{ByteView()};
  EXPECT_TRUE(secret.empty());
  EXPECT_TRUE(same_secret(secret.view(), SecretBytes().view()));
}

TEST(SecretBytes, wipe_overwrites) {
  Bytes bytes = to_bytes(as_bytes("secret"));
  wipe(bytes);
  EXPECT_EQ(bytes, Bytes(6));
}

TEST(SystemRandom, gives_different_bytes_each_time) {
  SystemRandom random;
  EXPECT_NE(random.bytes<16>(), random.bytes<16>());
}

}  // namespace
}  // namespace holdfast
