#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "blob/blob_store.h"
#include "dataset/reader.h"
#include "dataset/types.h"
#include "repository/log_segment.h"
#include "repository/manifest.h"
#include "repository/segment.h"
#include "repository/settings.h"

namespace holdfast::repository {

/// What opens a repository: exactly one is set, or none for an unencrypted one.
struct Unlock {
  std::optional<SecretBytes> password;
  std::optional<SecretBytes> key_file;      ///< The content of a key file.
  std::optional<SecretBytes> recovery_key;  ///< The text that init printed.
};

/// A wrapped copy of the master key.
struct KeyInfo {
  std::string id;    ///< 16 hexadecimal digits.
  std::string kind;  ///< "password", "key-file" or "recovery".
  std::string label;
  WallTime created{};
};

struct InitOptions {
  bool encrypt = true;
  Unlock first_key;  ///< A password or key file, when encrypting.
};

struct InitOutcome {
  std::string repository_id;
  /// To be shown once; nothing when not encrypting.
  std::optional<SecretBytes> recovery_key_text;
};

struct OptimizeSettings {
  /// A segment is rewritten when its patches have more than this share of its documents' bytes.
  double patch_share = 0.20;
  /// More patch layers than this are merged into one.
  std::size_t max_patch_layers = 8;
  LayoutSettings layout;
};

struct OptimizeOutcome {
  std::uint64_t collections = 0;         ///< That got new layers.
  std::uint64_t rewritten_segments = 0;  ///< Of base layers.
  std::uint64_t layers_before = 0;       ///< The most that any collection had.
  std::uint64_t layers_after = 0;
  std::uint64_t stored_bytes = 0;  ///< Written for it.
};

class SnapshotReader;
class SnapshotWriter;

/// Damage that verification found: what, where, and what it costs.
struct Damage {
  std::string what;      ///< "manifest", "file", "block", "log", "key", "header", "tombstone"
  std::string where;     ///< blob name, and block or key range
  std::string sentence;  ///< for people
  /// Snapshots and namespaces that it touches, "id shop.users _id from … to …".
  std::vector<std::string> affects;
};

struct VerifyReport {
  std::uint64_t snapshots = 0;
  std::uint64_t files = 0;
  std::uint64_t documents = 0;
  std::uint64_t document_bytes = 0;
  std::uint64_t unreferenced_files = 0;  ///< Garbage, harmless.
  std::uint64_t log_segments = 0;
  std::uint64_t log_events = 0;
  std::vector<Damage> damage;
  /// Snapshots of which everything that was looked at is whole.
  std::vector<std::string> whole_snapshots;
};

/// A backup repository: snapshots, keys and leases over a blob store. Thread-safe. Nothing is
/// ever overwritten; files are written before the manifest that names them, so a crash at any
/// moment leaves every committed snapshot as it was and at most unreferenced files.
class Repository {
 public:
  /// Makes a repository in an empty place. Errors: exists (a repository is there), precondition
  /// (something else is there, or the store can't put-if-absent).
  [[nodiscard]] static Result<InitOutcome> init(blob::BlobStore& store, const InitOptions& options,
                                                RandomSource& random, const Clock& clock);
  /// Opens one. Errors: no_repository, wrong_key (message says what kinds of key would open it),
  /// unsupported (a newer format), corrupt.
  [[nodiscard]] static Result<std::unique_ptr<Repository>> open(
      std::unique_ptr<blob::BlobStore> store, const Unlock& unlock, RandomSource& random,
      const Clock& clock);

  virtual ~Repository() = default;

  [[nodiscard]] virtual const std::string& id() const = 0;
  [[nodiscard]] virtual bool encrypted() const = 0;
  [[nodiscard]] virtual const DocumentHasher& hasher() const = 0;
  [[nodiscard]] virtual blob::BlobStore& store() = 0;

