#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>

#include "bson/builder.h"
#include "interop/archive.h"
#include "interop/crc64.h"
#include "interop/dump_metadata.h"

namespace holdfast::interop {

namespace {

/// What mongodump writes: how many collections it dumps at once.
constexpr std::int32_t concurrent_collections = 4;

bson::Document segment_header(const Namespace& ns, bool end, std::uint64_t sum) {
  bson::Builder header;
  header.append_string("db", ns.database);
  header.append_string("collection", ns.collection);
  header.append_bool("EOF", end);
  header.append_int64("CRC", static_cast<std::int64_t>(sum));
  return std::move(header).finish();
}

class ArchiveWriter final : public DumpWriter {
 public:
  explicit ArchiveWriter(std::unique_ptr<ByteSink> sink) : sink_(std::move(sink)) {}

  Status begin(const std::vector<CollectionInfo>& catalog, const std::string& server_version) {
    Bytes bytes;
    append_little_endian(bytes, archive_magic);
    bson::Builder header;
    header.append_int32("concurrent_collections", concurrent_collections);
    header.append_string("version", "0.1");
    header.append_string("server_version", plain_version(server_version));
    header.append_string("tool_version", dump_tool_version);
    append_bytes(bytes, std::move(header).finish().bytes());
    for (const CollectionInfo& info : catalog) {
      bson::Builder entry;
      entry.append_string("db", info.ns.database);
      entry.append_string("collection", info.ns.collection);
      entry.append_string("metadata", write_metadata(info));
      entry.append_int32("size", 0);
      entry.append_string("type", name_of(info.type));
      append_bytes(bytes, std::move(entry).finish().bytes());
      streams_[info.ns].has_documents = info.type != CollectionType::view;
    }
    append_little_endian(bytes, archive_terminator);
    return sink_->write(bytes);
  }

  Status create(const CollectionInfo& info) override {
    const std::scoped_lock lock(mutex_);
    return find(info.ns).ok() ? Status() : find(info.ns).error();
  }

  Result<std::vector<RefusedDocument>> insert(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) override {
    const std::scoped_lock lock(mutex_);
    HOLDFAST_TRY(Stream* const stream, find(ns));
    if (!batch.empty()) {
      HOLDFAST_CHECK(sink_->write(segment_header(ns, false, 0).bytes()));
      for (const bson::DocumentView document : batch) {
        stream->sum.add(document.bytes());
        HOLDFAST_CHECK(sink_->write(document.bytes()));
      }
      stream->documents += batch.size();
      HOLDFAST_CHECK(write_terminator());
    }
    return std::vector<RefusedDocument>();
  }

  Status end_collection(const Namespace& ns) override {
    const std::scoped_lock lock(mutex_);
    HOLDFAST_TRY(Stream* const stream, find(ns));
    if (!stream->has_documents || std::exchange(stream->ended, true)) return {};
    const std::uint64_t sum = stream->documents == 0 ? 0 : stream->sum.value();
    HOLDFAST_CHECK(sink_->write(segment_header(ns, true, sum).bytes()));
    return write_terminator();
  }

  Status finish() override {
    for (const auto& [ns, stream] : streams_) {
      if (!stream.ended && stream.has_documents) {
        return Error(ErrorCode::precondition, ns.text() + " was listed, but never written");
      }
    }
    return sink_->finish();
  }

 private:
  struct Stream {
    Crc64 sum;
    std::uint64_t documents = 0;
    bool has_documents = true;
    bool ended = false;
  };

  Result<Stream*> find(const Namespace& ns) {
    const auto found = streams_.find(ns);
    if (found != streams_.end()) return &found->second;
    return Error(ErrorCode::precondition, ns.text() + " is not in the archive's header");
  }

  Status write_terminator() {
    Bytes bytes;
    append_little_endian(bytes, archive_terminator);
    return sink_->write(bytes);
  }

  std::mutex mutex_;
  std::unique_ptr<ByteSink> sink_;
  std::map<Namespace, Stream> streams_;
};

}  // namespace

std::string plain_version(const std::string& server_version) {
  std::string plain;
  std::size_t at = 0;
  for (int part = 0; part < 3; ++part) {
    const std::size_t end =
        std::min(server_version.find_first_not_of("0123456789", at), server_version.size());
    const std::string digits = at < end ? server_version.substr(at, end - at) : "0";
    plain += (part == 0 ? "" : ".") + digits;
    at =
        end < server_version.size() && server_version[end] == '.' ? end + 1 : server_version.size();
  }
  return plain;
}

Result<std::unique_ptr<DumpWriter>> make_archive_writer(std::unique_ptr<ByteSink> sink,
                                                        const std::vector<CollectionInfo>& catalog,
                                                        const std::string& server_version) {
  auto writer = std::make_unique<ArchiveWriter>(std::move(sink));
  HOLDFAST_CHECK(writer->begin(catalog, server_version));
  return std::unique_ptr<DumpWriter>(std::move(writer));
}

}  // namespace holdfast::interop
