#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <tuple>

#include "base/task_group.h"
#include "repository/merge.h"
#include "repository/segment_file_writer.h"
#include "repository/verify_state.h"

namespace holdfast::repository {
namespace {

constexpr unsigned max_threads = 4;
constexpr std::uint64_t digest_window_bytes = 4U * 1024 * 1024;

/// The same layers, of however many snapshots.
struct CollectionCheck {
  const SnapshotCheck::Collection* collection = nullptr;
  std::vector<CollectionUse> uses;
};

std::string range_text(bson::ValueView from, bson::ValueView to, std::string_view to_word) {
  return " _id from " + key_text(from) + std::string(to_word) + key_text(to);
}

/// Reads one file; one a thread.
class FileVerifier {
 public:
  FileVerifier(Context& context, VerifyState& state, ProgressSink& progress)
      : context_(context), state_(state), progress_(progress) {}

  Status verify(FileCheck& check, const std::stop_token& stop) {
    const auto file = std::make_shared<SegmentFile>(context_, check.source, check.reference);
    std::uint64_t covered_to = segment_header_bytes;
    bool gaps = false;
    for (auto& [offset, segment] : check.segments) {
      std::uint64_t from = 0;
      HOLDFAST_CHECK(verify_segment(file, *segment, from, stop));
      // Every byte of a segment was authenticated by itself; others only by the file's digest.
      gaps = gaps || from != covered_to || !segment->whole;
      covered_to = offset + segment->reference.index_length;
    }
    if (gaps || covered_to != check.reference.length) return verify_digest(*file, check, stop);
    return {};
  }

 private:
  /// `from` becomes the offset of the segment's first block.
  Status verify_segment(const std::shared_ptr<SegmentFile>& file, SegmentCheck& check,
                        std::uint64_t& from, const std::stop_token& stop) {
    const StoredSegment segment{file, check.reference};
    auto read = read_index(context_, segment);  // not from the cache: the store is on trial
    if (!read.ok()) {
      if (!tells_of_damage(read.error())) return read.error();
      state_.add_segment_damage(check, file->blob_name(), read.error().message(),
                                range_text(segment.first_key(), segment.last_key(), " to "));
      return {};
    }
    const auto index = std::make_shared<const BlockIndex>(std::move(*read));
    from = index->block(0).offset;
    BlockReader reader(context_, segment, index);
    for (std::size_t block = 0; block < index->size(); ++block) {
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      auto bytes = reader.read(block, decoder_, raw_);
      if (!bytes.ok() && tells_of_damage(bytes.error())) {
        // A read that fetched several blocks may have failed for another one's sake.
        BlockReader alone(context_, segment, index);
        alone.set_end(block + 1);
        bytes = alone.read(block, decoder_, raw_);
      }
      if (bytes.ok()) {
        count_block(check, *bytes);
        continue;
      }
      if (!tells_of_damage(bytes.error())) return bytes.error();
      report_block(segment, *index, block, check, bytes.error());
    }
    if (check.whole && check.document_bytes != check.reference.document_bytes) {
      state_.add_segment_damage(check, file->blob_name(),
                                "a segment holds other documents than the manifest says",
                                range_text(segment.first_key(), segment.last_key(), " to "));
    }
    return {};
  }

  void count_block(SegmentCheck& check, std::uint64_t document_bytes) {
    const DocumentHasher& hasher = context_.keys.hasher;
    std::uint64_t documents = 0;
    for (ByteView rest = raw_.view(); !rest.empty();) {
      const Entry entry = take_entry(rest).entry;
      if (entry.kind == Entry::Kind::remove) continue;
      check.fingerprint.add(hasher.hash(entry.document.bytes()));
      ++documents;
    }
    check.document_bytes += document_bytes;
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
  BlockDecoder decoder_;
  BlockBuffer raw_;
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

/// Runs `work(i)` for i < count, each once, on a few threads.
Status for_each_parallel(
    std::size_t count, const std::stop_token& stop,
    const std::function<std::function<Status(std::size_t, const std::stop_token&)>()>&
        make_worker) {
  const std::size_t threads = std::min<std::size_t>(
      {count, max_threads, std::max(1U, std::thread::hardware_concurrency())});
  std::atomic<std::size_t> next = 0;
  TaskGroup group(stop);
  for (std::size_t thread = 0; thread < threads; ++thread) {
    group.start([&next, count, work = make_worker()](const std::stop_token& asked) -> Status {
      for (std::size_t at = next++; at < count; at = next++) {
        if (asked.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
        HOLDFAST_CHECK(work(at, asked));
      }
      return {};
    });
  }
  return group.wait();
}

}  // namespace

Status verify_data(Context& context, VerifyState& state, ProgressSink& progress,
                   std::stop_token stop) {
  std::vector<FileCheck*> files;
  for (auto& [name, file] : state.files) {
    if (file.present) files.push_back(&file);
  }
  progress.stage("read files", state.report.documents, state.report.document_bytes);
  HOLDFAST_CHECK(for_each_parallel(files.size(), stop, [&] {
    auto verifier = std::make_shared<FileVerifier>(context, state, progress);
    return [&files, verifier](std::size_t at, const std::stop_token& asked) {
      return verifier->verify(*files[at], asked);
    };
  }));

  const std::vector<CollectionCheck> checks = collections_to_compare(state);
  progress.stage("compare fingerprints", 0, 0);
  return for_each_parallel(checks.size(), stop, [&] {
    return [&](std::size_t at, const std::stop_token& asked) {
      return compare_collection(context, state, checks[at], asked);
    };
  });
}

}  // namespace holdfast::repository
