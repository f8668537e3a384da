#include "blob/local_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>

#include "base/file.h"
#include "base/random.h"
#include "blob/blob_name.h"
#include "blob/local_files.h"
#include "blob/no_replace.h"

namespace holdfast::blob {

namespace {

/// Fewer, larger writes: appends come in pieces of any size.
constexpr std::size_t write_buffer_bytes = 1024U * 1024;

std::string temporary_name() {
  SystemRandom random;
  return std::string(temporary_prefix) + to_hex(random.bytes<16>());
}

/// Makes a file that only this user may read, whatever the umask.
Result<FileDescriptor> create_private_file(int folder, const std::string& name,
                                           const std::filesystem::path& path) {
  constexpr mode_t mode = 0600;
  FileDescriptor file(
      ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.valid()) return error_from_errno(errno, "create", path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 ||
      ((status.st_mode & 07777U) != mode && ::fchmod(file.get(), mode) != 0)) {
    const int number = errno;
    ::unlinkat(folder, name.c_str(), 0);
    return error_from_errno(number, "set the permissions of", path);
  }
  return file;
}

class LocalWriter final : public BlobWriter {
 public:
  LocalWriter(FileDescriptor folder, FileDescriptor file, std::string temporary,
              std::filesystem::path path)
      : folder_(std::move(folder)),
        file_(std::move(file)),
        temporary_(std::move(temporary)),
        path_(std::move(path)) {}
  ~LocalWriter() override { discard(); }

  Status append(ByteView bytes) override {
    if (failure_) return *failure_;
    if (!file_.valid()) return over();
    if (buffer_.size() + bytes.size() < write_buffer_bytes) {
      append_bytes(buffer_, bytes);
      return {};
    }
    HOLDFAST_CHECK(flush());
    if (bytes.size() >= write_buffer_bytes) return note(write_all(file_.get(), bytes, path_));
    append_bytes(buffer_, bytes);
    return {};
  }

  Status commit() override {
    if (failure_) return *failure_;
    if (!file_.valid()) return over();
    auto outcome = finish();
    if (!outcome.ok()) failure_ = outcome.error();
    file_.reset();
    discard();
    return outcome;
  }

 private:
  Status finish() {
    HOLDFAST_CHECK(flush());
    HOLDFAST_CHECK(fsync_file(file_.get(), path_));
    HOLDFAST_CHECK(file_.close(path_));
    HOLDFAST_CHECK(
        rename_without_replacing(folder_.get(), temporary_, path_.filename().native(), path_));
    temporary_.clear();
    return fsync_folder(folder_.get(), path_.parent_path());
  }

  Status flush() {
    auto outcome = note(write_all(file_.get(), buffer_, path_));
    buffer_.clear();
    return outcome;
  }

  /// A part may be written after a failure, so the first one is the last word.
  Status note(Status outcome) {
    if (!outcome.ok()) failure_ = outcome.error();
    return outcome;
  }

  Error over() const {
    return Error(ErrorCode::precondition, fmt::format("{} was committed before", path_.native()));
  }

  void discard() {
    if (!temporary_.empty()) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
    temporary_.clear();
  }

  const FileDescriptor folder_;
  FileDescriptor file_;
  std::string temporary_;  ///< Empty when no such file is left.
  const std::filesystem::path path_;
  Bytes buffer_;
  std::optional<Error> failure_;
};

class LocalStore final : public BlobStore {
 public:
  LocalStore(FileDescriptor root, std::filesystem::path path)
      : files_(std::move(root), std::move(path)) {}

  Result<Bytes> get(std::string_view name, std::uint64_t limit) const override {
    HOLDFAST_CHECK(check_blob_name(name));
    std::uint64_t size = 0;
    HOLDFAST_TRY(const auto file, files_.open_blob(name, size));
    if (size > limit) {
      return Error(ErrorCode::precondition,
                   fmt::format("{} is {} bytes long, more than the {} allowed",
                               files_.path_of(name).native(), size, limit));
    }
    return read_exactly(file, name, 0, size);
  }

  Result<Bytes> get_range(std::string_view name, std::uint64_t offset,
                          std::uint64_t length) const override {
    HOLDFAST_CHECK(check_blob_name(name));
    std::uint64_t size = 0;
    HOLDFAST_TRY(const auto file, files_.open_blob(name, size));
    if (offset > size || length > size - offset) return too_short(name, offset, length, size);
    return read_exactly(file, name, offset, length);
  }

  Result<BlobInfo> stat(std::string_view name) const override {
    HOLDFAST_CHECK(check_blob_name(name));
    BlobInfo info{std::string(name), 0};
    HOLDFAST_CHECK(files_.open_blob(name, info.size));
    return info;
  }

