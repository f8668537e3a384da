#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "repository/context.h"
#include "repository/repository.h"
#include "repository/segment_reader.h"

namespace holdfast::repository {

/// A collection of a snapshot, as numbers into VerifyState.
struct CollectionUse {
  std::size_t snapshot = 0;
  std::size_t collection = 0;
};

/// One segment, however many snapshots share it, and what reading it found.
struct SegmentCheck {
  SegmentRef reference;
  std::vector<CollectionUse> uses;
  bool whole = true;
  Fingerprint fingerprint;
  std::uint64_t document_bytes = 0;
};

/// One file and the segments in it, by the offset of their index.
struct FileCheck {
  std::string source;
  FileRef reference;
  std::map<std::uint64_t, std::unique_ptr<SegmentCheck>> segments;
  bool present = true;
};

/// What is kept of a manifest while its files are read.
struct SnapshotCheck {
  struct Collection {
    Namespace ns;
    Fingerprint fingerprint;
    std::uint64_t document_bytes = 0;
    std::vector<std::vector<std::pair<FileCheck*, SegmentCheck*>>> layers;
  };
  std::string id;
  std::vector<Collection> collections;
  bool whole = true;
};

/// The picture that a verification builds up. Built by one thread; then `add_damage` may be called
/// by several.
class VerifyState {
 public:
  std::vector<SnapshotCheck> snapshots;
  std::map<std::string, FileCheck> files;  ///< By blob name.
  VerifyReport report;

  /// Takes over what is needed of a manifest. Errors: corrupt (it contradicts another one).
  [[nodiscard]] Status add_manifest(const Manifest& manifest);

  void add_damage(std::string what, std::string where, std::string sentence,
                  std::vector<std::string> affects = {});
  /// Damage that makes the segment's users unreadable in this range of keys.
  void add_segment_damage(SegmentCheck& segment, const std::string& where,
                          const std::string& sentence, const std::string& range);
  /// Damage to a whole file.
  void add_file_damage(FileCheck& file, const std::string& blob, const std::string& sentence);
  void add_collection_damage(const CollectionUse& use, const std::string& sentence);

 private:
  [[nodiscard]] std::string use_text(const CollectionUse& use) const;
  [[nodiscard]] std::vector<std::string> mark_users(SegmentCheck& segment,
                                                    const std::string& range);

  std::mutex mutex_;
};

/// Reads, authenticates and decodes everything in `state.files`, then compares collections with
/// their fingerprints; damage goes into the state. Errors: cancelled, retry, …
[[nodiscard]] Status verify_data(Context& context, VerifyState& state, ProgressSink& progress,
                                 std::stop_token stop);

/// Whether an error tells of what is stored (damage), rather than of the way to it.
[[nodiscard]] bool tells_of_damage(const Error& error);

}  // namespace holdfast::repository
