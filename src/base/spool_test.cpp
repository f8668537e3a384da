#include "base/spool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/temporary_folder_testing.h"

namespace holdfast {
namespace {

/// The descriptor of the spool that was made last, found by what /proc says it links to.
int spool_descriptor(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const auto target = std::filesystem::read_symlink(entry.path(), ignored).native();
    if (target.starts_with(folder.native() + "/")) return std::stoi(entry.path().filename());
  }
  return -1;
}

class Spool : public testing::Test {
 protected:
  std::unique_ptr<EncryptedSpool> make(std::uint32_t chunk_bytes) {
    auto spool = EncryptedSpool::create(folder_.path(), random_, chunk_bytes);
    EXPECT_TRUE(spool.ok()) << spool.error().message();
    return std::move(spool).value();
  }

  TemporaryFolder folder_;
  SystemRandom random_;
};

RC_GTEST_FIXTURE_PROP(Spool, any_records_come_back_in_order, ()) {
  const auto chunk_bytes = *rc::gen::inRange<std::uint32_t>(1, 40);
  const auto records = *rc::gen::arbitrary<std::vector<Bytes>>();
  const auto spool = make(chunk_bytes);
  std::vector<std::uint64_t> offsets;
  for (const Bytes& record : records) {
    offsets.push_back(spool->size());
    RC_ASSERT(spool->append_record(record).ok());
    if (record.size() % 3 == 0) {
      RC_ASSERT(spool->flush().ok());
    }
  }
  RC_ASSERT(spool->flush().ok());
  const auto start = records.empty() ? 0 : *rc::gen::inRange<std::size_t>(0, records.size());
  const auto reader = spool->reader(records.empty() ? 0 : offsets[start]);
  for (auto at = start; at < records.size(); ++at) {
    const auto record = reader->next_record();
    RC_ASSERT(record.ok() && record->has_value());
    RC_ASSERT(to_bytes(**record) == records[at]);
  }
  RC_ASSERT(!reader->next_record()->has_value());
}

TEST_F(Spool, readers_see_what_is_flushed_and_go_on_after_more) {
  const auto spool = make(16);
  ASSERT_TRUE(spool->append(as_bytes("0123456789")).ok());
  const auto reader = spool->reader();
  Bytes out(64);
  EXPECT_EQ(*reader->read(out), 0U);
  ASSERT_TRUE(spool->flush().ok());
  ASSERT_TRUE(spool->append(as_bytes("abcdefghijklmnopqrstuvwxyz")).ok());
  EXPECT_EQ(*reader->read(out), 10U);
  EXPECT_EQ(*reader->read(out), 0U);
  ASSERT_TRUE(spool->flush().ok());
  EXPECT_EQ(*reader->read(out), 26U);
  EXPECT_EQ(as_text(ByteView(out).first(26)), "abcdefghijklmnopqrstuvwxyz");
}

TEST_F(Spool, is_read_while_another_thread_writes) {
  const auto spool = make(64);
  constexpr std::uint32_t total = 20'000;
  std::jthread writer([&] {
    for (std::uint32_t number = 0; number < total; ++number) {
      Bytes record;
      append_little_endian(record, number);
      ASSERT_TRUE(spool->append_record(record).ok());
      if (number % 7 == 0 || number + 1 == total) {
        ASSERT_TRUE(spool->flush().ok());
      }
    }
  });
  const auto reader = spool->reader();
  for (std::uint32_t number = 0; number < total;) {
    const auto record = reader->next_record();
    ASSERT_TRUE(record.ok());
    if (!record->has_value()) continue;
    ASSERT_EQ(load_little_endian<std::uint32_t>((*record)->data()), number);
    ++number;
  }
}

TEST_F(Spool, what_is_discarded_takes_no_space_and_the_rest_stays) {
  const auto spool = make(4096);
  std::vector<std::uint64_t> offsets;
  for (std::uint8_t number = 0; number < 200; ++number) {
    offsets.push_back(spool->size());
    ASSERT_TRUE(spool->append_record(Bytes(1000, number)).ok());
  }
  ASSERT_TRUE(spool->flush().ok());
  const int descriptor = spool_descriptor(folder_.path());
  struct stat before {};
  ASSERT_EQ(::fstat(descriptor, &before), 0);
  if (!spool->discard(offsets[150])) GTEST_SKIP() << "this file system cannot make holes";
  EXPECT_TRUE(spool->discard(offsets[10])) << "again, and less";
  struct stat after {};
  ASSERT_EQ(::fstat(descriptor, &after), 0);
  EXPECT_LT(after.st_blocks, before.st_blocks / 2);
  EXPECT_LT(spool->live_bytes(), spool->size() / 3);
  EXPECT_GE(spool->live_bytes(), spool->size() - offsets[150]);

  const auto reader = spool->reader(offsets[150]);
  for (std::uint8_t number = 150; number < 200; ++number) {
    const auto record = reader->next_record();
    ASSERT_TRUE(record.ok() && record->has_value());
    EXPECT_EQ(to_bytes(**record), Bytes(1000, number));
  }
  EXPECT_FALSE(spool->reader(offsets[5])->next_record().ok());
}

TEST_F(Spool, has_no_name_and_shows_no_plaintext) {
  const auto spool = make(4096);
  const std::string text(20'000, 'S');
  ASSERT_TRUE(spool->append(as_bytes(text)).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  const int descriptor = spool_descriptor(folder_.path());
  ASSERT_GE(descriptor, 0);
  Bytes raw(20'000);
  const auto got = ::pread(descriptor, raw.data(), raw.size(), 0);
  ASSERT_GE(got, 16'000);
  EXPECT_EQ(as_text(ByteView(raw).first(static_cast<std::size_t>(got))).find("SSSS"),
            std::string_view::npos);
}

TEST_F(Spool, a_changed_byte_on_disk_is_corrupt) {
  const auto spool = make(100);
  ASSERT_TRUE(spool->append(Bytes(350, 7)).ok());
  ASSERT_TRUE(spool->flush().ok());
  const int descriptor = spool_descriptor(folder_.path());
  ASSERT_GE(descriptor, 0);
  std::uint8_t byte = 0;
  ASSERT_EQ(::pread(descriptor, &byte, 1, 130), 1);
  byte ^= 1U;
  ASSERT_EQ(::pwrite(descriptor, &byte, 1, 130), 1);
  const auto reader = spool->reader();
  Bytes out(100);
  EXPECT_EQ(*reader->read(out), 100U);
  const auto damaged = reader->read(out);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code(), ErrorCode::corrupt);
}

TEST_F(Spool, refuses_a_record_that_is_too_long) {
  const auto spool = make(100);
  const Bytes record(EncryptedSpool::max_record_bytes + 1);
  EXPECT_EQ(spool->append_record(record).error().code(), ErrorCode::precondition);
  EXPECT_EQ(spool->size(), 0U);
}

TEST_F(Spool, an_offset_inside_a_record_is_told) {
  const auto spool = make(100);
  ASSERT_TRUE(spool->append_record(Bytes(10, 0xff)).ok());
  ASSERT_TRUE(spool->flush().ok());
  EXPECT_EQ(spool->reader(6)->next_record().error().code(), ErrorCode::corrupt);
}

TEST_F(Spool, a_folder_that_is_missing_is_named) {
  const auto spool = EncryptedSpool::create(folder_.path() / "no", random_);
  ASSERT_FALSE(spool.ok());
  EXPECT_EQ(spool.error().code(), ErrorCode::not_found);
  EXPECT_NE(spool.error().message().find((folder_.path() / "no").native()), std::string::npos);
}

TEST_F(Spool, a_failed_write_is_told_by_every_later_append) {
  const auto pid = ::fork();  // RLIMIT_FSIZE holds for a whole process
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto spool = make(256);
    const bool first = spool->append(Bytes(5000)).ok();
    const bool second = spool->append(Bytes(1)).ok();
    const bool third = spool->flush().ok();
    ::_exit(first || second || third ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace holdfast
