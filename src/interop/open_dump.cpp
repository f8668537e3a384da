#include "interop/open_dump.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "bson/json_text.h"
#include "interop/archive.h"
#include "interop/buffered_input.h"
#include "interop/dump_folder.h"
#include "interop/dump_metadata.h"
#include "interop/dump_names.h"
#include "interop/gzip.h"
#include "interop/tar.h"

namespace holdfast::interop {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t front_bytes = 64U * 1024;

/// UTF-8 up to a last character that may be cut.
bool looks_like_text(std::string_view front) {
  if (front.find('\0') != std::string_view::npos) return false;
  constexpr std::size_t longest_character = 4;
  for (std::size_t cut = 0; cut < longest_character && cut <= front.size(); ++cut) {
    if (bson::is_utf8(front.substr(0, front.size() - cut))) return true;
  }
  return false;
}

std::optional<DumpFormat> recognise_text(std::string_view front) {
  if (!looks_like_text(front)) return std::nullopt;
  if (front.starts_with("\xef\xbb\xbf")) front.remove_prefix(3);
  const auto begin = front.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  if (front[begin] == '{' || front[begin] == '[') return DumpFormat::json;
  const std::string_view line = front.substr(0, front.find('\n'));
  if (line.find('\t') != std::string_view::npos) return DumpFormat::tsv;
  if (line.find(',') != std::string_view::npos) return DumpFormat::csv;
  return std::nullopt;
}

bool looks_like_bson(ByteView front) {
  constexpr std::size_t smallest = 5;
  if (front.size() < smallest) return false;
  const auto size = load_little_endian<std::uint32_t>(front.data());
  if (size < smallest || size > bson::max_document_bytes) return false;
  // One that is longer than the look ahead is told apart from text by its first type byte.
  if (size > front.size())
    return front[4] != 0 && (front[4] <= 0x13 || front[4] == 0xff || front[4] == 0x7f);
  return bson::validate_document(front.first(size)).ok();
}

std::string_view name_of(DumpFormat format) {
  switch (format) {
    case DumpFormat::folder: return "mongodump folder";
    case DumpFormat::archive: return "archive";
    case DumpFormat::tar: return "tar";
    case DumpFormat::bson: return "BSON file";
    case DumpFormat::json: return "JSON";
    case DumpFormat::csv: return "CSV";
    case DumpFormat::tsv: return "TSV";
  }
  return "dump";
}

/// "users.bson.gz" → "users": what a file is called without what its name says of its format.
std::string stem_of(const fs::path& path) {
  std::string name = path.filename().string();
  for (const std::string_view suffix :
       {".gz", ".bson", ".json", ".jsonl", ".ndjson", ".csv", ".tsv"}) {
    if (name.ends_with(suffix) && name.size() > suffix.size()) {
      name.resize(name.size() - suffix.size());
    }
  }
  return name;
}

class StreamOpener {
 public:
  StreamOpener(const fs::path& path, const OpenDumpOptions& options, const SpoolPlace& place)
      : path_(path), options_(options), place_(place) {}

  Result<std::unique_ptr<DumpReader>> open() {
    HOLDFAST_TRY(FileDescriptor file, open_input());
    struct stat status {};
    const bool seekable =
        ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && path_ != "-";
    HOLDFAST_TRY(FileDescriptor kept,
                 seekable ? open_file(path_, O_RDONLY) : Result<FileDescriptor>(FileDescriptor()));
    auto source = make_file_source(std::move(file), path_);
    HOLDFAST_TRY(Bytes front, look(*source));
    if (is_gzip(front)) {
      kept.reset();
      source = make_gunzip_source(make_joined_source(std::move(front), std::move(source)));
      HOLDFAST_TRY(front, look(*source));
    }
    const auto format = options_.format ? options_.format : recognise_format(front);
    if (!format) return unknown(front);
    source = make_joined_source(std::move(front), std::move(source));
    // Documents of archives and BSON files can stay where they are.
    const bool in_place =
        kept.valid() && (*format == DumpFormat::archive || *format == DumpFormat::bson);
    std::unique_ptr<Shelf> shelf;
    if (in_place) {
      shelf = std::make_unique<Shelf>(std::string(name_of(*format)), std::move(kept), path_);
    } else {
      HOLDFAST_TRY(shelf, Shelf::with_spool(std::string(name_of(*format)), place_));
    }
    HOLDFAST_CHECK(fill(*format, std::move(source), *shelf));
    return std::unique_ptr<DumpReader>(std::move(shelf));
  }

 private:
  Result<FileDescriptor> open_input() const {
    if (path_ != "-") return open_file(path_, O_RDONLY);
    const int copy = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return Error(ErrorCode::io, "cannot read standard input");
    return FileDescriptor(copy);
  }

  static Result<Bytes> look(ByteSource& source) {
    Bytes front(front_bytes);
    HOLDFAST_TRY(const std::size_t count, read_full(source, front));
    front.resize(count);
    return front;
  }

