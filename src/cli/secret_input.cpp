#include "cli/secret_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"

namespace holdfast::cli {

Result<SecretBytes> read_secret_file(const std::string& path) {
  HOLDFAST_TRY(const FileDescriptor file, open_file(path, O_RDONLY));
  // Not read_file: pipes have no size, and the bytes belong in locked memory.
  SecretBytes content(max_secret_file_bytes + 1);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(file.get(), content.span().data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_from_errno(errno, "read", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max_secret_file_bytes) {
    return Error(ErrorCode::precondition, path + " is too long for a password or key file");
  }
  if (size == 0) return Error(ErrorCode::usage, path + " is empty");
  return SecretBytes(content.view().first(size));
}

Result<SecretBytes> read_secret_line(const std::string& path) {
  HOLDFAST_TRY(const SecretBytes content, read_secret_file(path));
  const ByteView all = content.view();
  const auto end = std::find(all.begin(), all.end(), std::uint8_t{'\n'});
  auto size = static_cast<std::size_t>(end - all.begin());
  if (size > 0 && all[size - 1] == '\r') --size;
  if (size == 0) return Error(ErrorCode::usage, "the first line of " + path + " is empty");
  return SecretBytes(all.first(size));
}

Result<std::string> read_text_secret(const std::string& path) {
  HOLDFAST_TRY(const SecretBytes line, read_secret_line(path));
  return std::string(as_text(line.view()));
}

Status reserve_secret_file(const std::string& path) {
  auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, "create");
  if (!file.ok()) {
    if (file.error().code() != ErrorCode::exists) return file.error();
    return Error(ErrorCode::exists, path + " exists and is never overwritten",
                 "name a file that does not exist yet");
  }
  // The umask can only take away; an odd one (0777) must not leave it unreadable.
  if (::fchmod(file->get(), 0600) != 0) return error_from_errno(errno, "protect", path);
  return {};
}

Status fill_secret_file(const std::string& path, ByteView line) {
  HOLDFAST_TRY(FileDescriptor file, open_file(path, O_WRONLY | O_NOFOLLOW));
  HOLDFAST_CHECK(write_all(file.get(), line, path));
  HOLDFAST_CHECK(write_all(file.get(), as_bytes("\n"), path));
  HOLDFAST_CHECK(fsync_file(file.get(), path));
  HOLDFAST_CHECK(file.close(path));
  const auto folder = std::filesystem::path(path).parent_path();
  return fsync_path(folder.empty() ? std::filesystem::path(".") : folder);
}

void discard_secret_file(const std::string& path) { ::unlink(path.c_str()); }

}  // namespace holdfast::cli
