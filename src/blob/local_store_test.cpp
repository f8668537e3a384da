#include "blob/local_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/temporary_folder_testing.h"
#include "blob/conformance_testing.h"
#include "blob/faulty_store_testing.h"
#include "blob/no_replace.h"

namespace holdfast::blob {
namespace {

std::unique_ptr<BlobStore> open_at(const std::filesystem::path& path) {
  auto store = open_local_store(path, true);
  EXPECT_TRUE(store.ok()) << store.error().message();
  return std::move(store).value();
}

INSTANTIATE_TEST_SUITE_P(Local, BlobStoreConformance,
                         testing::Values(StoreUnderTest{"local", [] {
                                                          static int number = 0;
                                                          static TemporaryFolder folder;
                                                          return open_at(folder.path() /
                                                                         std::to_string(++number));
                                                        }}));

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

std::vector<std::filesystem::path> unfinished_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().filename().native().starts_with(".tmp-")) found.push_back(entry.path());
  }
  return found;
}

/// Runs `work` in a process of its own and waits; its exit code, or -signal.
int in_a_process(const std::function<void()>& work) {
  const auto pid = ::fork();
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class LocalStore : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path root() const { return folder_.path() / "repository"; }
  TemporaryFolder folder_;
};

class LocalStoreUnderUmask : public testing::TestWithParam<mode_t> {};

TEST_P(LocalStoreUnderUmask, keeps_everything_private_and_usable) {
  const TemporaryFolder folder;
  const auto root = folder.path() / "new/repository";
  const mode_t before = ::umask(GetParam());
  const auto outcome = open_at(root)->put("source/segments/a", as_bytes("x"));
  ::umask(before);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  for (const auto* name : {"", "source", "source/segments"}) {
    EXPECT_EQ(mode_of(root / name), 0700U) << name;
  }
  EXPECT_EQ(mode_of(root / "source/segments/a"), 0600U);
}
INSTANTIATE_TEST_SUITE_P(Any, LocalStoreUnderUmask, testing::Values(0, 022, 0777));

TEST_F(LocalStore, opens_only_what_is_a_folder) {
  const auto missing = open_local_store(root(), false);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
  EXPECT_NE(missing.error().message().find(root().native()), std::string::npos);
  std::ofstream(root()) << "file";
  EXPECT_EQ(open_local_store(root(), false).error().code(), ErrorCode::precondition);
  EXPECT_EQ(open_local_store(root(), true).error().code(), ErrorCode::precondition);
  EXPECT_EQ(open_local_store("", true).error().code(), ErrorCode::usage);
}

