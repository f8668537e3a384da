#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "interop/archive.h"
#include "interop/buffered_input.h"
#include "interop/crc64.h"
#include "interop/dump_metadata.h"

namespace holdfast::interop {

namespace {

constexpr std::string_view oplog_name = "oplog";
constexpr std::string_view buckets_prefix = "system.buckets.";
/// In salvage, at most so many damaged places are described one by one.
constexpr std::size_t max_described_damages = 100;

/// The header of a segment.
struct SegmentHeader {
  Namespace ns;
  bool end = false;
  std::uint64_t sum = 0;
};

std::optional<SegmentHeader> parse_segment_header(bson::DocumentView document) {
  const auto database = document.find_string("db");
  const auto collection = document.find_string("collection");
  const auto end = document.find("EOF");
  const auto sum = document.find("CRC");
  if (!database || !collection || !end || end->type() != bson::Type::boolean) return std::nullopt;
  if (!sum || sum->type() != bson::Type::int64) return std::nullopt;
  return SegmentHeader{{std::string(*database), std::string(*collection)},
                       end->as_bool(),
                       static_cast<std::uint64_t>(sum->as_int64())};
}

/// Ends where what is packed is damaged: what was unpacked until there can be salvaged.
class TolerantSource final : public ByteSource {
 public:
  TolerantSource(std::unique_ptr<ByteSource> source, Shelf& shelf)
      : source_(std::move(source)), shelf_(shelf) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    if (ended_) return std::size_t{0};
    auto count = source_->read(out);
    if (count.ok() || count.error().code() != ErrorCode::corrupt) return count;
    shelf_.add_note(count.error().message() + ": nothing behind that place can be unpacked");
    shelf_.set_incomplete();
    ended_ = true;
    return std::size_t{0};
  }

 private:
  std::unique_ptr<ByteSource> source_;
  Shelf& shelf_;
  bool ended_ = false;
};

class ArchiveParser {
 public:
  ArchiveParser(std::unique_ptr<ByteSource> source, Shelf& shelf, const ArchiveReadOptions& options)
      : input_(std::move(source)), shelf_(shelf), options_(options) {}

  Status run() {
    HOLDFAST_CHECK(read_header());
    while (true) {
      const auto more = read_segment();
      if (more.ok() && !*more) break;
      if (more.ok()) continue;
      const ErrorCode code = more.error().code();
      if (!options_.salvage || code == ErrorCode::no_space || code == ErrorCode::unsupported) {
        return more.error();
      }
      describe(more.error().message());
      HOLDFAST_TRY(const bool found, find_next_part());
      if (!found) break;
    }
    leave_out_packed_time_series();
    return check_all_closed();
  }

 private:
  struct Stream {
    Namespace ns;
    std::size_t number = 0;
    bool has_documents = true;  ///< False for views.
    bool closed = false;
    std::uint64_t documents = 0;
    Crc64 sum;
  };

  Error corrupt(const std::string& what) const {
    return {ErrorCode::corrupt, fmt::format("byte {}: {}", input_.offset(), what)};
  }

  Result<std::optional<std::uint32_t>> peek_word() {
    constexpr std::size_t word_bytes = 4;
    HOLDFAST_TRY(const ByteView seen, input_.ahead(word_bytes));
    if (seen.empty()) return std::optional<std::uint32_t>();
    if (seen.size() < word_bytes) return corrupt("the archive is cut short");
    return std::optional(load_little_endian<std::uint32_t>(seen.data()));
  }

  /// The next document, or nothing at a terminator (consumed).
  Result<std::optional<bson::DocumentView>> next_in_part() {
    HOLDFAST_TRY(const auto word, peek_word());
    if (!word) return corrupt("the archive is cut short");
    if (*word == archive_terminator) {
      input_.consume(sizeof(*word));
      return std::optional<bson::DocumentView>();
    }
    return input_.next_document();
  }

  Status read_header() {
    HOLDFAST_TRY(const auto magic, peek_word());
    if (magic != archive_magic) return corrupt("this is no archive of mongodump");
    input_.consume(sizeof(archive_magic));
    HOLDFAST_TRY(const auto header, next_in_part());
    if (!header) return corrupt("the archive has no header");
    const auto version = header->find_string("version");
    if (!version) return corrupt("the archive's header has no version");
    if (*version != "0.1") {
      return Error(ErrorCode::unsupported, fmt::format("archives of version {}", *version));
    }
    shelf_.set_server_version(std::string(header->find_string("server_version").value_or("")));
    while (true) {
      HOLDFAST_TRY(const auto entry, next_in_part());
      if (!entry) return {};
      HOLDFAST_CHECK(declare(*entry));
    }
  }