  Result<std::vector<BlobInfo>> list(std::string_view prefix) const override {
    HOLDFAST_CHECK(check_blob_prefix(prefix));
    std::vector<BlobInfo> blobs;
    HOLDFAST_CHECK(files_.walk(prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1),
                               [&](const LocalFiles::Entry& entry) -> Status {
                                 if (!entry.temporary) blobs.push_back({entry.name, entry.size});
                                 return {};
                               }));
    std::sort(blobs.begin(), blobs.end(),
              [](const BlobInfo& a, const BlobInfo& b) { return a.name < b.name; });
    return blobs;
  }

  std::string location() const override { return files_.path().native(); }

  Result<std::unique_ptr<BlobWriter>> create(std::string_view name) override {
    HOLDFAST_CHECK(check_blob_name(name));
    HOLDFAST_TRY(auto folder, files_.open_or_make_folder(folder_of(name)));
    auto temporary = temporary_name();
    auto path = files_.path_of(name);
    HOLDFAST_TRY(auto file,
                 create_private_file(folder.get(), temporary, path.parent_path() / temporary));
    return std::unique_ptr<BlobWriter>(std::make_unique<LocalWriter>(
        std::move(folder), std::move(file), std::move(temporary), std::move(path)));
  }

  Status remove(std::string_view name) override {
    HOLDFAST_CHECK(check_blob_name(name));
    const auto path = files_.path_of(name);
    HOLDFAST_TRY(const auto folder, files_.open_folder(folder_of(name)));
    if (::unlinkat(folder.get(), path.filename().c_str(), 0) != 0) {
      return error_from_errno(errno == EISDIR ? ENOENT : errno, "remove", path);
    }
    return fsync_folder(folder.get(), path.parent_path());
  }

  Result<std::uint64_t> free_space() const override {
    struct statvfs status {};
    if (::fstatvfs(files_.root(), &status) != 0) {
      return error_from_errno(errno, "measure the free space of", files_.path());
    }
    return std::uint64_t{status.f_bavail} * status.f_frsize;
  }

  Result<std::uint64_t> remove_unfinished(std::uint64_t older_than_seconds) override {
    HOLDFAST_TRY(const auto now, file_system_time());
    std::uint64_t freed = 0;
    HOLDFAST_CHECK(files_.walk("", [&](const LocalFiles::Entry& entry) -> Status {
      const auto age = now > entry.modified ? now - entry.modified : 0;
      if (!entry.temporary || static_cast<std::uint64_t>(age) < older_than_seconds) return {};
      if (::unlinkat(files_.root(), entry.name.c_str(), 0) == 0) {
        freed += entry.size;
      } else if (errno != ENOENT) {
        return error_from_errno(errno, "remove", files_.path_of(entry.name));
      }
      return {};
    }));
    return freed;
  }

 private:
  Result<Bytes> read_exactly(const FileDescriptor& file, std::string_view name,
                             std::uint64_t offset, std::uint64_t length) const {
    Bytes bytes(length);
    HOLDFAST_TRY(const auto got, read_at(file.get(), bytes, offset, files_.path_of(name)));
    if (got != length) return too_short(name, offset, length, offset + got);
    return bytes;
  }

  Error too_short(std::string_view name, std::uint64_t offset, std::uint64_t length,
                  std::uint64_t size) const {
    return Error(ErrorCode::corrupt,
                 fmt::format("{} is too short: {} bytes from offset {} are wanted, it has {}",
                             files_.path_of(name).native(), length, offset, size));
  }

  /// Now, by the clock that stamps files: a network mount's may differ from ours.
  Result<std::time_t> file_system_time() const {
    const auto name = temporary_name();
    const auto path = files_.path_of(name);
    HOLDFAST_TRY(const auto file, create_private_file(files_.root(), name, path));
    ::unlinkat(files_.root(), name.c_str(), 0);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return error_from_errno(errno, "examine", path);
    return status.st_mtime;
  }

  LocalFiles files_;
};

}  // namespace

Result<std::unique_ptr<BlobStore>> open_local_store(const std::filesystem::path& root,
                                                    bool create) {
  if (root.empty()) return Error(ErrorCode::usage, "the folder of the repository has no name");
  std::error_code failure;
  auto path = std::filesystem::absolute(root, failure).lexically_normal();
  if (failure) return error_from_errno(failure.value(), "find", root);
  if (!path.has_filename()) path = path.parent_path();  // a '/' at the end
  if (create) HOLDFAST_CHECK(make_directories(path));
  auto folder = open_file(path, O_RDONLY | O_DIRECTORY);
  if (folder.ok()) {
    return std::unique_ptr<BlobStore>(
        std::make_unique<LocalStore>(std::move(*folder), std::move(path)));
  }
  if (std::filesystem::exists(path, failure) && !std::filesystem::is_directory(path, failure)) {
    return Error(ErrorCode::precondition, fmt::format("{} is not a folder", path.native()));
  }
  return folder.error();
}

}  // namespace holdfast::blob
