#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/result.h"
#include "changelog/event_sequence.h"
#include "changelog/oplog.h"
#include "dataset/types.h"
#include "interop/dump_reader.h"

namespace holdfast::transfer {

/// The oplog of a dump (mongodump --oplog) as events over the dump's own collections: each event's
/// `uuid` is the identity of one of them, whatever the server or the metadata tell. Names are
/// followed through creations, drops and renames. The dump must outlive it. Thread-safe to read
/// after `prepare`.
class DumpOplog final : public changelog::EventSequence {
 public:
  /// `before`: changes visible at this time or later are left out; nothing: none are.
  DumpOplog(interop::DumpReader& dump, std::optional<ClusterTime> before)
      : dump_(dump), before_(before) {}

  /// Reads the oplog once from these collections on and works out the catalog at its end.
  /// Errors: not_found (no oplog), corrupt, unsupported (an entry that nobody knows).
  [[nodiscard]] Status prepare(const std::vector<CollectionInfo>& base);

  [[nodiscard]] Status visit(
      const std::function<Status(const changelog::Event&)>& visit) const override;

  /// Changes of documents that `visit` gives.
  [[nodiscard]] std::uint64_t document_changes() const { return document_changes_; }
  /// The catalog at the end, by identity.
  [[nodiscard]] const std::map<Uuid, CollectionInfo>& catalog() const { return catalog_; }
  /// Of the last change that was not left out; null if there was none.
  [[nodiscard]] ClusterTime last_time() const { return last_time_; }
  /// Whether changes were left out because of the limit.
  [[nodiscard]] bool cut() const { return cut_; }
  /// Transactions that never ended inside the oplog: their changes are in no document.
  [[nodiscard]] std::size_t open_transactions() const { return open_transactions_; }

 private:
  class Names;
  [[nodiscard]] Status read(Names& names,
                            const std::function<Status(const changelog::OplogChange&)>& visit,
                            ClusterTime* last, bool* cut, std::size_t* open) const;

  interop::DumpReader& dump_;
  const std::optional<ClusterTime> before_;
  std::vector<CollectionInfo> base_;
  std::map<Uuid, CollectionInfo> catalog_;
  std::uint64_t document_changes_ = 0;
  ClusterTime last_time_;
  bool cut_ = false;
  std::size_t open_transactions_ = 0;
};

}  // namespace holdfast::transfer