  Status declare(bson::DocumentView entry) {
    const auto database = entry.find_string("db");
    const auto collection = entry.find_string("collection");
    if (!database || !collection) return corrupt("a namespace of the header has no name");
    const Namespace ns{std::string(*database), std::string(*collection)};
    const std::string_view metadata = entry.find_string("metadata").value_or("");
    header_bytes_ += entry.bytes().size();
    if (header_bytes_ > max_archive_header_bytes || streams_.size() >= max_archive_namespaces) {
      return Error(ErrorCode::unsupported, "the archive's header is larger than any server's");
    }
    if (is_oplog(ns)) {
      HOLDFAST_TRY(Stream* const stream, add_stream(ns, {}));
      static_cast<void>(stream);
      return {};
    }
    HOLDFAST_TRY(CollectionInfo info, read_metadata(metadata, ns));
    info.ns = ns;
    const auto type = entry.find_string("type");
    if (type == "view") info.type = CollectionType::view;
    if (type == "timeseries") info.type = CollectionType::timeseries;
    HOLDFAST_TRY(Stream* const stream, add_stream(ns, std::move(info)));
    static_cast<void>(stream);
    return {};
  }

  static bool is_oplog(const Namespace& ns) {
    return ns.database.empty() && ns.collection == oplog_name;
  }

  Result<Stream*> add_stream(const Namespace& ns, std::optional<CollectionInfo> info) {
    Stream stream;
    stream.ns = ns;
    if (info) {
      stream.has_documents = info->type == CollectionType::collection;
      HOLDFAST_TRY(stream.number, shelf_.add_collection(std::move(*info)));
    } else {
      HOLDFAST_TRY(stream.number, shelf_.add_oplog());
    }
    return &streams_.emplace(ns, std::move(stream)).first->second;
  }

  Result<Stream*> find_stream(const Namespace& ns) {
    if (const auto known = streams_.find(ns); known != streams_.end()) return &known->second;
    if (is_oplog(ns)) return add_stream(ns, {});
    const bool buckets = ns.collection.starts_with(buckets_prefix);
    if (!buckets) shelf_.add_note(ns.text() + " has documents, but the header does not list it");
    return add_stream(ns, bare_collection(ns));
  }

  /// One segment; false at the end of the archive.
  Result<bool> read_segment() {
    HOLDFAST_TRY(const auto word, peek_word());
    if (!word) return false;
    if (*word == archive_terminator) return corrupt("a segment without a header");
    const std::uint64_t begin = input_.offset();
    HOLDFAST_TRY(const auto document, input_.next_document());
    const auto header = parse_segment_header(*document);
    if (!header) {
      return Error(ErrorCode::corrupt, fmt::format("byte {}: documents without a header", begin));
    }
    HOLDFAST_TRY(Stream* const stream, find_stream(header->ns));
    if (stream->closed) {
      return Error(ErrorCode::corrupt,
                   fmt::format("byte {}: {} goes on after its end", begin, header->ns.text()));
    }
    if (header->end) return close(*stream, header->sum);
    return read_documents(*stream);
  }

  Result<bool> read_documents(Stream& stream) {
    current_ = &stream;
    while (true) {
      const std::uint64_t at = input_.offset();
      HOLDFAST_TRY(const auto document, next_in_part());
      if (!document) break;
      HOLDFAST_CHECK(take(stream, *document, at));
    }
    current_ = nullptr;
    return true;
  }

  Status take(Stream& stream, bson::DocumentView document, std::uint64_t at) {
    stream.sum.add(document.bytes());
    ++stream.documents;
    return shelf_.append(stream.number, document.bytes(), at);
  }

  Result<bool> close(Stream& stream, std::uint64_t sum) {
    stream.closed = true;
    HOLDFAST_TRY(const auto document, next_in_part());
    if (document) return corrupt("documents behind the end of " + stream.ns.text());
    const std::uint64_t expected = stream.documents == 0 ? 0 : stream.sum.value();
    if (sum == expected) return true;
    const std::string what =
        fmt::format("the sum of {} is {:016x} instead of {:016x}", stream.ns.text(), expected, sum);
    if (!options_.salvage) return corrupt(what + ": its documents are not those that were written");
    describe(fmt::format("{}: {} whole documents are read, at least one is lost or altered", what,
                         stream.documents));
    return true;
  }

  void describe(const std::string& sentence) {
    shelf_.set_incomplete();
    if (++damages_ <= max_described_damages) shelf_.add_note(sentence);
    if (damages_ == max_described_damages + 1) shelf_.add_note("further damage is not listed");
  }

