#include "repository/manifest_codec.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "repository/fields.h"
#include "repository/segment_reader.h"

namespace holdfast::repository {
namespace {

/// Records are gathered into blocks of about this many bytes.
constexpr std::size_t body_block_bytes = 1024U * 1024;
constexpr std::size_t file_record_bytes = 16 + 8 + 32;
constexpr std::size_t files_a_record = 4096;
constexpr std::uint8_t generic_subtype = 0;
constexpr std::uint8_t uuid_subtype = 4;

class RecordWriter {
 public:
  explicit RecordWriter(std::vector<Bytes>& blocks) : blocks_(blocks) {}
  void add(ByteView document) {
    if (open_ == 0 || blocks_.back().size() + document.size() > body_block_bytes) {
      blocks_.emplace_back();
    }
    append_bytes(blocks_.back(), document);
    ++open_;
  }
  void add(bson::Builder&& record) { add(std::move(record).finish().bytes()); }

 private:
  std::vector<Bytes>& blocks_;
  std::size_t open_ = 0;
};

class RecordReader {
 public:
  explicit RecordReader(const std::vector<Bytes>& blocks) : blocks_(blocks) {}

  /// The next record, a valid document; the end is an error.
  Result<bson::DocumentView> next() {
    while (rest_.empty() && at_ + 1 < blocks_.size()) rest_ = blocks_[++at_];
    const auto size = bson::front_document_size(rest_);
    if (!size) return Error(ErrorCode::corrupt, "the manifest ends too early");
    const ByteView bytes = rest_.first(*size);
    HOLDFAST_CHECK(bson::validate_document(bytes));
    rest_ = rest_.subspan(*size);
    return bson::DocumentView(bytes);
  }
  [[nodiscard]] bool at_end() const { return rest_.empty() && at_ + 1 >= blocks_.size(); }

