#include "interop/byte_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast::interop {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t read_step_bytes = 256U * 1024;

class FileSource final : public ByteSource {
 public:
  FileSource(FileDescriptor file, fs::path path) : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    while (true) {
      const ssize_t count = ::read(file_.get(), out.data(), out.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return error_from_errno(errno, "read", path_);
    }
  }

 private:
  FileDescriptor file_;
  fs::path path_;
};

class RangeSource final : public ByteSource {
 public:
  RangeSource(const FileDescriptor& file, fs::path path, std::uint64_t begin, std::uint64_t end)
      : file_(file), path_(std::move(path)), at_(begin), end_(end) {}

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    const auto wanted = std::min<std::uint64_t>(out.size(), end_ - std::min(at_, end_));
    if (wanted == 0) return std::size_t{0};
    HOLDFAST_TRY(const std::size_t count,
                 read_at(file_.get(), out.first(static_cast<std::size_t>(wanted)), at_, path_));
    at_ += count;
    return count;
  }

 private:
  const FileDescriptor& file_;
  fs::path path_;
  std::uint64_t at_;
  std::uint64_t end_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(std::move(bytes)) {}

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    const std::size_t count = std::min(out.size(), bytes_.size() - at_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), count, out.begin());
    at_ += count;
    return count;
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

class JoinedSource final : public ByteSource {
 public:
  JoinedSource(Bytes front, std::unique_ptr<ByteSource> rest)
      : front_(std::move(front)), rest_(std::move(rest)) {}

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    HOLDFAST_TRY(const std::size_t count, front_.read(out));
    if (count > 0) return count;
    return rest_->read(out);
  }

 private:
  MemorySource front_;
  std::unique_ptr<ByteSource> rest_;
};

class DescriptorSink final : public ByteSink {
 public:
  DescriptorSink(int descriptor, fs::path name) : descriptor_(descriptor), name_(std::move(name)) {}
  Status write(ByteView bytes) override { return write_all(descriptor_, bytes, name_); }
  Status finish() override { return {}; }

 private:
  int descriptor_;
  fs::path name_;
};

class FileSink final : public ByteSink {
 public:
  FileSink(FileDescriptor file, fs::path temporary, fs::path path)
      : file_(std::move(file)), temporary_(std::move(temporary)), path_(std::move(path)) {}
  ~FileSink() override {
    if (!named_) ::unlink(temporary_.c_str());
  }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  Status write(ByteView bytes) override { return write_all(file_.get(), bytes, path_); }

  Status finish() override {
    HOLDFAST_CHECK(fsync_file(file_.get(), path_));
    HOLDFAST_CHECK(file_.close(path_));
    // A hard link never replaces; where there are none, a look and a rename must do.
    if (::link(temporary_.c_str(), path_.c_str()) == 0) {
      ::unlink(temporary_.c_str());
    } else if (errno == EEXIST) {
      return Error(ErrorCode::exists, path_.string() + " exists already");
    } else {
      std::error_code ignored;
      if (fs::exists(fs::symlink_status(path_, ignored))) {
        return Error(ErrorCode::exists, path_.string() + " exists already");
      }
      if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
        return error_from_errno(errno, "name", path_);
      }
    }
    named_ = true;
    return fsync_path(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
  }

 private:
  FileDescriptor file_;
  fs::path temporary_;
  fs::path path_;
  bool named_ = false;
};

class MemorySink final : public ByteSink {
 public:
  explicit MemorySink(Bytes& bytes) : bytes_(bytes) {}
  Status write(ByteView bytes) override {
    append_bytes(bytes_, bytes);
    return {};
  }
  Status finish() override { return {}; }

 private:
  Bytes& bytes_;
};

}  // namespace

Result<std::size_t> read_full(ByteSource& source, std::span<std::uint8_t> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    HOLDFAST_TRY(const std::size_t count, source.read(out.subspan(filled)));
    if (count == 0) break;
    filled += count;
  }
  return filled;
}

Result<Bytes> read_rest(ByteSource& source, std::uint64_t limit) {
  Bytes all;
  while (true) {
    const std::size_t before = all.size();
    all.resize(before + read_step_bytes);
    HOLDFAST_TRY(const std::size_t count, source.read(std::span(all).subspan(before)));
    all.resize(before + count);
    if (count == 0) return all;
    if (all.size() > limit) {
      return Error(ErrorCode::precondition,
                   "longer than the limit of " + std::to_string(limit) + " bytes");
    }
  }
}

std::unique_ptr<ByteSource> make_file_source(FileDescriptor file, fs::path path) {
  return std::make_unique<FileSource>(std::move(file), std::move(path));
}

Result<std::unique_ptr<ByteSource>> open_file_source(const fs::path& path) {
  HOLDFAST_TRY(FileDescriptor file, open_file(path, O_RDONLY));
  return make_file_source(std::move(file), path);
}

std::unique_ptr<ByteSource> make_range_source(const FileDescriptor& file, fs::path path,
                                              std::uint64_t begin, std::uint64_t end) {
  return std::make_unique<RangeSource>(file, std::move(path), begin, end);
}

std::unique_ptr<ByteSource> make_memory_source(Bytes bytes) {
  return std::make_unique<MemorySource>(std::move(bytes));
}

std::unique_ptr<ByteSource> make_joined_source(Bytes front, std::unique_ptr<ByteSource> rest) {
  return std::make_unique<JoinedSource>(std::move(front), std::move(rest));
}

std::unique_ptr<ByteSink> make_descriptor_sink(int descriptor, fs::path name) {
  return std::make_unique<DescriptorSink>(descriptor, std::move(name));
}

Result<std::unique_ptr<ByteSink>> create_file_sink(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored))) {
    return Error(ErrorCode::exists, path.string() + " exists already");
  }
  fs::path temporary = path;
  temporary += ".partial-" + std::to_string(::getpid());
  HOLDFAST_TRY(FileDescriptor file,
               open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600, "create"));
  return std::unique_ptr<ByteSink>(
      std::make_unique<FileSink>(std::move(file), std::move(temporary), path));
}

std::unique_ptr<ByteSink> make_memory_sink(Bytes& bytes) {
  return std::make_unique<MemorySink>(bytes);
}

}  // namespace holdfast::interop
