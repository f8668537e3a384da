#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "base/temporary_folder_testing.h"

namespace holdfast {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777U;
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(ErrorFromErrno, tells_what_the_caller_can_do) {
  EXPECT_EQ(error_from_errno(ENOSPC, "write", "/a").code(), ErrorCode::no_space);
  EXPECT_EQ(error_from_errno(EDQUOT, "write", "/a").code(), ErrorCode::no_space);
  EXPECT_EQ(error_from_errno(EACCES, "write", "/a").code(), ErrorCode::denied);
  EXPECT_EQ(error_from_errno(EPERM, "write", "/a").code(), ErrorCode::denied);
  EXPECT_EQ(error_from_errno(EROFS, "write", "/a").code(), ErrorCode::denied);
  EXPECT_EQ(error_from_errno(ENOENT, "write", "/a").code(), ErrorCode::not_found);
  EXPECT_EQ(error_from_errno(EEXIST, "write", "/a").code(), ErrorCode::exists);
  EXPECT_EQ(error_from_errno(EIO, "write", "/a").code(), ErrorCode::io);
  EXPECT_EQ(error_from_errno(ENOENT, "open", "/a b").message(),
            "cannot open /a b: No such file or directory");
}

TEST(ReadFile, reads_up_to_the_limit_and_refuses_more) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  write_text(path, "12345");
  EXPECT_EQ(as_text(*read_file(path, 5)), "12345");
  EXPECT_EQ(as_text(*read_file(path, UINT64_MAX)), "12345");
  const auto refused = read_file(path, 4);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::precondition);
  EXPECT_NE(refused.error().message().find(path.native()), std::string::npos);
}

TEST(ReadFile, reads_an_empty_file_and_one_whose_size_is_not_known) {
  const TemporaryFolder folder;
  write_text(folder.path() / "empty", "");
  EXPECT_EQ(read_file(folder.path() / "empty", 0)->size(), 0U);
  EXPECT_GT(read_file("/proc/self/status", 1U << 20U)->size(), 100U);
}

TEST(ReadFile, refuses_a_folder_a_pipe_and_what_is_missing) {
  const TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_file(pipe, 10).error().code(), ErrorCode::precondition);
  EXPECT_EQ(read_file(folder.path(), 10).error().code(), ErrorCode::precondition);
  EXPECT_EQ(read_file(folder.path() / "no", 10).error().code(), ErrorCode::not_found);
}

TEST(WriteAll, tells_that_the_disk_is_full) {
  const auto full = open_file("/dev/full", O_WRONLY);
  ASSERT_TRUE(full.ok());
  const auto written = write_all(full->get(), as_bytes("x"), "/dev/full");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code(), ErrorCode::no_space);
  EXPECT_EQ(written.error().message(), "cannot write to /dev/full: No space left on device");
}

TEST(FileDescriptor, closes_when_it_goes) {
  int number = -1;
  {
    auto file = open_file("/dev/null", O_RDONLY);
    number = file->get();
    FileDescriptor moved = std::move(*file);
    EXPECT_EQ(moved.get(), number);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  EXPECT_EQ(errno, EBADF);
}

class MakeDirectoriesUnderUmask : public testing::TestWithParam<mode_t> {};

TEST_P(MakeDirectoriesUnderUmask, gives_exactly_the_mode_asked_for) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(GetParam());
  const auto made = make_directories(folder.path() / "a/b/c");
  ::umask(before);
  ASSERT_TRUE(made.ok()) << made.error().message();
  for (const auto* name : {"a", "a/b", "a/b/c"}) EXPECT_EQ(mode_of(folder.path() / name), 0700U);
}
INSTANTIATE_TEST_SUITE_P(Any, MakeDirectoriesUnderUmask, testing::Values(0, 022, 0777));

TEST(MakeDirectories, leaves_what_exists_as_it_is) {
  const TemporaryFolder folder;
  ASSERT_TRUE(make_directories(folder.path() / "a", 0750).ok());
  ASSERT_TRUE(make_directories(folder.path() / "a/b/").ok());
  ASSERT_TRUE(make_directories(folder.path() / "a/b").ok());
  EXPECT_EQ(mode_of(folder.path() / "a"), 0750U);
}

TEST(MakeDirectories, refuses_a_file_on_the_way) {
  const TemporaryFolder folder;
  write_text(folder.path() / "a", "file");
  EXPECT_EQ(make_directories(folder.path() / "a/b").error().code(), ErrorCode::precondition);
  EXPECT_EQ(make_directories(folder.path() / "a").error().code(), ErrorCode::precondition);
  EXPECT_EQ(make_directories("").error().code(), ErrorCode::usage);
}

TEST(FsyncPath, works_for_files_and_folders) {
  const TemporaryFolder folder;
  write_text(folder.path() / "a", "file");
  EXPECT_TRUE(fsync_path(folder.path()).ok());
  EXPECT_TRUE(fsync_path(folder.path() / "a").ok());
  EXPECT_EQ(fsync_path(folder.path() / "b").error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace holdfast