  /// Summaries of all snapshots of all sources, oldest first. A damaged manifest is an error of
  /// its own in `damaged` (blob name and why), and doesn't hide the others.
  struct Listing {
    std::vector<SnapshotSummary> snapshots;
    std::vector<Damage> damaged;
  };
  [[nodiscard]] virtual Result<Listing> list() = 0;
  /// `id` is a snapshot's id, an unambiguous prefix of 4 digits or more, or "latest".
  /// Errors: not_found, usage (ambiguous), corrupt.
  [[nodiscard]] virtual Result<Manifest> manifest(std::string_view id) = 0;
  /// Reads a snapshot's merged content. The repository must outlive it.
  [[nodiscard]] virtual Result<std::unique_ptr<SnapshotReader>> open_snapshot(
      std::string_view id) = 0;
  /// Opens a lease and starts a snapshot of this source. `parent_files` are the files of a
  /// committed snapshot of the same source whose segments the new one may list again.
  [[nodiscard]] virtual Result<std::unique_ptr<SnapshotWriter>> begin_snapshot(
      const SourceIdentity& source, const LayoutSettings& layout,
      std::vector<FileRef> parent_files = {}) = 0;
  /// A view of this repository to which snapshots can be written that vanish with it: they lie
  /// encrypted in a private folder below `parent`. This repository, which is only read, must
  /// outlive it. Errors: those of making a folder.
  [[nodiscard]] virtual Result<std::unique_ptr<Repository>> with_scratch(
      const std::filesystem::path& parent) = 0;
  /// New generation of a manifest's tags; content stays. Durable when it returns.
  [[nodiscard]] virtual Status set_tags(std::string_view id,
                                        const std::vector<std::string>& tags) = 0;
  /// Rewrites segments of a snapshot whose patches have grown past their share, and merges patch
  /// layers that have become many: the same content, quicker to read. The snapshot gets a new
  /// generation; other snapshots and readers are untouched, and files that nobody needs any more
  /// become garbage. A crash leaves the snapshot as it was. Errors: not_found, usage, corrupt,
  /// busy (others keep changing it), no_space, cancelled.
  [[nodiscard]] virtual Result<OptimizeOutcome> optimize(std::string_view id,
                                                         const OptimizeSettings& settings,
                                                         ProgressSink& progress,
                                                         std::stop_token stop) = 0;
  /// Removes the manifest, leaving an authenticated tombstone. Files become garbage.
  [[nodiscard]] virtual Status remove_snapshot(std::string_view id) = 0;

  /// Log segments of one source, or of all if `source` is empty, sorted by source, databases and
  /// start; a damaged one doesn't hide the others. Reads one block a segment, once.
  struct LogListing {
    std::vector<LogSegmentInfo> segments;
    std::vector<Damage> damaged;
  };
  [[nodiscard]] virtual Result<LogListing> list_log(const std::string& source) = 0;
  /// Stores `events` (markers left out) as the segment that begins at `info.start`; fills in name,
  /// counts, bytes and `written`. `events` may be called twice. Durable when it returns; a crash
  /// leaves all of it or nothing. Errors: exists (a segment of this scope starts there already;
  /// nothing changed), precondition (too large), those of `events`, no_space, io, …
  [[nodiscard]] virtual Result<LogSegmentInfo> put_log_segment(const LogSegmentInfo& info,
                                                               const LogEventSource& events) = 0;
  /// Calls `visit` with each event of a segment that list_log gave. A few MiB are in memory at a
  /// time, more only where one event is larger. Errors: corrupt, not_found (removed meanwhile),
  /// those of `visit`, …
  [[nodiscard]] virtual Status read_log_segment(const LogSegmentInfo& info,
                                                const LogEventVisitor& visit) = 0;

  [[nodiscard]] virtual Result<std::vector<KeyInfo>> keys() = 0;
  /// Wraps the master key once more. A recovery key's text is returned, for others nothing.
  [[nodiscard]] virtual Result<std::pair<KeyInfo, std::optional<SecretBytes>>> add_key(
      const Unlock& key, bool recovery, std::string_view label) = 0;
  /// Errors: not_found, precondition (the last key).
  [[nodiscard]] virtual Status remove_key(std::string_view key_id) = 0;