  /// In salvage: goes on at the next thing that is certainly whole. False if there is none.
  Result<bool> find_next_part() {
    const std::uint64_t begin = input_.offset();
    constexpr std::size_t look_bytes = 4 * (bson::max_document_bytes + 16);
    constexpr std::size_t enough_bytes = 2 * (bson::max_document_bytes + 16);
    bool first = true;
    while (true) {
      HOLDFAST_TRY(const ByteView seen, input_.ahead(look_bytes));
      if (seen.empty()) break;
      const bool last = seen.size() < look_bytes;
      const std::size_t until = last ? seen.size() : seen.size() - enough_bytes;
      for (std::size_t at = first ? 1 : 0; at < until; ++at) {
        const auto part = recognise(seen.subspan(at));
        if (part == Part::nothing) continue;
        input_.consume(part == Part::header ? at + 4 : at);
        describe(fmt::format("bytes {} to {} are damaged{} and left out", begin, input_.offset(),
                             current_ == nullptr ? "" : " (" + current_->ns.text() + ")"));
        if (part == Part::header) {
          current_ = nullptr;
          return true;
        }
        return go_on_in_segment();
      }
      input_.consume(until);
      first = false;
    }
    describe(fmt::format("from byte {} on nothing whole was found", begin));
    return false;
  }

  Result<bool> go_on_in_segment() {
    const auto rest = read_documents(*current_);
    if (rest.ok()) return true;
    describe(rest.error().message());
    return find_next_part();
  }

  enum class Part { nothing, header, document };

  /// What begins here: a terminator with a known namespace's header behind it, or, inside of a
  /// segment, a document with `_id` and another one or a terminator behind it.
  [[nodiscard]] Part recognise(ByteView bytes) const {
    constexpr std::size_t word_bytes = 4;
    if (bytes.size() < word_bytes) return Part::nothing;
    if (load_little_endian<std::uint32_t>(bytes.data()) == archive_terminator) {
      const auto document = document_at(bytes.subspan(word_bytes));
      if (!document) return Part::nothing;
      const auto header = parse_segment_header(*document);
      return header && streams_.contains(header->ns) ? Part::header : Part::nothing;
    }
    if (current_ == nullptr) return Part::nothing;
    const auto document = document_at(bytes);
    if (!document || !begins_with_id(*document)) return Part::nothing;
    const ByteView behind = bytes.subspan(document->bytes().size());
    if (behind.size() < word_bytes) return Part::nothing;
    if (load_little_endian<std::uint32_t>(behind.data()) == archive_terminator) {
      return Part::document;
    }
    const auto next = document_at(behind);
    return next && begins_with_id(*next) ? Part::document : Part::nothing;
  }

  static std::optional<bson::DocumentView> document_at(ByteView bytes) {
    const auto size = bson::front_document_size(bytes);
    if (!size || !bson::validate_document(bytes.first(*size)).ok()) return std::nullopt;
    return bson::DocumentView(bytes.first(*size));
  }

  static bool begins_with_id(bson::DocumentView document) {
    return !document.empty() && document.begin()->name == "_id";
  }

  /// A time series is listed by its name; its documents come as another collection of buckets.
  void leave_out_packed_time_series() {
    for (const auto& [ns, stream] : streams_) {
      if (!ns.collection.starts_with(buckets_prefix)) continue;
      const auto series = streams_.find({ns.database, ns.collection.substr(buckets_prefix.size())});
      if (series == streams_.end() || series->second.documents > 0) continue;
      shelf_.leave_out(series->second.number,
                       series->first.text() + " is left out: only its packed buckets are here");
    }
  }

  Status check_all_closed() {
    for (const auto& [ns, stream] : streams_) {
      if (stream.closed) continue;
      const bool silent = !stream.has_documents && stream.documents == 0;
      if (silent) continue;
      const std::string what =
          fmt::format("{} has no end: the archive is cut short, {} of its documents are there",
                      is_oplog(ns) ? "the oplog" : ns.text(), stream.documents);
      if (!options_.salvage) return corrupt(what);
      describe(what);
    }
    return {};
  }

  BufferedInput input_;
  Shelf& shelf_;
  const ArchiveReadOptions options_;
  std::map<Namespace, Stream> streams_;
  Stream* current_ = nullptr;  ///< Whose segment is being read.
  std::uint64_t header_bytes_ = 0;
  std::size_t damages_ = 0;
};

}  // namespace

Status read_archive(std::unique_ptr<ByteSource> source, Shelf& shelf,
                    const ArchiveReadOptions& options) {
  if (options.salvage) source = std::make_unique<TolerantSource>(std::move(source), shelf);
  ArchiveParser parser(std::move(source), shelf, options);
  HOLDFAST_CHECK(parser.run());
  return shelf.seal();
}

}  // namespace holdfast::interop
