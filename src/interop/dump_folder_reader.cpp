#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "interop/buffered_input.h"
#include "interop/dump_folder.h"
#include "interop/dump_layout.h"
#include "interop/dump_metadata.h"
#include "interop/tar.h"

namespace holdfast::interop {

namespace fs = std::filesystem;

namespace {

/// Folders below the one named: "TIMESTAMP/shop/users.bson" is the deepest that dumps go.
constexpr int max_depth = 3;
constexpr std::size_t front_bytes = 64U * 1024;
/// Of all metadata of a tar together.
constexpr std::uint64_t max_tar_text_bytes = 512ULL * 1024 * 1024;

Result<std::unique_ptr<ByteSource>> open_unpacked(const fs::path& path) {
  HOLDFAST_TRY(auto source, open_file_source(path));
  Bytes front(front_bytes);
  HOLDFAST_TRY(const std::size_t count, read_full(*source, front));
  front.resize(count);
  const bool packed = is_gzip(front);
  source = make_joined_source(std::move(front), std::move(source));
  return packed ? make_gunzip_source(std::move(source)) : std::move(source);
}

Result<std::string> read_text_file(const fs::path& path) {
  HOLDFAST_TRY(const auto source, open_unpacked(path));
  auto text = read_rest(*source, max_metadata_bytes);
  if (!text.ok()) return text.error().with_context(path.string());
  return std::string(as_text(*text));
}

/// Adds the file's path to what went wrong while its documents were read.
class NamedCursor final : public DocumentCursor {
 public:
  NamedCursor(std::unique_ptr<DocumentCursor> cursor, std::string name)
      : cursor_(std::move(cursor)), name_(std::move(name)) {}
  Result<std::optional<bson::DocumentView>> next() override {
    auto document = cursor_->next();
    if (!document.ok()) return document.error().with_context(name_);
    return document;
  }

 private:
  std::unique_ptr<DocumentCursor> cursor_;
  std::string name_;
};

class DumpFolderReader final : public DumpReader {
 public:
  DumpFolderReader(fs::path folder, std::vector<std::string> paths)
      : folder_(std::move(folder)), paths_(std::move(paths)) {}

  Status open_layout(const std::string& database) {
    HOLDFAST_TRY(DumpLayout layout, find_dump_layout(paths_, database));
    oplog_ = layout.oplog;
    if (layout.prelude) {
      HOLDFAST_TRY(const std::string text, read_text_file(folder_ / paths_[*layout.prelude]));
      server_version_ = server_version_of_prelude(text);
    }
    for (const DumpLayout::Collection& collection : layout.collections) {
      HOLDFAST_CHECK(add(collection));
    }
    return {};
  }

  Result<std::vector<CollectionInfo>> catalog() override {
    std::vector<CollectionInfo> infos;
    for (const auto& [ns, entry] : entries_) infos.push_back(entry.info);
    return infos;
  }

  Result<std::unique_ptr<DocumentCursor>> open(const Namespace& ns) override {
    const auto found = entries_.find(ns);
    if (found == entries_.end()) {
      return Error(ErrorCode::not_found, "the dump holds no " + ns.text());
    }
    if (!found->second.path) return make_bson_cursor(make_memory_source({}));
    return open_path(*found->second.path);
  }

  [[nodiscard]] std::string format() const override { return "mongodump folder"; }
  [[nodiscard]] std::string server_version() const override { return server_version_; }
  [[nodiscard]] bool has_oplog() const override { return oplog_.has_value(); }
  Result<std::unique_ptr<DocumentCursor>> open_oplog() override {
    if (!oplog_) return Error(ErrorCode::not_found, "this dump has no oplog");
    return open_path(*oplog_);
  }
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }
  [[nodiscard]] bool incomplete() const override { return incomplete_; }

 private:
  struct Entry {
    CollectionInfo info;
    std::optional<std::size_t> path;
  };

  Result<std::unique_ptr<DocumentCursor>> open_path(std::size_t number) {
    const fs::path path = folder_ / paths_[number];
    HOLDFAST_TRY(auto source, open_unpacked(path));
    return std::unique_ptr<DocumentCursor>(
        std::make_unique<NamedCursor>(make_bson_cursor(std::move(source)), path.string()));
  }

  Status add(const DumpLayout::Collection& collection) {
    std::optional<std::string> metadata;
    if (collection.metadata) {
      HOLDFAST_TRY(metadata, read_text_file(folder_ / paths_[*collection.metadata]));
    }
    HOLDFAST_TRY(CollectionInfo info, describe_dumped(collection, metadata));
    const std::string reason = reason_to_leave_out(info);
    if (!reason.empty()) {
      notes_.push_back(info.ns.text() + " is left out: " + reason);
      incomplete_ = incomplete_ || is_missed(info);
      return {};
    }
    if (!collection.documents) {
      const std::string missing = reason_of_missing_documents(info);
      if (!missing.empty()) {
        incomplete_ = true;
        notes_.push_back(missing);
        if (info.type == CollectionType::timeseries) return {};
      }
    }
    const Namespace ns = info.ns;
    if (!entries_.try_emplace(ns, Entry{std::move(info), collection.documents}).second) {
      return Error(ErrorCode::corrupt, "the dump holds " + ns.text() + " twice");
    }
    return {};
  }

