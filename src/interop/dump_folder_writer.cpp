#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "interop/dump_folder.h"
#include "interop/dump_metadata.h"
#include "interop/dump_names.h"
#include "interop/tar.h"

namespace holdfast::interop {

namespace fs = std::filesystem;

namespace {

/// Written in pieces of this size: documents are small.
constexpr std::size_t write_step_bytes = 1024U * 1024;

std::string make_prelude(const std::string& server_version) {
  bson::Builder prelude;
  prelude.append_string("ServerVersion", plain_version(server_version));
  prelude.append_string("ToolVersion", dump_tool_version);
  return bson::to_json(std::move(prelude).finish().view(), bson::JsonMode::relaxed);
}

Bytes joined(const std::vector<bson::DocumentView>& batch) {
  Bytes bytes;
  std::size_t size = 0;
  for (const bson::DocumentView document : batch) size += document.bytes().size();
  bytes.reserve(size);
  for (const bson::DocumentView document : batch) append_bytes(bytes, document.bytes());
  return bytes;
}

/// A file of a folder that becomes durable as a whole.
class PlainFileSink final : public ByteSink {
 public:
  PlainFileSink(FileDescriptor file, fs::path path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Status write(ByteView bytes) override {
    if (buffer_.empty() && bytes.size() >= write_step_bytes) {
      return write_all(file_.get(), bytes, path_);
    }
    append_bytes(buffer_, bytes);
    return buffer_.size() >= write_step_bytes ? flush() : Status();
  }
  Status finish() override {
    HOLDFAST_CHECK(flush());
    return file_.close(path_);
  }

 private:
  Status flush() {
    HOLDFAST_CHECK(write_all(file_.get(), buffer_, path_));
    buffer_.clear();
    return {};
  }
  FileDescriptor file_;
  fs::path path_;
  Bytes buffer_;
};

class DumpFolderWriter final : public DumpWriter {
 public:
  DumpFolderWriter(fs::path folder, std::string server_version, CompressionPool* pool)
      : folder_(std::move(folder)), server_version_(std::move(server_version)), pool_(pool) {
    building_ = folder_;
    if (!building_.has_filename()) building_ = building_.parent_path();
    folder_ = building_;
    building_ += ".partial-" + std::to_string(::getpid());
  }
  ~DumpFolderWriter() override {
    std::error_code ignored;
    if (!finished_ && begun_) fs::remove_all(building_, ignored);
  }
  DumpFolderWriter(const DumpFolderWriter&) = delete;
  DumpFolderWriter& operator=(const DumpFolderWriter&) = delete;

  Status begin(const std::vector<CollectionInfo>& catalog) {
    std::error_code failed;
    const auto status = fs::symlink_status(folder_, failed);
    const bool free = !fs::exists(status) || (fs::is_directory(status) && fs::is_empty(folder_));
    if (!free) {
      return Error(ErrorCode::exists, folder_.string() + " exists already and is not empty");
    }
    for (const CollectionInfo& info : catalog) {
      HOLDFAST_CHECK(check_database_name(info.ns.database));
    }
    if (::mkdir(building_.c_str(), 0700) != 0) {
      return error_from_errno(errno, "create", building_);
    }
    begun_ = true;
    return write_file("prelude.json", make_prelude(server_version_));
  }

  Status create(const CollectionInfo& info) override {
    const std::scoped_lock lock(mutex_);
    const fs::path database = building_ / info.ns.database;
    if (databases_.insert(info.ns.database).second && ::mkdir(database.c_str(), 0755) != 0) {
      return error_from_errno(errno, "create", database);
    }
    const std::string name = info.ns.database + "/" + escape_collection(info.ns.collection);
    HOLDFAST_CHECK(write_file(name + ".metadata.json", write_metadata(info)));
    if (info.type == CollectionType::view) return {};
    HOLDFAST_TRY(open_[info.ns], open_sink(name + ".bson"));
    return {};
  }

  Result<std::vector<RefusedDocument>> insert(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) override {
    const Bytes bytes = joined(batch);
    const std::scoped_lock lock(mutex_);
    const auto file = open_.find(ns);
    if (file == open_.end()) {
      return Error(ErrorCode::precondition, ns.text() + " was not created");
    }
    HOLDFAST_CHECK(file->second->write(bytes));
    return std::vector<RefusedDocument>();
  }

  Status end_collection(const Namespace& ns) override {
    const std::scoped_lock lock(mutex_);
    const auto file = open_.find(ns);
    if (file == open_.end()) return {};
    HOLDFAST_CHECK(file->second->finish());
    open_.erase(file);
    return {};
  }

  Status finish() override {
    for (auto& [ns, file] : open_) HOLDFAST_CHECK(file->finish());
    open_.clear();
    HOLDFAST_TRY(const FileDescriptor whole, open_file(building_, O_RDONLY | O_DIRECTORY));
    // One call for all files: a dump may have thousands.
    if (::syncfs(whole.get()) != 0) return error_from_errno(errno, "sync", building_);
    if (::rename(building_.c_str(), folder_.c_str()) != 0) {
      return error_from_errno(errno, "name", folder_);
    }
    finished_ = true;
    return fsync_path(folder_.has_parent_path() ? folder_.parent_path() : fs::path("."));
  }

