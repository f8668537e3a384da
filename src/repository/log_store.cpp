#include "repository/log_store.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <tuple>

#include "base/task_group.h"
#include "repository/log_codec.h"
#include "repository/names.h"

namespace holdfast::repository {
namespace {

/// Raw bytes of a block of events; one that is larger has a block of its own.
constexpr std::size_t event_block_bytes = 1024U * 1024;
/// Segments up to this size are gathered in one pass over their events, larger ones in two.
constexpr std::uint64_t gathered_bytes = 16U * 1024 * 1024;
/// About half a KiB each: three days of a segment every five seconds.
constexpr std::size_t max_kept_headers = 50'000;
/// Reading headers is waiting for the store.
constexpr std::size_t header_threads = 8;
/// How much of a segment is fetched at a time.
constexpr std::uint64_t window_bytes = 4U * 1024 * 1024;

bool is_damage(const Error& error) {
  return error.code() == ErrorCode::corrupt || error.code() == ErrorCode::io ||
         error.code() == ErrorCode::denied;
}

/// Lays events one behind the other into blocks; where one ends depends on the events alone.
class EventPacker {
 public:
  using Take = std::function<Status(Bytes)>;
  explicit EventPacker(Take take) : take_(std::move(take)) {}

  Status add(bson::DocumentView event) {
    const ByteView bytes = event.bytes();
    if (bytes.size() > max_block_bytes) {
      return Error(ErrorCode::precondition, "an event is too large for the log");
    }
    if (!block_.empty() && block_.size() + bytes.size() > event_block_bytes) {
      HOLDFAST_CHECK(flush());
    }
    append_bytes(block_, bytes);
    ++events;
    event_bytes += bytes.size();
    return {};
  }
  Status flush() {
    if (block_.empty()) return {};
    ++blocks;
    return take_(std::exchange(block_, {}));
  }

  std::uint64_t events = 0;
  std::uint64_t event_bytes = 0;
  std::uint64_t blocks = 0;

 private:
  const Take take_;
  Bytes block_;
};

/// Writes a segment's blocks into a blob.
class SegmentBlob {
 public:
  SegmentBlob(ObjectSealing& sealing, blob::BlobWriter& writer)
      : sealing_(sealing), writer_(writer) {}

  Status begin() { return append(sealing_.header()); }
  Status add(ByteView block) {
    HOLDFAST_TRY(const ByteView stored, sealing_.seal(block));
    Bytes length;
    append_little_endian(length, static_cast<std::uint32_t>(stored.size()));
    HOLDFAST_CHECK(append(length));
    return append(stored);
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  Status append(ByteView bytes) {
    bytes_ += bytes.size();
    return writer_.append(bytes);
  }

  ObjectSealing& sealing_;
  blob::BlobWriter& writer_;
  std::uint64_t bytes_ = 0;
};

Error cut_off(const std::string& name) { return {ErrorCode::corrupt, name + ": it is cut off"}; }

/// A blob from front to back, a window in memory.
class BlobWindow {
 public:
  BlobWindow(const blob::BlobReader& store, const LogSegmentInfo& info)
      : store_(store), name_(info.name), size_(info.stored_bytes) {}

  /// Valid until the next call. Errors: corrupt (cut off), those of the store.
  Result<ByteView> take(std::uint64_t length) {
    if (length > size_ - position_) return cut_off(name_);
    if (position_ + length > start_ + window_.size()) {
      const std::uint64_t wanted = std::min(std::max(length, window_bytes), size_ - position_);
      start_ = position_;
      HOLDFAST_TRY(window_, store_.get_range(name_, position_, wanted));
    }
    const auto at = static_cast<std::size_t>(position_ - start_);
    position_ += length;
    return ByteView(window_).subspan(at, static_cast<std::size_t>(length));
  }
  [[nodiscard]] bool at_end() const { return position_ == size_; }