TEST_F(LocalStore, leaves_the_mode_of_a_root_that_exists) {
  ASSERT_EQ(::mkdir(root().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(root().c_str(), 0755), 0);
  EXPECT_EQ(open_at(root() / "")->location(), root().native());
  EXPECT_EQ(mode_of(root()), 0755U);
}

TEST_F(LocalStore, errors_name_the_path) {
  const auto store = open_at(root());
  const auto missing = store->get("source/a", 1);
  EXPECT_EQ(missing.error().message(),
            "cannot open " + (root() / "source/a").native() + ": No such file or directory");
  ASSERT_TRUE(store->put("a", {}).ok());
  EXPECT_EQ(store->put("a", {}).error().message(),
            (root() / "a").native() + " exists and is never overwritten");
  EXPECT_EQ(store->put("a/b", {}).error().message(),
            "cannot make folder " + (root() / "a").native() + ": a file of that name is there");
}

TEST_F(LocalStore, lists_neither_foreign_files_nor_hidden_ones) {
  const auto store = open_at(root());
  ASSERT_TRUE(store->put("source/a", as_bytes("x")).ok());
  std::ofstream(root() / "source/.DS_Store") << "x";
  std::ofstream(root() / "source/note to self") << "x";
  std::filesystem::create_directories(root() / ".git/b");
  std::ofstream(root() / ".git/b/c") << "x";
  std::filesystem::create_directories(root() / "lost+found");
  const auto blobs = store->list("");
  ASSERT_TRUE(blobs.ok());
  ASSERT_EQ(blobs->size(), 1U);
  EXPECT_EQ(blobs->front().name, "source/a");
}

TEST_F(LocalStore, follows_a_linked_folder_but_not_round_in_a_circle) {
  const auto store = open_at(root());
  ASSERT_TRUE(store->put("source/a", as_bytes("x")).ok());
  const auto elsewhere = folder_.path() / "elsewhere";
  std::filesystem::rename(root() / "source", elsewhere);
  std::filesystem::create_directory_symlink(elsewhere, root() / "source");
  EXPECT_EQ(store->list("source/")->size(), 1U);
  EXPECT_TRUE(store->put("source/b", as_bytes("x")).ok());
  std::filesystem::create_directory_symlink(elsewhere, elsewhere / "again");
  EXPECT_EQ(store->list("").error().code(), ErrorCode::io);
}

TEST_F(LocalStore, makes_a_folder_again_that_somebody_removed) {
  const auto store = open_at(root());
  ASSERT_TRUE(store->put("source/a", as_bytes("x")).ok());
  std::filesystem::remove_all(root() / "source");
  EXPECT_TRUE(store->put("source/b", as_bytes("x")).ok());
}

TEST_F(LocalStore, stays_on_its_disk_when_the_path_leads_elsewhere) {
  const auto store = open_at(root());
  const auto moved = folder_.path() / "moved";
  std::filesystem::rename(root(), moved);
  std::filesystem::create_directory(root());
  ASSERT_TRUE(store->put("a", as_bytes("x")).ok());
  EXPECT_TRUE(std::filesystem::exists(moved / "a"));
  EXPECT_TRUE(std::filesystem::is_empty(root()));
}

TEST_F(LocalStore, a_writer_outlives_its_store) {
  auto store = open_at(root());
  auto writer = store->create("a");
  ASSERT_TRUE(writer.ok());
  store.reset();
  ASSERT_TRUE((*writer)->append(as_bytes("x")).ok());
  EXPECT_TRUE((*writer)->commit().ok());
}

TEST_F(LocalStore, a_killed_writer_leaves_only_what_is_cleared) {
  const auto store = open_at(root());
  int ready[2] = {};
  ASSERT_EQ(::pipe(ready), 0);
  const auto pid = ::fork();
  if (pid == 0) {
    auto writer = open_at(root())->create("source/segments/a");
    const auto outcome = (*writer)->append(Bytes(3'000'000, 7));
    const char answer = outcome.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) == 1) ::pause();
    ::_exit(1);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ::close(ready[0]);
  ::close(ready[1]);

  EXPECT_TRUE(store->list("")->empty());
  ASSERT_EQ(unfinished_in(root()).size(), 1U);
  EXPECT_EQ(mode_of(unfinished_in(root()).front()), 0600U);
  EXPECT_EQ(*store->remove_unfinished(3600), 0U);
  EXPECT_EQ(*store->remove_unfinished(0), 3'000'000U);
  EXPECT_TRUE(unfinished_in(root()).empty());
  EXPECT_TRUE(store->put("source/segments/a", as_bytes("again")).ok());
}

TEST_F(LocalStore, clears_unfinished_writes_by_their_age) {
  const auto store = open_at(root());
  std::filesystem::create_directories(root() / "source");
  const auto old = root() / "source/.tmp-old";
  std::ofstream(old) << "12345";
  std::ofstream(root() / ".tmp-new") << "123";
  std::filesystem::last_write_time(
      old, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_EQ(*store->remove_unfinished(3600), 5U);
  EXPECT_EQ(unfinished_in(root()), std::vector{root() / ".tmp-new"});
}

TEST_F(LocalStore, a_process_that_ends_at_any_write_leaves_whole_blobs_or_none) {
  const std::vector<std::string> names = {"a", "folder/b", "folder/deep/c"};
  const Bytes content(1'500'000, 7);
  bool completed = false;
  for (std::uint64_t at = 1; !completed && at < 100; ++at) {
    for (const auto when : {Fault::When::before, Fault::When::halfway, Fault::When::after}) {
      const TemporaryFolder folder;
      const int exit_code = in_a_process([&] {
        const auto plan = std::make_shared<FaultPlan>();
        Fault fault;
        fault.at = at;
        fault.when = when;
        fault.action = [] { ::_exit(9); };
        plan->set(fault);
        FaultyStore store(open_at(folder.path()), plan);
        for (const std::string& name : names) {
          if (!store.put(name, content).ok()) ::_exit(1);
        }
        if (!store.remove("a").ok()) ::_exit(1);
      });
      completed = exit_code == 0;
      ASSERT_TRUE(completed || exit_code == 9);
      const auto store = open_at(folder.path());
      const auto blobs = store->list("");
      for (const BlobInfo& blob : *blobs) {
        EXPECT_TRUE(*store->get(blob.name, UINT64_MAX) == content) << blob.name << " at " << at;
      }
      if (completed) {
        EXPECT_EQ(blobs->size(), 2U);
      }
      ASSERT_TRUE(store->remove_unfinished(0).ok());
      EXPECT_TRUE(unfinished_in(folder.path()).empty());
    }
  }
  EXPECT_TRUE(completed);
}

TEST_F(LocalStore, the_first_of_many_processes_wins_a_name) {
  const auto store = open_at(root());
  std::vector<pid_t> children;
  for (int child = 0; child < 8; ++child) {
    const auto pid = ::fork();
    if (pid == 0) {
      const auto outcome = open_at(root())->put("leases/a", Bytes(100, 1));
      if (outcome.ok()) ::_exit(1);
      ::_exit(outcome.error().code() == ErrorCode::exists ? 0 : 2);
    }
    children.push_back(pid);
  }
  int winners = 0;
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    winners += WEXITSTATUS(status);
  }
  EXPECT_EQ(winners, 1);
}