 private:
  Result<std::unique_ptr<ByteSink>> open_sink(std::string name) {
    if (pool_ != nullptr) name += ".gz";
    const fs::path path = building_ / name;
    HOLDFAST_TRY(FileDescriptor file, open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600, "create"));
    std::unique_ptr<ByteSink> sink = std::make_unique<PlainFileSink>(std::move(file), path);
    return pool_ == nullptr ? std::move(sink) : make_gzip_sink(std::move(sink), *pool_);
  }

  Status write_file(const std::string& name, const std::string& text) {
    HOLDFAST_TRY(const auto sink, open_sink(name));
    HOLDFAST_CHECK(sink->write(as_bytes(text)));
    return sink->finish();
  }

  fs::path folder_;
  fs::path building_;
  const std::string server_version_;
  CompressionPool* const pool_;
  std::mutex mutex_;
  std::set<std::string> databases_;
  std::map<Namespace, std::unique_ptr<ByteSink>> open_;
  bool begun_ = false;
  bool finished_ = false;
};

class DumpTarWriter final : public DumpWriter {
 public:
  DumpTarWriter(std::unique_ptr<ByteSink> sink, const SpoolPlace& place, std::uint64_t modified)
      : tar_(std::move(sink)), place_(place), modified_(modified) {}

  Status begin(const std::vector<CollectionInfo>& catalog, const std::string& server_version) {
    for (const CollectionInfo& info : catalog) {
      HOLDFAST_CHECK(check_database_name(info.ns.database));
    }
    return write_file("prelude.json", make_prelude(server_version));
  }

  Status create(const CollectionInfo& info) override {
    const std::scoped_lock lock(mutex_);
    if (spool_) {
      return Error(ErrorCode::precondition, "a tar takes one collection after another");
    }
    if (databases_.insert(info.ns.database).second) {
      HOLDFAST_CHECK(tar_.begin(info.ns.database, 0, true, modified_));
      HOLDFAST_CHECK(tar_.end());
    }
    const std::string name = info.ns.database + "/" + escape_collection(info.ns.collection);
    HOLDFAST_CHECK(write_file(name + ".metadata.json", write_metadata(info)));
    if (info.type == CollectionType::view) return {};
    current_ = info.ns;
    name_ = name + ".bson";
    HOLDFAST_TRY(spool_, EncryptedSpool::create(place_.folder, place_.random));
    return {};
  }

  Result<std::vector<RefusedDocument>> insert(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) override {
    const Bytes bytes = joined(batch);
    const std::scoped_lock lock(mutex_);
    if (!spool_ || ns != current_) {
      return Error(ErrorCode::precondition, ns.text() + " is not being written");
    }
    HOLDFAST_CHECK(spool_->append(bytes));
    return std::vector<RefusedDocument>();
  }

  Status end_collection(const Namespace& ns) override {
    const std::scoped_lock lock(mutex_);
    if (!spool_ || ns != current_) return {};
    HOLDFAST_CHECK(spool_->flush());
    HOLDFAST_CHECK(tar_.begin(name_, spool_->size(), false, modified_));
    const auto reader = spool_->reader();
    Bytes step(write_step_bytes);
    while (true) {
      HOLDFAST_TRY(const std::size_t count, reader->read(step));
      if (count == 0) break;
      HOLDFAST_CHECK(tar_.write(ByteView(step).first(count)));
    }
    spool_.reset();
    return tar_.end();
  }

  Status finish() override { return tar_.finish(); }

 private:
  Status write_file(const std::string& name, const std::string& text) {
    HOLDFAST_CHECK(tar_.begin(name, text.size(), false, modified_));
    HOLDFAST_CHECK(tar_.write(as_bytes(text)));
    return tar_.end();
  }

  std::mutex mutex_;
  TarWriter tar_;
  const SpoolPlace place_;
  const std::uint64_t modified_;
  std::set<std::string> databases_;
  Namespace current_;
  std::string name_;
  std::unique_ptr<EncryptedSpool> spool_;
};

}  // namespace

Result<std::unique_ptr<DumpWriter>> make_dump_folder_writer(
    const fs::path& folder, const std::vector<CollectionInfo>& catalog,
    const std::string& server_version, CompressionPool* pool) {
  auto writer = std::make_unique<DumpFolderWriter>(folder, server_version, pool);
  HOLDFAST_CHECK(writer->begin(catalog));
  return std::unique_ptr<DumpWriter>(std::move(writer));
}

Result<std::unique_ptr<DumpWriter>> make_dump_tar_writer(std::unique_ptr<ByteSink> sink,
                                                         const std::vector<CollectionInfo>& catalog,
                                                         const std::string& server_version,
                                                         const SpoolPlace& place,
                                                         std::uint64_t modified) {
  auto writer = std::make_unique<DumpTarWriter>(std::move(sink), place, modified);
  HOLDFAST_CHECK(writer->begin(catalog, server_version));
  return std::unique_ptr<DumpWriter>(std::move(writer));
}

}  // namespace holdfast::interop
