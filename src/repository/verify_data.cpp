#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>

#include "base/task_group.h"
#include "repository/merge.h"
#include "repository/segment_file_writer.h"
#include "repository/verify_state.h"

namespace holdfast::repository {
namespace {

constexpr unsigned max_threads = 4;
/// About 16 MiB of documents: enough for reads in a row.
constexpr std::size_t piece_blocks = 64;
constexpr std::uint64_t digest_window_bytes = 4U * 1024 * 1024;

/// The same layers, of however many snapshots.
struct CollectionCheck {
  const SnapshotCheck::Collection* collection = nullptr;
  std::vector<CollectionUse> uses;
};

std::string range_text(bson::ValueView from, bson::ValueView to, std::string_view to_word) {
  return " _id from " + key_text(from) + std::string(to_word) + key_text(to);
}

/// A file while it is read: by several threads at once, each a few blocks.
struct OpenFile {
  FileCheck* check = nullptr;
  std::shared_ptr<SegmentFile> file;
  std::size_t pieces_left = 0;
  /// Some bytes belong to no block that was authenticated by itself.
  bool gaps = false;
};

/// Blocks of a segment that one thread reads in a row.
struct Piece {
  std::shared_ptr<OpenFile> file;
  SegmentCheck* segment = nullptr;
  std::shared_ptr<const BlockIndex> index;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Reads all files on some threads. A thread that finds nothing to read opens the next file and
/// shares out its blocks, so that files of unequal sizes keep all threads busy to the end, and no
/// more files are open than there are threads.
class FileVerifier {
 public:
  FileVerifier(Context& context, VerifyState& state, ProgressSink& progress)
      : context_(context), state_(state), progress_(progress) {
    for (auto& [name, file] : state.files) {
      if (file.present) files_.push_back(&file);
    }
  }

  /// The work of one thread.
  Status work(const std::stop_token& stop) {
    BlockDecoder decoder;
    BlockBuffer raw;
    while (true) {
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      FileCheck* to_open = nullptr;
      std::optional<Piece> piece = take(to_open, stop);
      if (piece) {
        HOLDFAST_CHECK(read_piece(*piece, decoder, raw, stop));
        if (finish_piece(*piece)) HOLDFAST_CHECK(finish_file(*piece->file, stop));
      } else if (to_open != nullptr) {
        Status opened = open(*to_open, stop);
        {
          const std::scoped_lock lock(mutex_);
          --opening_;
        }
        changed_.notify_all();
        HOLDFAST_CHECK(std::move(opened));
      } else {
        return {};
      }
    }
  }

 private:
  /// A piece to read, or else a file to open, or else nothing is left.
  std::optional<Piece> take(FileCheck*& to_open, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    // What is being opened will bring more.
    changed_.wait(lock, stop, [this] {
      return !pieces_.empty() || next_file_ < files_.size() || opening_ == 0;
    });
    if (!pieces_.empty()) {
      Piece piece = std::move(pieces_.front());
      pieces_.pop_front();
      return piece;
    }
    if (next_file_ < files_.size() && !stop.stop_requested()) {
      to_open = files_[next_file_++];
      ++opening_;
    }
    return std::nullopt;
  }

  Status open(FileCheck& check, const std::stop_token& stop) {
    const auto open = std::make_shared<OpenFile>();
    open->check = &check;
    open->file = std::make_shared<SegmentFile>(context_, check.source, check.reference);
    std::uint64_t covered_to = segment_header_bytes;
    std::deque<Piece> pieces;
    for (auto& [offset, segment] : check.segments) {
      std::uint64_t from = 0;
      HOLDFAST_CHECK(share_out(open, *segment, from, pieces));
      open->gaps = open->gaps || from != covered_to;
      covered_to = offset + segment->reference.index_length;
    }
    open->gaps = open->gaps || covered_to != check.reference.length;
    open->pieces_left = pieces.size();
    if (pieces.empty()) return finish_file(*open, stop);
    const std::scoped_lock lock(mutex_);
    std::move(pieces.begin(), pieces.end(), std::back_inserter(pieces_));
    return {};
  }

  /// `from` becomes the offset of the segment's first block.
  Status share_out(const std::shared_ptr<OpenFile>& open, SegmentCheck& check, std::uint64_t& from,
                   std::deque<Piece>& pieces) {
    const StoredSegment segment{open->file, check.reference};
    auto read = read_index(context_, segment);  // not from the cache: the store is on trial
    if (!read.ok()) {
      if (!tells_of_damage(read.error())) return read.error();
      state_.add_segment_damage(check, open->file->blob_name(), read.error().message(),
                                range_text(segment.first_key(), segment.last_key(), " to "));
      return {};
    }
    const auto index = std::make_shared<const BlockIndex>(std::move(*read));
    from = index->block(0).offset;
    for (std::size_t begin = 0; begin < index->size(); begin += piece_blocks) {
      const std::size_t end = std::min(begin + piece_blocks, index->size());
      pieces.push_back({open, &check, index, begin, end});
    }
    return {};
  }

