#include "mongo/oplog_window.h"

#include "bson/builder.h"

namespace holdfast::mongo {
namespace {

constexpr std::uint32_t deadline_ms = 10'000;

Result<OplogWindow> read_window(Client& client) {
  bson::Builder command;
  command.append_string("find", "oplog.rs");
  command.begin_document("sort").append_int32("$natural", 1).end();
  command.append_int32("limit", 1).append_bool("singleBatch", true);
  const bson::Document document = std::move(command).finish();
  HOLDFAST_TRY(const bson::Document reply,
               client.run_retrying("local", document.view(), deadline_ms, {}));
  const auto cursor = reply.view().find_document("cursor");
  const auto batch = cursor ? cursor->find("firstBatch") : std::nullopt;
  if (batch && batch->type() == bson::Type::array) {
    for (const bson::Element& element : batch->as_document()) {
      if (element.value.type() != bson::Type::document) break;
      const auto time = element.value.as_document().find("ts");
      if (time && time->type() == bson::Type::timestamp) {
        OplogWindow window;
        window.oldest = ClusterTime::from_packed(time->as_timestamp());
        // Not its last entry: servers were seen that do not read backwards.
        const auto newest = reply.view().find("operationTime");
        if (!newest || newest->type() != bson::Type::timestamp) break;
        window.newest = ClusterTime::from_packed(newest->as_timestamp());
        return window;
      }
    }
  }
  return Error(ErrorCode::not_found, "the server's log cannot be seen: local.oplog.rs is empty");
}

/// Its size and the size that it may have, where the server tells them (collStats).
double read_fill(Client& client) {
  bson::Builder command;
  command.append_string("collStats", "oplog.rs");
  const bson::Document document = std::move(command).finish();
  const auto reply = client.run_retrying("local", document.view(), deadline_ms, {});
  if (!reply.ok()) return 1;
  const auto size = reply->view().find_integral("size");
  const auto most = reply->view().find_integral("maxSize");
  if (!size || !most || *size <= 0 || *size >= *most) return 1;
  return static_cast<double>(*size) / static_cast<double>(*most);
}

}  // namespace

Result<OplogWindow> read_oplog_window(Client& client) {
  HOLDFAST_TRY(OplogWindow window, read_window(client));
  window.fill = read_fill(client);
  return window;
}

}  // namespace holdfast::mongo
