#include "dataset/read_ahead.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bson/builder.h"

namespace holdfast {
namespace {

/// Counts from 0; fails or ends where it is told.
class Numbers final : public DocumentCursor {
 public:
  Numbers(int count, std::size_t padding, std::optional<int> fails_at = {})
      : count_(count), padding_(padding, 'p'), fails_at_(fails_at) {}
  Result<std::optional<bson::DocumentView>> next() override {
    if (fails_at_ == at_) return Error(ErrorCode::retry, "the line is dead");
    if (at_ == count_) return std::optional<bson::DocumentView>();
    bson::Builder builder;
    builder.append_int32("_id", at_++).append_string("pad", padding_);
    document_ = std::move(builder).finish();
    return std::optional(document_.view());
  }

 private:
  int count_;
  int at_ = 0;
  std::string padding_;
  std::optional<int> fails_at_;
  bson::Document document_;
};

int drain(ReadAhead& ahead, Status& end) {
  for (int expected = 0;; ++expected) {
    const auto document = ahead.next();
    if (!document.ok()) {
      end = document.error();
      return expected;
    }
    if (!*document) return expected;
    EXPECT_EQ((*document)->find_integral("_id"), expected);
  }
}

TEST(ReadAhead, gives_every_document_once_in_order) {
  for (const std::size_t padding : {10U, 1000U, 3'000'000U}) {
    const int count = padding > 100'000 ? 7 : 5000;
    Numbers numbers(count, padding);
    ReadAhead ahead(numbers);
    Status end;
    EXPECT_EQ(drain(ahead, end), count);
    EXPECT_TRUE(end.ok());
    EXPECT_FALSE(ahead.next()->has_value()) << "after the end comes the end";
  }
}

TEST(ReadAhead, gives_what_came_before_an_error_and_then_the_error) {
  Numbers numbers(5000, 1000, 1234);
  ReadAhead ahead(numbers);
  Status end;
  EXPECT_EQ(drain(ahead, end), 1234);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code(), ErrorCode::retry);
}

TEST(ReadAhead, can_be_left_in_the_middle) {
  Numbers numbers(1'000'000, 1000);
  ReadAhead ahead(numbers);
  ASSERT_TRUE(ahead.next().ok());
}

}  // namespace
}  // namespace holdfast