  const fs::path folder_;
  const std::vector<std::string> paths_;
  std::map<Namespace, Entry> entries_;
  std::optional<std::size_t> oplog_;
  std::string server_version_;
  std::vector<std::string> notes_;
  bool incomplete_ = false;
};

Result<std::vector<std::string>> list_files(const fs::path& folder) {
  std::vector<std::string> paths;
  std::error_code failed;
  fs::recursive_directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    if (entry.depth() >= max_depth) entry.disable_recursion_pending();
    if (!entry->is_regular_file(failed)) continue;
    if (paths.size() >= max_dump_files) {
      return Error(ErrorCode::unsupported, folder.string() + " holds more files than any dump");
    }
    paths.push_back(entry->path().lexically_relative(folder).string());
  }
  if (failed) return error_from_errno(failed.value(), "list", folder);
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// A member of a tar, as far as it is of use.
struct TarredFile {
  std::size_t stream = 0;
  std::string text;
};

bool is_text(const std::string& name) {
  return name.ends_with(".json") || name.ends_with(".json.gz");
}

Result<std::unique_ptr<ByteSource>> unpack_member(std::unique_ptr<ByteSource> content) {
  Bytes front(front_bytes);
  HOLDFAST_TRY(const std::size_t count, read_full(*content, front));
  front.resize(count);
  const bool packed = is_gzip(front);
  content = make_joined_source(std::move(front), std::move(content));
  return packed ? make_gunzip_source(std::move(content)) : std::move(content);
}

Status read_member(TarReader& tar, const std::string& name, Shelf& shelf, TarredFile& file) {
  HOLDFAST_TRY(auto content, unpack_member(tar.content()));
  if (is_text(name)) {
    HOLDFAST_TRY(const Bytes text, read_rest(*content, max_metadata_bytes));
    file.text = as_text(text);
    return {};
  }
  file.stream = shelf.add_stream();
  BufferedInput documents(std::move(content));
  while (true) {
    HOLDFAST_TRY(const auto document, documents.next_document());
    if (!document) return {};
    // The offset says nothing where a member was packed; a tar is always copied.
    HOLDFAST_CHECK(shelf.append(file.stream, document->bytes(), documents.offset()));
  }
}

Status name_members(const std::vector<std::string>& paths, const std::vector<TarredFile>& files,
                    Shelf& shelf, const std::string& database) {
  HOLDFAST_TRY(const DumpLayout layout, find_dump_layout(paths, database));
  if (layout.prelude) {
    shelf.set_server_version(server_version_of_prelude(files[*layout.prelude].text));
  }
  if (layout.oplog) HOLDFAST_CHECK(shelf.take_as_oplog(files[*layout.oplog].stream));
  for (const DumpLayout::Collection& collection : layout.collections) {
    std::optional<std::string> metadata;
    if (collection.metadata) metadata = files[*collection.metadata].text;
    HOLDFAST_TRY(CollectionInfo info, describe_dumped(collection, metadata));
    if (!collection.documents && reason_to_leave_out(info).empty()) {
      const std::string missing = reason_of_missing_documents(info);
      if (!missing.empty()) {
        shelf.set_incomplete();
        shelf.add_note(missing);
        if (info.type == CollectionType::timeseries) continue;
      }
    }
    const std::size_t stream =
        collection.documents ? files[*collection.documents].stream : shelf.add_stream();
    HOLDFAST_CHECK(shelf.name_stream(stream, std::move(info)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DumpReader>> open_dump_folder(const fs::path& folder,
                                                     const std::string& database) {
  HOLDFAST_TRY(auto paths, list_files(folder));
  std::string name = database;
  if (name.empty()) {
    const fs::path whole = fs::absolute(folder).lexically_normal();
    name =
        whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
  }
  auto reader = std::make_unique<DumpFolderReader>(folder, std::move(paths));
  const Status opened = reader->open_layout(name);
  if (!opened.ok()) return opened.error().with_context(folder.string());
  return std::unique_ptr<DumpReader>(std::move(reader));
}

Status read_dump_tar(std::unique_ptr<ByteSource> source, Shelf& shelf,
                     const std::string& database) {
  BufferedInput input(std::move(source));
  TarReader tar(input);
  std::vector<std::string> paths;
  std::vector<TarredFile> files;
  std::uint64_t text_bytes = 0;
  while (true) {
    HOLDFAST_TRY(const auto member, tar.next());
    if (!member) break;
    const bool wanted = is_text(member->name) || member->name.ends_with(".bson") ||
                        member->name.ends_with(".bson.gz");
    if (!member->regular || !wanted) continue;
    TarredFile file;
    const Status read = read_member(tar, member->name, shelf, file);
    if (!read.ok()) return read.error().with_context(member->name);
    text_bytes += file.text.size();
    if (paths.size() >= max_dump_files || text_bytes > max_tar_text_bytes) {
      return Error(ErrorCode::unsupported, "the tar holds more than any dump");
    }
    paths.push_back(member->name);
    files.push_back(std::move(file));
  }
  HOLDFAST_CHECK(name_members(paths, files, shelf, database));
  return shelf.seal();
}

}  // namespace holdfast::interop