  /// Structure of everything; with `read_data` every byte is read, authenticated, decoded and
  /// counted, and fingerprints recomputed. Damage is reported, not returned as an error.
  [[nodiscard]] virtual Result<VerifyReport> verify(bool read_data,
                                                    const std::vector<std::string>& snapshots,
                                                    ProgressSink& progress,
                                                    std::stop_token stop) = 0;
};

/// One merged stream of a collection's entries.
class EntryCursor {
 public:
  virtual ~EntryCursor() = default;
  /// The next entry in key order, or nothing. Valid until the next call.
  [[nodiscard]] virtual Result<std::optional<Entry>> next() = 0;
};

/// Reads a snapshot as a dataset: layers merged, tombstones applied. Thread-safe; cursors are not.
class SnapshotReader : public DatasetReader {
 public:
  [[nodiscard]] virtual const Manifest& manifest() const = 0;
  /// A part of a collection: split into about `parts` key ranges that cover it, for parallel
  /// reading; each is opened by `open_part`.
  [[nodiscard]] virtual Result<std::size_t> part_count(const Namespace& ns, std::size_t parts) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<DocumentCursor>> open_part(const Namespace& ns,
                                                                          std::size_t parts,
                                                                          std::size_t part) = 0;
  /// The document with this key (capped: an int64 position), or nothing. Reads one block a
  /// layer at most; ascending keys reuse the block at hand. Errors: not_found (no such
  /// collection), corrupt, …
  [[nodiscard]] virtual Result<std::optional<bson::Document>> find(const Namespace& ns,
                                                                   bson::ValueView key) = 0;
};

/// Writes one segment: entries in ascending key order. Not thread-safe.
class SegmentWriter {
 public:
  virtual ~SegmentWriter() = default;
  /// Errors: corrupt (a key that is not above the one before; says which), no_space, io, …
  [[nodiscard]] virtual Status add(const Entry& entry) = 0;
  /// Whether the file has reached the layout's size: time to `finish` and `begin` the next
  /// segment. A larger segment is allowed, as long as its index fits (`add` refuses then).
  [[nodiscard]] virtual bool full() const = 0;
  /// Ends the segment. Nothing if it is empty. `file` of the reference is a handle (at least
  /// `own_file_handle`) that only this SnapshotWriter's `commit`, `read_back` and `find` resolve.
  [[nodiscard]] virtual Result<std::optional<SegmentRef>> finish() = 0;
  /// Fingerprint and bytes of the documents put so far.
  [[nodiscard]] virtual const Fingerprint& fingerprint() const = 0;
};

/// Writes segment files one after another for one thread: segments are laid one behind the other
/// into the current file, which is closed when it is large enough. At most one segment is open at
/// a time. Not thread-safe; several streams of one SnapshotWriter may run at once.
class SegmentStream {
 public:
  virtual ~SegmentStream() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<SegmentWriter>> begin() = 0;
  /// Closes the current file, durably.
  [[nodiscard]] virtual Status close() = 0;
};

/// A snapshot in the making, under a lease. Destroying it uncommitted leaves only garbage.
/// Thread-safe.
class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  [[nodiscard]] virtual const std::string& snapshot_id() const = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<SegmentStream>> open_stream() = 0;
  /// Merged entries of layers of the parent, or that this writer wrote so far (their files
  /// closed), within a range of keys; tombstones included only if `with_removes`.
  [[nodiscard]] virtual Result<std::unique_ptr<EntryCursor>> read_back(
      const std::vector<Layer>& layers, const KeyRange& range, bool with_removes) = 0;
  /// The newest document with this key in such layers, or nothing.
  [[nodiscard]] virtual Result<std::optional<bson::Document>> find(const std::vector<Layer>& layers,
                                                                   bson::ValueView key) = 0;
  /// Fills in id, source, predecessors, keys, counts and stored bytes, and commits; closes the
  /// streams. A SegmentRef's `file` below `own_file_handle` is an index into the parent's files;
  /// `manifest.files` is ignored and becomes the list of files, the parent's and those written
  /// here, that some segment names. `finished` is now, unless it is set.
  /// After ok the snapshot exists; after an error it does not, unless the store failed (io,
  /// retry) while the manifest was put. May be called once.
  /// Errors: precondition (fenced: the lease was declared dead; a segment is still open),
  /// corrupt (layers that overlap or are not sorted), …
  [[nodiscard]] virtual Result<SnapshotSummary> commit(Manifest manifest) = 0;
};

}  // namespace holdfast::repository