 private:
  const blob::BlobReader& store_;
  const std::string& name_;
  const std::uint64_t size_;
  std::uint64_t position_ = 0;
  std::uint64_t start_ = 0;
  Bytes window_;
};

/// Calls `visit` with each event of a block and counts them.
Status visit_block(const std::string& name, ByteView block, const LogEventVisitor& visit,
                   std::uint64_t& events) {
  constexpr std::uint32_t least = 5;
  while (!block.empty()) {
    const auto size = block.size() < least ? 0 : load_little_endian<std::uint32_t>(block.data());
    if (size < least || size > block.size()) {
      return Error(ErrorCode::corrupt, name + ": a block does not end with an event");
    }
    const ByteView event = block.first(size);
    if (auto valid = bson::validate_document(event); !valid.ok()) {
      return valid.error().with_context(name);
    }
    HOLDFAST_CHECK(visit(bson::DocumentView(event)));
    ++events;
    block = block.subspan(size);
  }
  return {};
}

}  // namespace

void LogStore::keep(const LogSegmentInfo& info) {
  const std::scoped_lock lock(mutex_);
  if (headers_.size() >= max_kept_headers) headers_.clear();
  headers_.insert_or_assign(info.name, info);
}

Result<LogSegmentInfo> LogStore::read_header(const blob::BlobInfo& blob) const {
  const blob::BlobStore& store = context_.store;
  const auto front_bytes = std::min<std::uint64_t>(blob.size, object_front_bytes);
  HOLDFAST_TRY(Bytes front, store.get_range(blob.name, 0, front_bytes));
  HOLDFAST_TRY(const std::uint64_t end, first_block_end(blob.name, front));
  if (end > front.size()) {
    if (end > blob.size) return cut_off(blob.name);
    HOLDFAST_TRY(front, store.get_range(blob.name, 0, end));
  }
  HOLDFAST_TRY(const Bytes block,
               open_first_block(context_.objects(), SealKind::log_segment, blob.name, front));
  auto info = decode_log_header(block);
  if (!info.ok()) return info.error().with_context(blob.name);
  if (info->name != blob.name) {
    return Error(ErrorCode::corrupt, blob.name + ": the header of another segment");
  }
  info->stored_bytes = blob.size;
  return info;
}

Result<LogSegmentInfo> LogStore::header(const blob::BlobInfo& blob, Reading reading) {
  if (reading == Reading::cached) {
    const std::scoped_lock lock(mutex_);
    const auto found = headers_.find(blob.name);
    if (found != headers_.end() && found->second.stored_bytes == blob.size) return found->second;
  }
  HOLDFAST_TRY(LogSegmentInfo info, read_header(blob));
  keep(info);
  return info;
}

Result<LogCatalogListing> LogStore::list(const std::string& source, Reading reading) {
  HOLDFAST_TRY(std::vector<blob::BlobInfo> blobs,
               context_.store.list(source.empty() ? "" : log_prefix(source)));
  std::erase_if(blobs, [](const blob::BlobInfo& blob) { return !parse_log_blob(blob.name); });

  std::vector<std::optional<Result<LogSegmentInfo>>> headers(blobs.size());
  std::atomic<std::size_t> next = 0;
  TaskGroup group;
  for (std::size_t thread = 0; thread < std::min(header_threads, blobs.size()); ++thread) {
    group.start([&](const std::stop_token& stop) -> Status {
      for (std::size_t at = next++; at < blobs.size(); at = next++) {
        if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
        headers[at].emplace(header(blobs[at], reading));
      }
      return {};
    });
  }
  HOLDFAST_CHECK(group.wait());

  LogCatalogListing listing;
  for (std::size_t at = 0; at < blobs.size(); ++at) {
    Result<LogSegmentInfo>& header = *headers[at];
    if (header.ok()) {
      listing.segments.push_back(std::move(*header));
    } else if (is_damage(header.error())) {
      listing.damaged.emplace_back(blobs[at].name, header.error());
    } else if (header.error().code() != ErrorCode::not_found) {  // else removed meanwhile
      return header.error();
    }
  }
  std::sort(listing.segments.begin(), listing.segments.end(),
            [](const LogSegmentInfo& a, const LogSegmentInfo& b) {
              return std::tie(a.source, a.databases, a.start.time, a.end.time, a.name) <
                     std::tie(b.source, b.databases, b.start.time, b.end.time, b.name);
            });
  return listing;
}

Result<LogSegmentInfo> LogStore::put(LogSegmentInfo info, const LogEventSource& events) {
  std::vector<Bytes> gathered;
  bool all_gathered = true;
  std::uint64_t gathered_size = 0;
  EventPacker packer([&](Bytes block) -> Status {
    gathered_size += block.size();
    if (gathered_size > gathered_bytes) {
      all_gathered = false;
      gathered.clear();
    } else {
      gathered.push_back(std::move(block));
    }
    return {};
  });
  HOLDFAST_CHECK(events([&packer](bson::DocumentView event) { return packer.add(event); }));
  HOLDFAST_CHECK(packer.flush());

  info.name = log_segment_name(info.source, info.databases, info.start);
  info.events = packer.events;
  info.event_bytes = packer.event_bytes;
  info.written = context_.clock.now();
  if (packer.blocks >= max_object_blocks) {
    return Error(ErrorCode::precondition, info.name + ": too large for one segment of the log");
  }
  ObjectSealing sealing(context_.objects(), SealKind::log_segment, info.name,
                        static_cast<std::uint32_t>(packer.blocks) + 1, context_.random);
  HOLDFAST_TRY(const auto writer, context_.store.create(info.name));
  SegmentBlob blob(sealing, *writer);
  HOLDFAST_CHECK(blob.begin());
  HOLDFAST_CHECK(blob.add(encode_log_header(info)));
  if (all_gathered) {
    for (const Bytes& block : gathered) HOLDFAST_CHECK(blob.add(block));
  } else {
    EventPacker again([&blob](const Bytes& block) { return blob.add(block); });
    HOLDFAST_CHECK(events([&again](bson::DocumentView event) { return again.add(event); }));
    HOLDFAST_CHECK(again.flush());
    if (again.events != info.events || again.blocks != packer.blocks) {
      return Error(ErrorCode::corrupt, info.name + ": its events changed while it was written");
    }
  }
  HOLDFAST_CHECK(writer->commit());
  info.stored_bytes = blob.bytes();
  keep(info);
  return info;
}

Status LogStore::read(const LogSegmentInfo& info, const LogEventVisitor& visit) const {
  BlobWindow window(context_.store, info);
  HOLDFAST_TRY(const ByteView front, window.take(object_header_bytes));
  HOLDFAST_TRY(ObjectOpening opening,
               ObjectOpening::begin(context_.objects(), SealKind::log_segment, info.name, front));
  std::uint64_t events = 0;
  for (bool header = true; !opening.done(); header = false) {
    HOLDFAST_TRY(const ByteView prefix, window.take(object_length_bytes));
    HOLDFAST_TRY(const ByteView stored,
                 window.take(load_little_endian<std::uint32_t>(prefix.data())));
    HOLDFAST_TRY(const ByteView block, opening.open(stored));
    if (!header) {
      HOLDFAST_CHECK(visit_block(info.name, block, visit, events));
    } else if (!same_bytes(block, encode_log_header(info))) {
      return Error(ErrorCode::corrupt, info.name + ": it is not the segment that was listed");
    }
  }
  if (!window.at_end()) {
    return Error(ErrorCode::corrupt, info.name + ": there are bytes after its end");
  }
  if (events != info.events) {
    return Error(ErrorCode::corrupt,
                 info.name + ": it holds another number of events than it says");
  }
  return {};
}

}  // namespace holdfast::repository
