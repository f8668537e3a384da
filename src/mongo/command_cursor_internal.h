#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"
#include "mongo/client_internal.h"

namespace holdfast::mongo {

/// A server cursor by bare find / aggregate / getMore commands, in one explicit session on one
/// server: the batch is read where the driver received it, nothing is copied, and every field of
/// the replies (operationTime, postBatchResumeToken) can be seen. Never resumes by itself. Not
/// thread-safe.
class CommandCursor {
 public:
  /// Runs `command` (its reply must hold a cursor) with the URI's read preference.
  [[nodiscard]] static Result<std::unique_ptr<CommandCursor>> open(DriverClient& client,
                                                                   const std::string& database,
                                                                   bson::DocumentView command);
  /// Tells the server to forget the cursor, if the connection was sound.
  ~CommandCursor();
  CommandCursor(const CommandCursor&) = delete;
  CommandCursor& operator=(const CommandCursor&) = delete;

  /// The next document of the batch at hand, checked, or nothing at its end. The view is valid
  /// until fetch(). Errors: corrupt.
  [[nodiscard]] Result<std::optional<bson::DocumentView>> next_in_batch();
  /// Whether the server has more batches.
  [[nodiscard]] bool open_at_server() const { return id_ != 0; }
  /// Whether next_in_batch() has something left.
  [[nodiscard]] bool batch_left() const { return has_next_; }
  /// Replaces the batch by the next one. `max_time_ms` > 0: how long a tailable cursor waits;
  /// `batch_size` > 0: at most so many documents.
  [[nodiscard]] Status fetch(std::int64_t max_time_ms, std::int32_t batch_size);

  /// The largest operationTime of the replies so far; null where the server sends none.
  [[nodiscard]] ClusterTime operation_time() const { return operation_time_; }
  /// The newest $clusterTime of the replies; null where the server sends none.
  [[nodiscard]] ClusterTime cluster_time() const { return cluster_time_; }
  /// Of the batch at hand, a view until fetch().
  [[nodiscard]] std::optional<bson::DocumentView> post_batch_resume_token() const { return token_; }

 private:
  CommandCursor(DriverClient& client, std::string database);
  [[nodiscard]] Status start(bson::DocumentView command);
  [[nodiscard]] Status run(bson::DocumentView command);
  [[nodiscard]] Status parse_reply();
  [[nodiscard]] Status parse_cursor(const bson_iter_t& field);

  // The order matters: a session ends before its client goes back to the pool.
  Lease lease_;
  SessionPtr session_;
  std::string database_;
  std::string collection_;
  std::uint32_t server_id_ = 0;
  std::int64_t id_ = 0;
  bool sound_ = true;
  OwnedBson reply_;
  bson_iter_t batch_{};
  bool has_next_ = false;
  std::optional<bson::DocumentView> token_;
  ClusterTime operation_time_;
  ClusterTime cluster_time_;
};

}  // namespace holdfast::mongo