 private:
  const std::vector<Bytes>& blocks_;
  std::size_t at_ = 0;  ///< Block 0 is the summary.
  ByteView rest_;
};

std::int64_t signed_count(std::uint64_t count) { return static_cast<std::int64_t>(count); }

void add_files(RecordWriter& to, const std::vector<FileRef>& files) {
  for (std::size_t from = 0; from < files.size(); from += files_a_record) {
    Bytes packed;
    for (std::size_t at = from; at < std::min(files.size(), from + files_a_record); ++at) {
      append_bytes(packed, from_hex(files[at].name).value_or(Bytes(16)));
      append_little_endian(packed, files[at].length);
      append_bytes(packed, files[at].digest);
    }
    bson::Builder record;
    record.append_binary("files", generic_subtype, packed);
    to.add(std::move(record));
  }
}

void add_segment(RecordWriter& to, const SegmentRef& segment) {
  bson::Builder record;
  record.append_int64("file", segment.file)
      .append_int64("index_offset", signed_count(segment.index_offset))
      .append_int64("index_length", segment.index_length)
      .append_int64("index_block", segment.index_block)
      .append_int64("entries", signed_count(segment.entries))
      .append_int64("document_bytes", signed_count(segment.document_bytes))
      .append_int64("stored_bytes", signed_count(segment.stored_bytes));
  to.add(std::move(record));
  to.add(segment.first_key.bytes());
  to.add(segment.last_key.bytes());
}

void add_collection(RecordWriter& to, const SnapshotCollection& collection) {
  Bytes sum;
  append_little_endian(sum, collection.fingerprint.low);
  append_little_endian(sum, collection.fingerprint.high);
  bson::Builder record;
  record.append_string("database", collection.info.ns.database)
      .append_string("collection", collection.info.ns.collection)
      .append_string("type", name_of(collection.info.type));
  if (collection.info.uuid) record.append_binary("uuid", uuid_subtype, *collection.info.uuid);
  append_consistency(record, collection.consistency);
  record.append_int64("documents", signed_count(collection.fingerprint.documents))
      .append_binary("fingerprint", generic_subtype, sum)
      .append_int64("document_bytes", signed_count(collection.document_bytes))
      .append_int64("order_uncertain", signed_count(collection.order_uncertain))
      .append_int64("indexes", signed_count(collection.info.indexes.size()));
  record.begin_array("layers");  // how many segments each has
  for (std::size_t at = 0; at < collection.layers.size(); ++at) {
    record.append_int64(bson::array_index_name(at),
                        signed_count(collection.layers[at].segments.size()));
  }
  record.end();
  to.add(std::move(record));
  to.add(collection.info.options.bytes());
  for (const bson::Document& index : collection.info.indexes) to.add(index.bytes());
  for (const Layer& layer : collection.layers) {
    for (const SegmentRef& segment : layer.segments) add_segment(to, segment);
  }
}

Status read_files(RecordReader& from, std::uint64_t count, std::vector<FileRef>& files) {
  while (files.size() < count) {
    HOLDFAST_TRY(const bson::DocumentView record, from.next());
    const auto packed = record.find("files");
    if (!packed || packed->type() != bson::Type::binary) return bad_field("files");
    ByteReader reader(packed->binary_data());
    if (reader.remaining() == 0 || reader.remaining() % file_record_bytes != 0 ||
        reader.remaining() / file_record_bytes > count - files.size()) {
      return bad_field("files");
    }
    while (reader.remaining() > 0) {
      FileRef file;
      file.name = to_hex(*reader.take(16));
      file.length = *reader.number<std::uint64_t>();
      const ByteView digest = *reader.take(file.digest.size());
      std::copy(digest.begin(), digest.end(), file.digest.begin());
      files.push_back(std::move(file));
    }
  }
  return {};
}

Result<SegmentRef> read_segment(RecordReader& from, const std::vector<FileRef>& files) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  HOLDFAST_TRY(const bson::DocumentView record, from.next());
  SegmentRef segment;
  HOLDFAST_TRY(const std::int64_t file,
               integer_field(record, "file", 0, signed_count(files.size()) - 1));
  HOLDFAST_TRY(segment.index_offset, count_field(record, "index_offset"));
  HOLDFAST_TRY(const std::int64_t length, integer_field(record, "index_length", 0, most));
  HOLDFAST_TRY(const std::int64_t block, integer_field(record, "index_block", 0, most));
  HOLDFAST_TRY(segment.entries, count_field(record, "entries"));
  HOLDFAST_TRY(segment.document_bytes, count_field(record, "document_bytes"));
  HOLDFAST_TRY(segment.stored_bytes, count_field(record, "stored_bytes"));
  segment.file = static_cast<std::uint32_t>(file);
  segment.index_length = static_cast<std::uint32_t>(length);
  segment.index_block = static_cast<std::uint32_t>(block);
  HOLDFAST_TRY(const bson::DocumentView first_key, from.next());
  segment.first_key = bson::Document(first_key);
  HOLDFAST_TRY(const bson::DocumentView last_key, from.next());
  segment.last_key = bson::Document(last_key);
  HOLDFAST_CHECK(check_reference(segment, files[segment.file]));
  return segment;
}

Result<CollectionType> read_type(bson::DocumentView record) {
  HOLDFAST_TRY(const std::string name, text_field(record, "type"));
  for (const CollectionType type :
       {CollectionType::collection, CollectionType::view, CollectionType::timeseries}) {
    if (name == name_of(type)) return type;
  }
  return bad_field("type");
}

/// Everything of a collection that stands in its own record.
Result<SnapshotCollection> read_collection_record(bson::DocumentView record) {
  SnapshotCollection collection;
  HOLDFAST_TRY(collection.info.ns.database, text_field(record, "database"));
  HOLDFAST_TRY(collection.info.ns.collection, text_field(record, "collection"));
  HOLDFAST_TRY(collection.info.type, read_type(record));
  if (record.find("uuid")) {
    Uuid uuid{};
    HOLDFAST_TRY(const ByteView bytes, binary_field(record, "uuid", uuid.size()));
    std::copy(bytes.begin(), bytes.end(), uuid.begin());
    collection.info.uuid = uuid;
  }
  HOLDFAST_TRY(collection.consistency, read_consistency(record));
  HOLDFAST_TRY(collection.fingerprint.documents, count_field(record, "documents"));
  HOLDFAST_TRY(const ByteView sum, binary_field(record, "fingerprint", 16));
  collection.fingerprint.low = load_little_endian<std::uint64_t>(sum.data());
  collection.fingerprint.high = load_little_endian<std::uint64_t>(sum.data() + 8);
  HOLDFAST_TRY(collection.document_bytes, count_field(record, "document_bytes"));
  HOLDFAST_TRY(collection.order_uncertain, count_field(record, "order_uncertain"));
  return collection;
}

Result<SnapshotCollection> read_collection(RecordReader& from, const std::vector<FileRef>& files) {
  HOLDFAST_TRY(const bson::DocumentView record, from.next());
  HOLDFAST_TRY(SnapshotCollection collection, read_collection_record(record));
  HOLDFAST_TRY(const std::uint64_t indexes, count_field(record, "indexes"));
  const auto layers = record.find("layers");
  if (!layers || layers->type() != bson::Type::array) return bad_field("layers");
  HOLDFAST_TRY(const bson::DocumentView options, from.next());
  collection.info.options = bson::Document(options);
  for (std::uint64_t at = 0; at < indexes; ++at) {
    HOLDFAST_TRY(const bson::DocumentView index, from.next());
    collection.info.indexes.emplace_back(index);
  }
  for (const bson::Element& element : layers->as_document()) {
    if (element.value.type() != bson::Type::int64) return bad_field("layers");
    Layer layer;
    for (std::int64_t left = element.value.as_int64(); left > 0; --left) {
      HOLDFAST_TRY(SegmentRef segment, read_segment(from, files));
      layer.segments.push_back(std::move(segment));
    }
    HOLDFAST_CHECK(check_layer(layer));
    collection.layers.push_back(std::move(layer));
  }
  return collection;
}

}  // namespace

