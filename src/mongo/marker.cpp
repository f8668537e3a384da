#include "bson/builder.h"
#include "mongo/change_stream.h"
#include "mongo/mongoc_internal.h"
#include "mongo/write_reply_internal.h"

namespace holdfast::mongo {
namespace {

/// Elections pass within it; a marker that cannot be written is no reason to wait for ever.
constexpr std::uint32_t marker_deadline_ms = 30'000;

bson::Value fresh_object_id() {
  bson_oid_t id;
  bson_oid_init(&id, nullptr);
  return {bson::Type::object_id, Bytes(std::begin(id.bytes), std::end(id.bytes))};
}

Status run_write(Client& client, const std::string& database, bson::DocumentView command) {
  HOLDFAST_TRY(const bson::Document reply,
               client.run_retrying(database, command, marker_deadline_ms, {}));
  return first_failure(reply.view());
}

void append_majority(bson::Builder& command) {
  command.begin_document("writeConcern").append_string("w", "majority").end();
}

}  // namespace

Result<bson::Value> write_marker(Client& client, const std::string& database) {
  bson::Value id = fresh_object_id();
  bson::Builder command;
  command.append_string("update", marker_collection);
  command.begin_array("updates").begin_document("0");
  command.begin_document("q").append("_id", id.view()).end();
  command.begin_document("u").append("_id", id.view()).end();
  command.append_bool("upsert", true).end().end();
  append_majority(command);
  const bson::Document document = std::move(command).finish();
  if (const Status written = run_write(client, database, document.view()); !written.ok()) {
    return written.error().with_context("cannot write a marker into " + database + "." +
                                        std::string(marker_collection));
  }
  return id;
}

Status remove_marker(Client& client, const std::string& database, bson::ValueView marker_id) {
  bson::Builder command;
  command.append_string("delete", marker_collection);
  command.begin_array("deletes").begin_document("0");
  command.begin_document("q").append("_id", marker_id).end();
  command.append_int32("limit", 1).end().end();
  const bson::Document document = std::move(command).finish();
  if (const Status removed = run_write(client, database, document.view()); !removed.ok()) {
    return removed.error().with_context("cannot remove a marker from " + database + "." +
                                        std::string(marker_collection));
  }
  return {};
}

bool is_marker_event(bson::DocumentView event) {
  const auto ns = event.find_document("ns");
  return ns && ns->find_string("coll").value_or("") == marker_collection;
}

}  // namespace holdfast::mongo
