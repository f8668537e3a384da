#include <algorithm>

#include "bson/builder.h"
#include "mongo/command_cursor_internal.h"

namespace holdfast::mongo {
namespace {

Error malformed(std::string_view what) {
  return Error(ErrorCode::corrupt,
               "the server's reply to a cursor command has no " + std::string(what));
}

ClusterTime timestamp_of(const bson_iter_t& field) {
  ClusterTime time;
  bson_iter_timestamp(&field, &time.seconds, &time.increment);
  return time;
}

bson::DocumentView document_of(const bson_iter_t& field) {
  std::uint32_t size = 0;
  const std::uint8_t* data = nullptr;
  if (BSON_ITER_HOLDS_ARRAY(&field)) {
    bson_iter_array(&field, &size, &data);
  } else {
    bson_iter_document(&field, &size, &data);
  }
  return bson::DocumentView(ByteView(data, size));
}

}  // namespace

CommandCursor::CommandCursor(DriverClient& client, std::string database)
    : lease_(client.acquire()), database_(std::move(database)) {}

Result<std::unique_ptr<CommandCursor>> CommandCursor::open(DriverClient& client,
                                                           const std::string& database,
                                                           bson::DocumentView command) {
  std::unique_ptr<CommandCursor> cursor(new CommandCursor(client, database));
  HOLDFAST_CHECK(cursor->start(command));
  return cursor;
}

Status CommandCursor::start(bson::DocumentView command) {
  bson_error_t error{};
  mongoc_client_t* client = lease_.get();
  const mongoc_read_prefs_t* preference = mongoc_client_get_read_prefs(client);
  mongoc_server_description_t* server =
      mongoc_client_select_server(client, false, preference, &error);
  if (server == nullptr) return error_from(error);
  server_id_ = mongoc_server_description_id(server);
  mongoc_server_description_destroy(server);

  // afterClusterTime is written into the commands by us: no causal consistency of the driver's.
  mongoc_session_opt_t* options = mongoc_session_opts_new();
  mongoc_session_opts_set_causal_consistency(options, false);
  session_.reset(mongoc_client_start_session(client, options, &error));
  mongoc_session_opts_destroy(options);
  // Servers without sessions (old, or imitations) do without.
  return run(command);
}

Status CommandCursor::run(bson::DocumentView command) {
  bson_error_t error{};
  OwnedBson options;
  if (session_ && !mongoc_client_session_append(session_.get(), options.get(), &error)) {
    return error_from(error);
  }
  BSON_APPEND_INT32(options.get(), "serverId", static_cast<std::int32_t>(server_id_));
  const BorrowedBson borrowed(command);
  has_next_ = false;
  token_.reset();
  if (!mongoc_client_command_with_opts(lease_.get(), database_.c_str(), borrowed.get(),
                                       mongoc_client_get_read_prefs(lease_.get()), options.get(),
                                       reply_.out(), &error)) {
    sound_ = false;
    return error_from(error);
  }
  return parse_reply();
}

Status CommandCursor::parse_reply() {
  // libbson's iterators check bounds as they go; documents are validated one by one when they are
  // handed out, so that a reply is walked once.
  bson_iter_t field;
  bool found = false;
  if (!bson_iter_init(&field, reply_.get())) return malformed("sane length");
  while (bson_iter_next(&field)) {
    const std::string_view name = bson_iter_key(&field);
    if (name == "cursor" && BSON_ITER_HOLDS_DOCUMENT(&field)) {
      HOLDFAST_CHECK(parse_cursor(field));
      found = true;
    } else if (name == "operationTime" && BSON_ITER_HOLDS_TIMESTAMP(&field)) {
      operation_time_ = std::max(operation_time_, timestamp_of(field));
    } else if (name == "$clusterTime" && BSON_ITER_HOLDS_DOCUMENT(&field)) {
      bson_iter_t inner;
      if (bson_iter_recurse(&field, &inner) && bson_iter_find(&inner, "clusterTime") &&
          BSON_ITER_HOLDS_TIMESTAMP(&inner)) {
        cluster_time_ = std::max(cluster_time_, timestamp_of(inner));
      }
    }
  }
  return found ? Status() : malformed("cursor");
}

Status CommandCursor::parse_cursor(const bson_iter_t& field) {
  bson_iter_t inner;
  if (!bson_iter_recurse(&field, &inner)) return malformed("cursor");
  bool has_batch = false;
  while (bson_iter_next(&inner)) {
    const std::string_view name = bson_iter_key(&inner);
    if (name == "id" && BSON_ITER_HOLDS_INT(&inner)) {
      id_ = bson_iter_as_int64(&inner);
    } else if (name == "ns" && BSON_ITER_HOLDS_UTF8(&inner)) {
      const std::string_view text = bson_iter_utf8(&inner, nullptr);
      if (const auto dot = text.find('.'); dot != std::string_view::npos) {
        collection_ = std::string(text.substr(dot + 1));
      }
    } else if (name == "postBatchResumeToken" && BSON_ITER_HOLDS_DOCUMENT(&inner)) {
      const bson::DocumentView token = document_of(inner);
      HOLDFAST_CHECK(bson::validate_document(token.bytes()));
      token_ = token;
    } else if ((name == "firstBatch" || name == "nextBatch") && BSON_ITER_HOLDS_ARRAY(&inner)) {
      if (!bson_iter_recurse(&inner, &batch_)) return malformed("batch");
      has_batch = true;
    }
  }
  if (!has_batch) return malformed("batch");
  has_next_ = bson_iter_next(&batch_);
  return {};
}

Result<std::optional<bson::DocumentView>> CommandCursor::next_in_batch() {
  if (!has_next_) return std::optional<bson::DocumentView>();
  if (!BSON_ITER_HOLDS_DOCUMENT(&batch_)) return malformed("document in its batch");
  const bson::DocumentView document = document_of(batch_);
  HOLDFAST_CHECK(bson::validate_document(document.bytes()));
  has_next_ = bson_iter_next(&batch_);
  return std::optional(document);
}

Status CommandCursor::fetch(std::int64_t max_time_ms, std::int32_t batch_size) {
  bson::Builder command;
  command.append_int64("getMore", id_).append_string("collection", collection_);
  if (batch_size > 0) command.append_int32("batchSize", batch_size);
  if (max_time_ms > 0) command.append_int64("maxTimeMS", max_time_ms);
  const bson::Document document = std::move(command).finish();
  return run(document.view());
}

CommandCursor::~CommandCursor() {
  if (id_ == 0 || !sound_) return;
  bson::Builder command;
  command.append_string("killCursors", collection_);
  command.begin_array("cursors").append_int64("0", id_).end();
  const bson::Document document = std::move(command).finish();
  const BorrowedBson borrowed(document.view());
  OwnedBson options;
  bson_error_t error{};
  if (session_) {
    (void)mongoc_client_session_append(session_.get(), options.get(), &error);
  }
  BSON_APPEND_INT32(options.get(), "serverId", static_cast<std::int32_t>(server_id_));
  mongoc_client_command_with_opts(lease_.get(), database_.c_str(), borrowed.get(), nullptr,
                                  options.get(), nullptr, &error);
}

}  // namespace holdfast::mongo