std::vector<Bytes> encode_manifest(const Manifest& manifest) {
  std::vector<Bytes> blocks;
  blocks.push_back(encode_summary(manifest.summary));
  RecordWriter to(blocks);
  bson::Builder contents;
  contents.append_int64("files", signed_count(manifest.files.size()))
      .append_int64("collections", signed_count(manifest.collections.size()))
      .append_bool("resume_token", manifest.resume_token.has_value());
  contents.begin_array("keys");
  for (std::size_t at = 0; at < manifest.keys.size(); ++at) {
    contents.append_string(bson::array_index_name(at), manifest.keys[at]);
  }
  contents.end();
  to.add(std::move(contents));
  if (manifest.resume_token) to.add(manifest.resume_token->bytes());
  add_files(to, manifest.files);
  for (const SnapshotCollection& collection : manifest.collections) add_collection(to, collection);
  return blocks;
}

Result<Manifest> decode_manifest(const std::vector<Bytes>& blocks) {
  if (blocks.empty()) return Error(ErrorCode::corrupt, "a manifest without blocks");
  Manifest manifest;
  HOLDFAST_TRY(manifest.summary, decode_summary(blocks.front()));
  RecordReader from(blocks);
  HOLDFAST_TRY(const bson::DocumentView contents, from.next());
  HOLDFAST_TRY(const std::uint64_t files, count_field(contents, "files"));
  HOLDFAST_TRY(const std::uint64_t collections, count_field(contents, "collections"));
  HOLDFAST_TRY(const bool has_token, bool_field(contents, "resume_token"));
  HOLDFAST_TRY(manifest.keys, texts_field(contents, "keys"));
  if (has_token) {
    HOLDFAST_TRY(const bson::DocumentView token, from.next());
    manifest.resume_token = bson::Document(token);
  }
  HOLDFAST_CHECK(read_files(from, files, manifest.files));
  for (std::uint64_t at = 0; at < collections; ++at) {
    HOLDFAST_TRY(SnapshotCollection collection, read_collection(from, manifest.files));
    if (at > 0 && !(manifest.collections.back().info.ns < collection.info.ns)) {
      return Error(ErrorCode::corrupt, "the manifest's collections are not sorted");
    }
    manifest.collections.push_back(std::move(collection));
  }
  if (!from.at_end()) return Error(ErrorCode::corrupt, "the manifest has more than it says");
  return manifest;
}

}  // namespace holdfast::repository