  Status read_piece(const Piece& piece, BlockDecoder& decoder, BlockBuffer& raw,
                    const std::stop_token& stop) {
    const StoredSegment segment{piece.file->file, piece.segment->reference};
    BlockReader reader(context_, segment, piece.index);
    reader.set_end(piece.end);
    Fingerprint fingerprint;
    std::uint64_t document_bytes = 0;
    for (std::size_t block = piece.begin; block < piece.end; ++block) {
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      auto bytes = reader.read(block, decoder, raw);
      if (!bytes.ok() && tells_of_damage(bytes.error())) {
        // A read that fetched several blocks may have failed for another one's sake.
        BlockReader alone(context_, segment, piece.index);
        alone.set_end(block + 1);
        bytes = alone.read(block, decoder, raw);
      }
      if (bytes.ok()) {
        count_block(raw.view(), *bytes, fingerprint);
        document_bytes += *bytes;
        continue;
      }
      if (!tells_of_damage(bytes.error())) return bytes.error();
      report_block(segment, *piece.index, block, *piece.segment, bytes.error());
    }
    const std::scoped_lock lock(mutex_);
    piece.segment->fingerprint.add(fingerprint);
    piece.segment->document_bytes += document_bytes;
    return {};
  }

  void count_block(ByteView entries, std::uint64_t document_bytes, Fingerprint& fingerprint) {
    const DocumentHasher& hasher = context_.keys.hasher;
    std::uint64_t documents = 0;
    while (!entries.empty()) {
      const Entry entry = take_entry(entries).entry;
      if (entry.kind == Entry::Kind::remove) continue;
      fingerprint.add(hasher.hash(entry.document.bytes()));
      ++documents;
    }
    progress_.advance(documents, document_bytes);
  }

  void report_block(const StoredSegment& segment, const BlockIndex& index, std::size_t block,
                    SegmentCheck& check, const Error& error) {
    const bool last = block + 1 == index.size();
    const std::string range =
        last ? range_text(index.first_key(block), segment.last_key(), " to ")
             : range_text(index.first_key(block), index.first_key(block + 1), " to below ");
    state_.add_segment_damage(check, describe_block(segment, index, block), error.message(), range);
  }

  /// Whether it was the file's last piece.
  bool finish_piece(const Piece& piece) {
    const std::scoped_lock lock(mutex_);
    return --piece.file->pieces_left == 0;
  }

  Status finish_file(const OpenFile& open, const std::stop_token& stop) {
    bool gaps = open.gaps;
    for (auto& [offset, segment] : open.check->segments) {
      if (segment->whole && segment->document_bytes != segment->reference.document_bytes) {
        const StoredSegment stored{open.file, segment->reference};
        state_.add_segment_damage(*segment, open.file->blob_name(),
                                  "a segment holds other documents than the manifest says",
                                  range_text(stored.first_key(), stored.last_key(), " to "));
      }
      gaps = gaps || !segment->whole;
    }
    // Every byte of a segment was authenticated by itself; others only by the file's digest.
    return gaps ? verify_digest(*open.file, *open.check, stop) : Status();
  }

  Status verify_digest(const SegmentFile& file, FileCheck& check, const std::stop_token& stop) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, check.reference.digest.size());
    for (std::uint64_t at = 0; at < check.reference.length;) {
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      const std::uint64_t size = std::min(digest_window_bytes, check.reference.length - at);
      const auto bytes = file.read(at, size);
      if (!bytes.ok()) {
        if (!tells_of_damage(bytes.error())) return bytes.error();
        state_.add_damage("file", file.blob_name(), bytes.error().message());
        return {};
      }
      crypto_generichash_update(&state, bytes->data(), bytes->size());
      at += size;
    }
    std::array<std::uint8_t, 32> digest{};
    crypto_generichash_final(&state, digest.data(), digest.size());
    const bool known = std::any_of(check.segments.begin(), check.segments.end(),
                                   [](const auto& one) { return !one.second->whole; });
    if (digest != check.reference.digest && !known) {
      state_.add_damage("file", file.blob_name(),
                        "the file is damaged where no snapshot needs it: its digest does not fit");
    }
    return {};
  }

