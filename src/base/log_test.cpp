#include "base/log.h"

#include <gtest/gtest.h>

#include <regex>

namespace holdfast {
namespace {

class Log : public testing::Test {
 protected:
  ~Log() override { configure_logging({}); }
};

TEST_F(Log, writes_a_line_with_time_and_level) {
  testing::internal::CaptureStderr();
  log_info("read {} documents", 5);
  log_debug("not shown");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(std::regex_match(
      text, std::regex(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC info: read 5 documents\n)")))
      << text;
}

TEST_F(Log, writes_json_that_no_message_can_break) {
  configure_logging({LogLevel::warning, LogFormat::json});
  testing::internal::CaptureStderr();
  log_info("not shown");
  log_warning("{}", "a \"quote\" \\ and\na line, 100 % \xff");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(std::regex_match(
      text, std::regex("\\{\"time\":\"[-0-9]+T[0-9:.]+Z\",\"level\":\"warning\",\"message\":\""
                       "a \\\\\"quote\\\\\" \\\\\\\\ and\\\\u000aa line, 100 % \uFFFD\"\\}\n")))
      << text;
}

TEST_F(Log, a_name_cannot_forge_a_line_or_colour_the_terminal) {
  testing::internal::CaptureStderr();
  log_error("dropped {}", "x\n2026 UTC info: all well\x1b[2J");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(Log, masks_passwords) {
  testing::internal::CaptureStderr();
  log_error("cannot reach {}", "mongodb://backup:hunter2@db1/");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_NE(text.find("mongodb://backup:***@db1/"), std::string::npos);
}

TEST(MaskUri, leaves_what_holds_no_secret) {
  for (const auto* text :
       {"", "no uri at all", "mongodb://db1:27017,db2:27017/app?replicaSet=rs0&tls=true",
        "user@example.org", "mongodb://[::1]:27017/", "file:///srv/backups",
        "mongodb://h/?tlsCertificateKeyFile=/etc/a.pem", "mongodb://db1 and a@b"}) {
    EXPECT_EQ(mask_uri(text), text);
  }
}

TEST(MaskUri, masks_passwords_and_keeps_the_rest) {
  EXPECT_EQ(mask_uri("mongodb://u:p@h/db?tls=true"), "mongodb://u:***@h/db?tls=true");
  EXPECT_EQ(mask_uri("mongodb+srv://u:p%40@h.example"), "mongodb+srv://u:***@h.example");
  EXPECT_EQ(mask_uri("'mongodb://u:p@h/': refused"), "'mongodb://u:***@h/': refused");
  EXPECT_EQ(mask_uri("from mongodb://u:p@h to s3://k:s@b/x"),
            "from mongodb://u:***@h to s3://k:***@b/x");
  EXPECT_EQ(mask_uri("mongodb://u@h"), "mongodb://u@h");
}

TEST(MaskUri, masks_passwords_that_nobody_escaped) {
  EXPECT_EQ(mask_uri("mongodb://u:p@ss@h/"), "mongodb://u:***@h/");
  EXPECT_EQ(mask_uri("mongodb://u:p/ss@h/"), "mongodb://u:***@h/");
  EXPECT_EQ(mask_uri("mongodb://u:p?s#s@h/"), "mongodb://u:***@h/");
  EXPECT_EQ(mask_uri("mongodb://u:p:ss@h/"), "mongodb://u:***@h/");
  EXPECT_EQ(mask_uri("mongodb://u:my pass@h/ failed"), "mongodb://u:***@h/ failed");
}

TEST(MaskUri, masks_secret_query_values) {
  EXPECT_EQ(mask_uri("mongodb://h/?tlsCertificateKeyFilePassword=abc&tls=true"),
            "mongodb://h/?tlsCertificateKeyFilePassword=***&tls=true");
  EXPECT_EQ(mask_uri("mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:xyz"),
            "mongodb://h/?authMechanismProperties=***");
  EXPECT_EQ(mask_uri("(https://h/x?X-Amz-Signature=abc&X-Amz-Credential=k): 403"),
            "(https://h/x?X-Amz-Signature=***&X-Amz-Credential=***): 403");
  EXPECT_EQ(mask_uri("s3://b/p?secret_access_key=abc"), "s3://b/p?secret_access_key=***");
}

}  // namespace
}  // namespace holdfast