  static Error unknown(const Bytes& front) {
    if (front.empty()) return {ErrorCode::corrupt, "it is empty"};
    return {ErrorCode::usage, "this is none of the formats that Holdfast reads",
            "a mongodump folder, archive, tar of a folder, BSON, JSON, CSV or TSV; --format names "
            "what the content does not tell"};
  }

  Result<Namespace> name() const {
    Namespace ns{options_.database, options_.collection};
    if (ns.collection.empty() && path_ != "-") {
      const std::string stem = stem_of(path_);
      ns.collection = unescape_collection(stem).value_or(stem);
    }
    if (ns.database.empty() && path_ != "-") {
      ns.database = fs::absolute(path_).lexically_normal().parent_path().filename().string();
    }
    if (ns.database.empty() || ns.collection.empty()) {
      return Error(ErrorCode::usage, "which collection is this? Nothing names it",
                   "say --database NAME --collection NAME");
    }
    return ns;
  }

  Status fill(DumpFormat format, std::unique_ptr<ByteSource> source, Shelf& shelf) const {
    switch (format) {
      case DumpFormat::archive:
        return read_archive(std::move(source), shelf, {.salvage = options_.salvage});
      case DumpFormat::tar: return read_dump_tar(std::move(source), shelf, options_.database);
      case DumpFormat::bson: return fill_bson(std::move(source), shelf);
      case DumpFormat::json:
      case DumpFormat::csv:
      case DumpFormat::tsv: return fill_text(format, std::move(source), shelf);
      case DumpFormat::folder: break;
    }
    return Error(ErrorCode::usage, path_.string() + " is no folder");
  }

  Status fill_text(DumpFormat format, std::unique_ptr<ByteSource> source, Shelf& shelf) const {
    TextReadOptions text;
    HOLDFAST_TRY(text.ns, name());
    text.ids = options_.ids;
    text.on_bad_record = options_.on_bad_record;
    if (!text.on_bad_record) {
      text.on_bad_record = [](const BadRecord& record) {
        return Status(
            Error(ErrorCode::corrupt, fmt::format("line {}: {}", record.line, record.reason)));
      };
    }
    if (format == DumpFormat::json) return read_json(std::move(source), shelf, text);
    CsvReadOptions csv = options_.csv;
    csv.separator = format == DumpFormat::tsv ? '\t' : ',';
    return read_csv(std::move(source), shelf, text, csv);
  }

  Status fill_bson(std::unique_ptr<ByteSource> source, Shelf& shelf) const {
    HOLDFAST_TRY(const Namespace ns, name());
    HOLDFAST_TRY(CollectionInfo info, read_neighbour(ns));
    HOLDFAST_TRY(const std::size_t number, shelf.add_collection(std::move(info)));
    BufferedInput input(std::move(source));
    while (true) {
      const std::uint64_t offset = input.offset();
      HOLDFAST_TRY(const auto document, input.next_document());
      if (!document) break;
      HOLDFAST_CHECK(shelf.append(number, document->bytes(), offset));
    }
    return shelf.seal();
  }

  /// The metadata file that lies beside a BSON file, if there is one.
  [[nodiscard]] Result<CollectionInfo> read_neighbour(const Namespace& ns) const {
    if (path_ == "-") return bare_collection(ns);
    const std::string base = stem_of(path_);
    for (const std::string_view suffix : {".metadata.json", ".metadata.json.gz"}) {
      const fs::path beside = path_.parent_path() / (base + std::string(suffix));
      auto source = open_file_source(beside);
      if (!source.ok()) continue;
      std::unique_ptr<ByteSource> text = std::move(*source);
      if (suffix.ends_with(".gz")) text = make_gunzip_source(std::move(text));
      HOLDFAST_TRY(const Bytes bytes, read_rest(*text, max_metadata_bytes));
      HOLDFAST_TRY(CollectionInfo info, read_metadata(as_text(bytes), ns));
      if (!options_.collection.empty()) info.ns.collection = options_.collection;
      return info;
    }
    return bare_collection(ns);
  }

  const fs::path& path_;
  const OpenDumpOptions& options_;
  const SpoolPlace& place_;
};

}  // namespace

std::optional<DumpFormat> recognise_format(ByteView front) {
  if (front.size() >= 4 && load_little_endian<std::uint32_t>(front.data()) == archive_magic) {
    return DumpFormat::archive;
  }
  if (is_tar(front)) return DumpFormat::tar;
  if (looks_like_bson(front)) return DumpFormat::bson;
  return recognise_text(as_text(front));
}

Result<std::unique_ptr<DumpReader>> open_dump(const fs::path& path, const OpenDumpOptions& options,
                                              const SpoolPlace& place) {
  std::error_code ignored;
  if (path != "-" && fs::is_directory(path, ignored)) {
    return open_dump_folder(path, options.database);
  }
  StreamOpener opener(path, options, place);
  auto opened = opener.open();
  if (!opened.ok()) {
    return opened.error().with_context(path == "-" ? "standard input" : path.string());
  }
  return opened;
}

}  // namespace holdfast::interop