  Context& context_;
  VerifyState& state_;
  ProgressSink& progress_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<FileCheck*> files_;
  std::size_t next_file_ = 0;
  std::size_t opening_ = 0;
  std::deque<Piece> pieces_;
};

/// Every collection whose files are all readable, equal ones once.
std::vector<CollectionCheck> collections_to_compare(const VerifyState& state) {
  using Segments = std::vector<const SegmentCheck*>;
  using Key = std::tuple<Segments, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>;
  std::map<Key, std::size_t> known;
  std::vector<CollectionCheck> checks;
  for (std::size_t snapshot = 0; snapshot < state.snapshots.size(); ++snapshot) {
    const auto& collections = state.snapshots[snapshot].collections;
    for (std::size_t at = 0; at < collections.size(); ++at) {
      const SnapshotCheck::Collection& collection = collections[at];
      Segments segments;
      bool whole = true;
      for (const auto& layer : collection.layers) {
        for (const auto& [file, segment] : layer) {
          segments.push_back(segment);
          whole = whole && file->present && segment->whole;
        }
        segments.push_back(nullptr);  // where a layer ends
      }
      if (!whole) continue;
      const Fingerprint& sum = collection.fingerprint;
      const auto [found, fresh] = known.try_emplace(
          Key(std::move(segments), sum.documents, sum.low, sum.high, collection.document_bytes),
          checks.size());
      if (fresh) checks.push_back({&collection, {}});
      checks[found->second].uses.push_back({snapshot, at});
    }
  }
  return checks;
}

/// Reads the merged documents of a collection of several layers.
Status merge_collection(Context& context, const SnapshotCheck::Collection& collection,
                        const std::stop_token& stop, Fingerprint& fingerprint,
                        std::uint64_t& document_bytes) {
  StoredLayers layers;
  std::map<const FileCheck*, std::shared_ptr<SegmentFile>> files;
  for (const auto& layer : collection.layers) {
    StoredLayer& stored = layers.emplace_back();
    for (const auto& [check, segment] : layer) {
      std::shared_ptr<SegmentFile>& file = files[check];
      if (!file) file = std::make_shared<SegmentFile>(context, check->source, check->reference);
      stored.push_back({file, segment->reference});
    }
  }
  MergedDocuments documents(context, layers, KeyRange{});
  while (true) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    HOLDFAST_TRY(const std::optional<bson::DocumentView> document, documents.next());
    if (!document) return {};
    fingerprint.add(context.keys.hasher.hash(document->bytes()));
    document_bytes += document->bytes().size();
  }
}

Status compare_collection(Context& context, VerifyState& state, const CollectionCheck& check,
                          const std::stop_token& stop) {
  const SnapshotCheck::Collection& collection = *check.collection;
  Fingerprint fingerprint;
  std::uint64_t document_bytes = 0;
  if (collection.layers.size() > 1) {
    const Status merged = merge_collection(context, collection, stop, fingerprint, document_bytes);
    if (!merged.ok()) {
      if (!tells_of_damage(merged.error())) return merged;
      for (const CollectionUse& use : check.uses) {
        state.add_collection_damage(use, merged.error().message());
      }
      return {};
    }
  } else {
    for (const auto& layer : collection.layers) {
      for (const auto& [file, segment] : layer) {
        fingerprint.add(segment->fingerprint);
        document_bytes += segment->document_bytes;
      }
    }
  }
  if (fingerprint == collection.fingerprint && document_bytes == collection.document_bytes) {
    return {};
  }
  for (const CollectionUse& use : check.uses) {
    state.add_collection_damage(use, "its documents are not those that the fingerprint was of: " +
                                         std::to_string(fingerprint.documents) + " instead of " +
                                         std::to_string(collection.fingerprint.documents));
  }
  return {};
}

std::size_t thread_count() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, max_threads);
}

}  // namespace

Status verify_data(Context& context, VerifyState& state, ProgressSink& progress,
                   std::stop_token stop) {
  progress.stage("read files", state.report.documents, state.report.document_bytes);
  FileVerifier verifier(context, state, progress);
  TaskGroup readers(stop);
  for (std::size_t thread = 0; thread < thread_count(); ++thread) {
    readers.start([&verifier](const std::stop_token& asked) { return verifier.work(asked); });
  }
  HOLDFAST_CHECK(readers.wait());

  const std::vector<CollectionCheck> checks = collections_to_compare(state);
  progress.stage("compare fingerprints", 0, 0);
  std::atomic<std::size_t> next = 0;
  TaskGroup comparers(stop);
  for (std::size_t thread = 0; thread < thread_count(); ++thread) {
    comparers.start([&](const std::stop_token& asked) -> Status {
      for (std::size_t at = next++; at < checks.size(); at = next++) {
        if (asked.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
        HOLDFAST_CHECK(compare_collection(context, state, checks[at], asked));
      }
      return {};
    });
  }
  return comparers.wait();
}

}  // namespace holdfast::repository
