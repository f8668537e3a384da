#include "mongo/change_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "bson/builder.h"
#include "mongo/command_cursor_internal.h"
#include "mongo/resume_token_internal.h"
#include "mongo/split_event_internal.h"

namespace holdfast::mongo {
namespace {

/// One getMore waits no longer than this at the server, well below the socket's timeout.
constexpr std::chrono::milliseconds longest_wait{30'000};
/// Events asked for at once: so few at first, then as many as make about so many bytes. Two of the
/// largest fit what a driver takes (48 MB). None would not do: a server was seen that closes a
/// stream with its first batch, whatever it holds, if an invalidate event is among what comes.
constexpr std::int32_t least_batch = 2;
constexpr std::int32_t most_batch = 20'000;
constexpr std::uint64_t wanted_batch_bytes = 4ULL * 1024 * 1024;
/// How often an idle stream of a server that does not tell is proved unbroken; its log reaches
/// back much further.
constexpr std::chrono::seconds idle_proof_interval{5};
/// MongoDB 6.0, the first with showExpandedEvents.
constexpr std::int32_t expanded_events_wire_version = 17;
/// A change stream that ends at once again and again is not resumed for ever.
constexpr int most_empty_reopens = 5;

Error lost(const Error& error) {
  return Error(ErrorCode::gap, error.message(),
               "The history between the last event and now is gone from the server's oplog: a "
               "new full backup starts a new log; a larger oplog keeps it longer.");
}

/// Errors that mean "this position is not to be had", whatever the server calls them while a
/// token was given.
bool position_is_lost(const Error& error, bool with_token) {
  if (error.code() == ErrorCode::gap) return true;
  if (!with_token) return false;
  switch (code_of(error)) {
    case 9:      // FailedToParse: the token is none of this server's
    case 50811:  // KeyString that ends early
    case 40647:  // the token has another form
    case 40649: return true;
    default: return false;
  }
}

class LiveStream final : public ChangeStream {
 public:
  LiveStream(DriverClient& client, ChangeStreamOptions options)
      : client_(client), options_(std::move(options)), token_(options_.resume_after) {}

  Status start(ClusterTime& opened_at) {
    Backoff backoff(options_.resume_deadline_ms);
    for (;;) {
      const Status opened = reopen();
      if (opened.ok()) break;
      if (opened.error().code() != ErrorCode::retry || !backoff.wait()) return opened;
    }
    // operationTime alone would be too early: mongod starts a stream behind the cluster time,
    // which may be ahead of the newest majority-committed operation; an operation in between
    // would be neither delivered nor demanded from reads.
    opened_at = std::max(cursor_->operation_time(), cursor_->cluster_time());
    return {};
  }

  Result<std::optional<RawEvent>> next(std::chrono::milliseconds wait) override {
    if (failed_) return *failed_;
    auto event = advance(wait);
    if (event.ok()) return event;
    const Error error = event.error().with_context("change stream");
    // Passing trouble may pass: the next call tries again from the same position.
    if (error.code() != ErrorCode::retry) failed_ = error;
    return error;
  }

  bson::Document resume_token() const override { return token_.value_or(bson::Document()); }
  ClusterTime reliable_time() const override { return reliable_time_; }

 private:
  Result<std::optional<RawEvent>> advance(std::chrono::milliseconds wait) {
    for (;;) {
      // The event handed out last may live in the batch: it is dropped only now.
      while (cursor_ && cursor_->batch_left()) {
        HOLDFAST_TRY(const auto event, cursor_->next_in_batch());
        HOLDFAST_TRY(const auto whole, take(*event));
        if (whole) return std::optional(RawEvent{*whole});
      }
      end_of_batch();
      HOLDFAST_CHECK(more(std::min(wait, longest_wait)));
      // One getMore a call: what it brings is handed out, an empty batch ends the call.
      if (!cursor_->batch_left()) {
        end_of_batch();
        if (wait <= longest_wait) return std::optional<RawEvent>();
        wait -= longest_wait;
      }
    }
  }

  /// Notes the position of an event; nothing while parts of a split one are still to come.
  Result<std::optional<bson::DocumentView>> take(bson::DocumentView event) {
    ++batch_events_;
    batch_bytes_ += event.bytes().size();
    const auto id = event.find_document("_id");
    if (!id) return Error(ErrorCode::corrupt, "the server sent a change event without _id");
    HOLDFAST_TRY(const auto whole, fragments_.add(event));
    // In the midst of a split event the position stays before its first part.
    if (whole) token_ = bson::Document(*id);
    empty_reopens_ = 0;
    return whole;
  }

  void end_of_batch() {
    if (!cursor_) return;
    const auto token = cursor_->post_batch_resume_token();
    if (!token || fragments_.incomplete()) return;
    token_ = bson::Document(*token);
    if (client_.genuine()) reliable_time_ = std::max(reliable_time_, time_settled_by(*token));
  }

  Status more(std::chrono::milliseconds wait) {
    Status fetched;
    if (cursor_ && cursor_->open_at_server()) {
      fetched = cursor_->fetch(std::max<std::int64_t>(wait.count(), 1), next_batch_size());
      // Whatever the trouble was, it may have been a reply too large for the driver.
      if (!fetched.ok()) batch_size_ = least_batch;
      if (fetched.ok()) fetched = prove_unbroken();
      if (fetched.ok()) return fetched;
    } else if (++empty_reopens_ > most_empty_reopens) {
      return Error(ErrorCode::retry, "the server ends the stream again and again");
    } else {
      // Ended by the server: an invalidate event (its database was dropped), or a shutdown.
      fetched = reopen();
    }
    Backoff backoff(options_.resume_deadline_ms);
    while (!fetched.ok()) {
      if (position_is_lost(fetched.error(), token_.has_value())) return lost(fetched.error());
      if (fetched.error().code() != ErrorCode::retry || !backoff.wait()) return fetched;
      fetched = reopen();
    }
    return {};
  }

  /// mongod ends a stream that its log has overtaken (CappedPositionLost). The test servers go on
  /// silently with the oldest entry they have left; but they refuse to resume from a position that
  /// is gone. So there: if one may still resume from where this was proved last, nothing since was
  /// missed. Before events are handed out it is always proved; while none come, now and then, since
  /// it makes such a server look through its log.
  Status prove_unbroken() {
    if (client_.genuine() || !token_) return {};
    const auto position = cursor_->post_batch_resume_token();
    const bool moved = position && !same_bytes(position->bytes(), token_->bytes());
    if (!cursor_->batch_left() && !moved) return {};
    const auto now = std::chrono::steady_clock::now();
    if (!cursor_->batch_left() && proved_ && now - proved_at_ < idle_proof_interval) return {};
    const bson::Document command = aggregate_command(proved_ ? proved_ : token_, 0);
    auto resumed = CommandCursor::open(client_, stream_database(), command.view());
    if (!resumed.ok()) return resumed.error();
    proved_ = token_;
    proved_at_ = now;
    return {};
  }

  [[nodiscard]] std::string stream_database() const {
    return options_.databases.size() == 1 ? options_.databases.front() : "admin";
  }

  /// From the average of the batch just read, so that a burst of large events stays within what the
  /// driver takes: servers were seen that put any number of them into one reply.
  std::int32_t next_batch_size() {
    const std::uint64_t events = std::exchange(batch_events_, 0);
    const std::uint64_t bytes = std::exchange(batch_bytes_, 0);
    if (bytes == 0) return batch_size_;
    const std::uint64_t count = wanted_batch_bytes * events / bytes;
    // Growing step by step: what comes next may be larger than what came.
    const std::uint64_t most = std::uint64_t{4} * static_cast<std::uint64_t>(batch_size_);
    batch_size_ = static_cast<std::int32_t>(
        std::clamp<std::uint64_t>(count, least_batch, std::min<std::uint64_t>(most, most_batch)));
    return batch_size_;
  }

  Status reopen() {
    cursor_.reset();
    fragments_.reset();
    const bson::Document command = aggregate_command(token_, next_batch_size());
    proved_ = token_;
    proved_at_ = std::chrono::steady_clock::now();
    auto opened = CommandCursor::open(client_, stream_database(), command.view());
    if (!opened.ok()) {
      if (position_is_lost(opened.error(), token_.has_value())) return lost(opened.error());
      return opened.error();
    }
    if (!(*opened)->post_batch_resume_token()) {
      return Error(ErrorCode::unsupported,
                   "the server sends no postBatchResumeToken (MongoDB 4.2 and later do)");
    }
    cursor_ = std::move(opened).value();
    if (!token_ && !cursor_->batch_left()) end_of_batch();
    return {};
  }

  void append_database_filter(bson::Builder& command, std::string_view position,
                              std::string_view field) const {
    command.begin_document(position).begin_document(field).begin_array("$in");
    for (std::size_t at = 0; at < options_.databases.size(); ++at) {
      command.append_string(bson::array_index_name(at), options_.databases[at]);
    }
    command.end().end().end();
  }

  [[nodiscard]] bson::Document aggregate_command(const std::optional<bson::Document>& token,
                                                 std::int32_t batch_size) const {
    bson::Builder command;
    command.append_int32("aggregate", 1).begin_array("pipeline");
    command.begin_document("0").begin_document("$changeStream");
    if (options_.databases.size() != 1) command.append_bool("allChangesForCluster", true);
    if (client_.server().wire_version >= expanded_events_wire_version) {
      command.append_bool("showExpandedEvents", true);
    }
    // startAfter takes every token that resumeAfter takes, and invalidate's too (since 4.2).
    if (token) command.append_document("startAfter", token->view());
    command.end().end();
    int stage = 1;
    if (options_.databases.size() > 1) {
      command.begin_document(bson::array_index_name(static_cast<std::size_t>(stage++)));
      command.begin_document("$match").begin_array("$or");
      append_database_filter(command, "0", "ns.db");
      append_database_filter(command, "1", "to.db");  // renamed into one of them
      command.end().end().end();
    }
    // Events above 16 MB come in parts (7.0, and 6.0 since 6.0.9); it must be the last stage.
    if (client_.at_least(7, 0) || (client_.at_least(6, 0, 9) && !client_.at_least(6, 1))) {
      command.begin_document(bson::array_index_name(static_cast<std::size_t>(stage)));
      command.begin_document("$changeStreamSplitLargeEvent").end().end();
    }
    command.end();
    command.begin_document("cursor").append_int32("batchSize", batch_size).end();
    return std::move(command).finish();
  }

  DriverClient& client_;
  ChangeStreamOptions options_;
  std::optional<bson::Document> token_;
  ClusterTime reliable_time_;
  std::unique_ptr<CommandCursor> cursor_;
  FragmentJoiner fragments_;
  int empty_reopens_ = 0;
  std::int32_t batch_size_ = least_batch;
  std::uint64_t batch_events_ = 0;
  std::uint64_t batch_bytes_ = 0;
  std::optional<bson::Document> proved_;  ///< Everything up to here is known to have been seen.
  std::chrono::steady_clock::time_point proved_at_;
  std::optional<Error> failed_;
};

}  // namespace

Result<std::unique_ptr<ChangeStream>> open_change_stream(Client& client,
                                                         const ChangeStreamOptions& options,
                                                         ClusterTime& opened_at) {
  if (!client.server().has_log()) {
    return Error(ErrorCode::precondition, "this server is a standalone: it keeps no log of changes",
                 "A replica set of one member has one (rs.initiate()); without it, backups "
                 "compare instead.");
  }
  auto stream = std::make_unique<LiveStream>(driver_of(client), options);
  if (const Status started = stream->start(opened_at); !started.ok()) {
    return started.error().with_context("cannot open a change stream");
  }
  return std::unique_ptr<ChangeStream>(std::move(stream));
}

}  // namespace holdfast::mongo
