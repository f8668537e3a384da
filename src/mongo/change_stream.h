#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"
#include "mongo/client.h"

namespace holdfast::mongo {

/// Holdfast's own collection for barrier markers; never backed up, its events are no events.
inline constexpr std::string_view marker_collection = "holdfast.barrier";

/// A raw change event and the position behind it.
struct RawEvent {
  bson::DocumentView event;  ///< valid until the next call
};

/// A change stream over whole databases, with showExpandedEvents where the server has it.
/// Resumes by itself after network errors and elections (by token, never by time). Not
/// thread-safe.
class ChangeStream {
 public:
  virtual ~ChangeStream() = default;
  /// The next event in order, or nothing if none came within `wait`. Errors: gap (history lost:
  /// 286 and its like), retry (still failing after the resumes), …
  [[nodiscard]] virtual Result<std::optional<RawEvent>> next(std::chrono::milliseconds wait) = 0;
  /// The newest position handed out: events after it come when resumed from it.
  [[nodiscard]] virtual bson::Document resume_token() const = 0;
  /// The cluster time up to which this stream is known to have delivered everything, where the
  /// post-batch token says so reliably (the server is a mongod and it decodes as
  /// mongod's), else null. A tick before the token's time: operations may share a time.
  [[nodiscard]] virtual ClusterTime reliable_time() const = 0;
};

struct ChangeStreamOptions {
  std::vector<std::string> databases =
      {};  ///< one: a database stream; several or none: the deployment's
  std::optional<bson::Document> resume_after = std::nullopt;
  /// How long it tries to come back before it says so: longer than an election and a restart.
  std::uint32_t resume_deadline_ms = 60'000;
};

/// Opens the stream at now, or behind a token. `opened_at` receives the later of the
/// operationTime and cluster time of the reply that opened it: everything after that time is
/// delivered (mongod starts behind the cluster time, which may be ahead of operationTime).
/// Errors: precondition (no log here: a standalone), gap, denied, …
[[nodiscard]] Result<std::unique_ptr<ChangeStream>> open_change_stream(
    Client& client, const ChangeStreamOptions& options, ClusterTime& opened_at);

/// Writes a marker into `database` (majority) and returns its `_id`; its event's arrival on a
/// stream shows that everything committed before it was delivered. Upserts one small document in
/// `marker_collection` under a fresh `_id` and removes it again by `remove_marker`.
/// Errors: denied (no write privilege), retry, …
[[nodiscard]] Result<bson::Value> write_marker(Client& client, const std::string& database);
[[nodiscard]] Status remove_marker(Client& client, const std::string& database,
                                   bson::ValueView marker_id);
/// Whether this raw event concerns the marker collection (then it is no event of the data).
[[nodiscard]] bool is_marker_event(bson::DocumentView event);

}  // namespace holdfast::mongo
