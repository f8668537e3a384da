#include "backup/scan_range.h"

#include <utility>

#include "bson/builder.h"
#include "bson/order.h"

namespace holdfast::backup {

namespace {

using repository::Entry;

/// Documents, or their bytes, between two reports of progress and looks at the stop request.
constexpr std::uint64_t report_every = 1000;
constexpr std::uint64_t report_every_bytes = 4ULL * 1024 * 1024;
/// More differences of one range than this are counted only; an audit needs no more to alarm.
constexpr std::size_t max_kept_differences = 200'000;

/// Segments one after the other, as they fill.
class RangeWriter {
 public:
  explicit RangeWriter(repository::SegmentStream& stream) : stream_(stream) {}

  Status add(const Entry& entry) {
    if (!segment_) {
      HOLDFAST_TRY(segment_, stream_.begin());
    }
    return segment_->add(entry);
  }

  /// Looks whether it is time for the next segment.
  Status rotate() { return segment_ && segment_->full() ? finish() : Status(); }

  Status finish() {
    if (!segment_) return {};
    fingerprint.add(segment_->fingerprint());
    HOLDFAST_TRY(auto reference, segment_->finish());
    if (reference) segments.push_back(std::move(*reference));
    segment_.reset();
    return {};
  }

  std::vector<repository::SegmentRef> segments;
  Fingerprint fingerprint;  ///< Of the documents in them.

 private:
  repository::SegmentStream& stream_;
  std::unique_ptr<repository::SegmentWriter> segment_;
};

/// Counts what was read, tells about it now and then, and notices a stop.
class Pace {
 public:
  explicit Pace(const ScanTools& tools) : tools_(tools) {}
  ~Pace() { tools_.progress.advance(documents_, bytes_); }
  Pace(const Pace&) = delete;
  Pace& operator=(const Pace&) = delete;

  /// True when it is time for what is done now and then. Errors: cancelled.
  Result<bool> count(bson::DocumentView document) {
    bytes_ += document.bytes().size();
    if (++documents_ < report_every && bytes_ < report_every_bytes) return false;
    tools_.progress.advance(std::exchange(documents_, 0), std::exchange(bytes_, 0));
    if (tools_.stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    return true;
  }

 private:
  const ScanTools& tools_;
  std::uint64_t documents_ = 0;
  std::uint64_t bytes_ = 0;
};

/// The merge of a scan with its base.
class DifferenceWriter {
 public:
  DifferenceWriter(const ScanTools& tools, repository::EntryCursor& base, bool keep_differences,
                   repository::SegmentStream& stream, std::optional<DamagedBase>& damage)
      : tools_(tools), base_(base), keep_(keep_differences), out_(stream), damage_(damage) {}

  Result<ScannedRange> run(DocumentCursor& cursor) {
    Pace pace(tools_);
    HOLDFAST_CHECK(advance_base());
    while (!damage_) {
      HOLDFAST_TRY(const auto document, cursor.next());
      if (!document) break;
      HOLDFAST_CHECK(take(*document));
      HOLDFAST_TRY(const bool rest, pace.count(*document));
      if (rest) HOLDFAST_CHECK(out_.rotate());
    }
    while (entry_ && !damage_) HOLDFAST_CHECK(remove_front());
    HOLDFAST_CHECK(out_.finish());
    range_.segments = std::move(out_.segments);
    return std::move(range_);
  }

 private:
  static bson::ValueView key_of(bson::DocumentView document) { return *document.find("_id"); }

  Status advance_base() {
    auto next = base_.next();
    if (next.ok()) {
      entry_ = *next;
      return {};
    }
    const ErrorCode code = next.error().code();
    if (code != ErrorCode::corrupt && code != ErrorCode::not_found) return next.error();
    damage_.emplace(DamagedBase{next.error()});
    return {};
  }

  Status take(bson::DocumentView document) {
    const auto key = document.find("_id");
    if (!key) return Error(ErrorCode::unsupported, "a document without _id");
    range_.fingerprint.add(tools_.hasher.hash(document.bytes()));
    range_.document_bytes += document.bytes().size();
    while (entry_ && !damage_) {
      const auto order = bson::compare(key_of(entry_->document), *key);
      if (order > 0) break;
      if (order == 0) {
        const bool same = same_bytes(entry_->document.bytes(), document.bytes());
        if (!same) HOLDFAST_CHECK(put(*key, document));
        return advance_base();
      }
      HOLDFAST_CHECK(remove_front());
    }
    return damage_ ? Status() : put(*key, document);
  }

  Status put(bson::ValueView key, bson::DocumentView document) {
    keep(key);
    return out_.add({.kind = Entry::Kind::put, .document = document});
  }

  Status remove_front() {
    const bson::ValueView key = key_of(entry_->document);
    keep(key);
    bson::Builder removed;
    removed.append("_id", key);
    const bson::Document document = std::move(removed).finish();
    HOLDFAST_CHECK(out_.add({.kind = Entry::Kind::remove, .document = document.view()}));
    return advance_base();
  }

  void keep(bson::ValueView key) {
    if (!keep_) return;
    if (range_.different.size() < max_kept_differences) {
      range_.different.push_back({.key = bson::Value(key)});
    } else {
      ++range_.differences_not_kept;
    }
  }

  const ScanTools& tools_;
  repository::EntryCursor& base_;
  const bool keep_;
  RangeWriter out_;
  std::optional<DamagedBase>& damage_;
  std::optional<Entry> entry_;  ///< The base's next.
  ScannedRange range_;
};

}  // namespace

Result<ScannedRange> write_range(const ScanTools& tools, DocumentCursor& cursor, bool positional,
                                 repository::SegmentStream& stream) {
  RangeWriter out(stream);
  ScannedRange range;
  Entry entry;
  entry.kind = positional ? Entry::Kind::put_at : Entry::Kind::put;
  Pace pace(tools);
  while (true) {
    HOLDFAST_TRY(const auto document, cursor.next());
    if (!document) break;
    entry.document = *document;
    HOLDFAST_CHECK(out.add(entry));
    ++entry.position;
    range.document_bytes += document->bytes().size();
    HOLDFAST_TRY(const bool rest, pace.count(*document));
    if (rest) HOLDFAST_CHECK(out.rotate());
  }
  HOLDFAST_CHECK(out.finish());
  range.segments = std::move(out.segments);
  range.fingerprint = out.fingerprint;
  return range;
}

Result<ScannedRange> write_differences(const ScanTools& tools, DocumentCursor& cursor,
                                       repository::EntryCursor& base, bool keep_differences,
                                       repository::SegmentStream& stream,
                                       std::optional<DamagedBase>& damage) {
  return DifferenceWriter(tools, base, keep_differences, stream, damage).run(cursor);
}

}  // namespace holdfast::backup