/// A file system of 1 MiB in memory, where this process may mount one.
class TinyDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (::mount("none", folder_.path().c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0) {
      GTEST_SKIP() << "mounting a small file system needs root: errno " << errno;
    }
    mounted_ = true;
  }
  ~TinyDisk() override {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  TemporaryFolder folder_;
  bool mounted_ = false;
};

TEST_F(TinyDisk, when_it_is_full_writes_say_no_space_and_leave_nothing) {
  const auto store = open_at(folder_.path());
  ASSERT_TRUE(store->put("small", as_bytes("x")).ok());
  const auto before = *store->free_space();
  EXPECT_LE(before, 1024U * 1024);
  const auto outcome = store->put("source/large", Bytes(3'000'000));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::no_space);
  EXPECT_NE(outcome.error().message().find((folder_.path() / "source/large").native()),
            std::string::npos);
  EXPECT_TRUE(unfinished_in(folder_.path()).empty());
  EXPECT_EQ(store->list("")->size(), 1U);
  EXPECT_TRUE(store->put("source/large", Bytes(500'000)).ok());
}

TEST_F(TinyDisk, when_it_fills_up_below_the_buffer_commit_says_so) {
  const auto store = open_at(folder_.path());
  ASSERT_TRUE(store->put("most", Bytes(700'000)).ok());
  auto writer = store->create("a");
  ASSERT_TRUE((*writer)->append(Bytes(600'000)).ok());
  EXPECT_EQ((*writer)->commit().error().code(), ErrorCode::no_space);
  EXPECT_EQ((*writer)->commit().error().code(), ErrorCode::no_space);
  EXPECT_EQ(store->stat("a").error().code(), ErrorCode::not_found);
}

TEST_F(TinyDisk, when_it_is_read_only_writes_are_denied_and_reads_work) {
  const auto store = open_at(folder_.path());
  ASSERT_TRUE(store->put("a", as_bytes("x")).ok());
  ASSERT_EQ(::mount("none", folder_.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  EXPECT_EQ(store->put("b", as_bytes("x")).error().code(), ErrorCode::denied);
  EXPECT_EQ(store->remove("a").error().code(), ErrorCode::denied);
  EXPECT_TRUE(store->get("a", 1).ok());
}

TEST_F(LocalStore, a_folder_of_somebody_else_is_denied) {
  if (::geteuid() != 0) GTEST_SKIP() << "taking on another user's rights needs root";
  ASSERT_TRUE(open_at(root())->put("a", as_bytes("x")).ok());
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  EXPECT_EQ(in_a_process([&] {
              if (::setuid(65534) != 0) ::_exit(3);
              const auto store = open_local_store(root(), false);
              ::_exit(!store.ok() && store.error().code() == ErrorCode::denied ? 0 : 1);
            }),
            0);
}

class RenameWithoutReplacing : public testing::TestWithParam<NoReplaceMethod> {};

TEST_P(RenameWithoutReplacing, moves_a_file_only_to_a_free_name) {
  const TemporaryFolder folder;
  const FileDescriptor open(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY));
  std::ofstream(folder.path() / "new") << "new";
  std::ofstream(folder.path() / "old") << "old";
  const auto move = [&](const char* to) {
    return rename_without_replacing(open.get(), "new", to, folder.path() / to, GetParam());
  };
  EXPECT_EQ(move("old").error().code(), ErrorCode::exists);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "new"));
  ASSERT_TRUE(move("free").ok());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "new"));
  EXPECT_EQ(std::filesystem::file_size(folder.path() / "free"), 3U);
  EXPECT_EQ(move("other").error().code(), ErrorCode::not_found);
}
INSTANTIATE_TEST_SUITE_P(Each, RenameWithoutReplacing,
                         testing::Values(NoReplaceMethod::rename, NoReplaceMethod::link));

}  // namespace
}  // namespace holdfast::blob
