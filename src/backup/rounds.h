#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "backup/backup.h"
#include "backup/scan_phase.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "changelog/fold_events.h"
#include "changelog/held_collection.h"
#include "changelog/stream_drain.h"
#include "dataset/selection.h"
#include "mongo/client.h"
#include "repository/repository.h"

namespace holdfast::backup {

/// Brings what is held of a source up to one moment: catalog, scan of what is not held, barrier,
/// fold, again until the catalog rests. See docs/decisions/0005-rounds-and-barriers.md.
/// Not thread-safe.
class Rounds {
 public:
  /// What rounds work with; all of it outlives them.
  struct Tools {
    mongo::Client& client;
    const BackupOptions& options;
    const std::vector<std::string>& databases;  ///< In scope, sorted.
    const DocumentHasher& hasher;
    RandomSource& random;
    ProgressSink& progress;
    std::stop_token stop;
  };

  /// Without a drain (a standalone) there is one round, without barrier and fold.
  Rounds(const Tools& tools, repository::SnapshotWriter& writer, changelog::StreamDrain* drain);

  /// Folds what `before` and then the drain tell up to now over `held`, which is exactly the state
  /// where `before` begins, without scanning anything. Errors: corrupt (something does not fit:
  /// what is held is let go), those of the stream and the repository.
  [[nodiscard]] Status catch_up(changelog::HeldCollections held,
                                const changelog::EventSequence* before);
  /// Lets what the drain brought so far lie behind: a scan from here on need not fold it.
  [[nodiscard]] Status begin_here();
  /// From now on what is held is only what a scan is compared with. It is exactly the state of
  /// this moment, so every difference needs an event that explains it: an audit.
  void audit();
  /// What scans are compared with as well, exact or not.
  void add_bases(changelog::HeldCollections bases);
  [[nodiscard]] Status run();
  /// Reads documents again whose order of fields events could not tell.
  [[nodiscard]] Status reread();

  [[nodiscard]] const std::vector<CollectionInfo>& catalog() const { return catalog_; }
  [[nodiscard]] changelog::HeldCollections& held() { return held_; }
  /// Everything held is folded up to here.
  [[nodiscard]] const changelog::Boundary& boundary() const { return boundary_; }

  // What it took.
  std::uint64_t events = 0;
  std::uint64_t changed = 0;
  std::uint32_t rounds = 1;
  std::uint64_t scanned_again = 0;
  std::uint64_t reread_documents = 0;
  std::vector<std::string> damaged_parents;  ///< Sentences; what was rewritten from live data.

 private:
  /// Fills catalog_ with what is in scope and chosen.
  Status read_selected_catalog();
  Status check_selection(const std::vector<CollectionInfo>& found);
  /// One window: catalog, scan of what is not held, barrier, fold. Whether all is settled.
  Result<bool> run_round(bool last);
  std::vector<CollectionInfo> adopt_catalog();
  Status scan(const std::vector<CollectionInfo>& wanted);
  Result<changelog::CatalogChanges> fold_to(const changelog::EventSequence& events,
                                            const std::vector<CollectionInfo>& scanned);
  Result<bool> close_window(const std::vector<CollectionInfo>& scanned, bool last);
  /// After the last window: what is still moving becomes best-effort.
  Status settle_last_round(const changelog::CatalogChanges& changes);
  bool drop_stale(const changelog::CatalogChanges& changes, bool last);
  Result<changelog::Boundary> barrier();
  [[nodiscard]] bool in_scope(std::string_view database) const;

  const Tools tools_;
  repository::SnapshotWriter& writer_;
  changelog::StreamDrain* const drain_;
  const Selection selection_;
  const changelog::FoldSettings fold_settings_;

  changelog::Boundary boundary_;
  std::vector<CollectionInfo> catalog_;  ///< Of the current round.
  bool catalog_was_read_ = false;
  changelog::HeldCollections held_;
  changelog::HeldCollections bases_;
  bool audited_ = false;
  bool settled_ = false;  ///< The window closed last saw nothing that another one has to settle.
  std::vector<CollectionInfo> lost_;  ///< Vanished while they were read, this round.
  ClusterTime latest_read_;
};

}  // namespace holdfast::backup
