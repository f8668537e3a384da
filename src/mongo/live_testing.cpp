#include "mongo/live_testing.h"

#include <stdexcept>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "mongo/write_reply_internal.h"

namespace holdfast::mongo {
namespace {

template <typename T>
T or_throw(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message());
  return std::move(result).value();
}

}  // namespace

bson::Document from_text(const std::string& json) { return or_throw(bson::from_json(json)); }

std::string to_text(bson::DocumentView document) {
  return bson::to_json(document, bson::JsonMode::relaxed);
}

std::unique_ptr<Client> connect_to(const std::string& uri) {
  return or_throw(Client::connect(uri));
}

bson::Document run_text(Client& client, const std::string& database, const std::string& json) {
  bson::Document reply = or_throw(client.run(database, from_text(json).view()));
  if (const Status written = first_failure(reply.view()); !written.ok()) {
    throw std::runtime_error(written.error().message());
  }
  return reply;
}

void fill_with_numbers(Client& client, const Namespace& ns, int count, std::size_t bytes) {
  const std::string pad(bytes, 'p');
  constexpr int batch = 2000;
  for (int from = 0; from < count; from += batch) {
    bson::Builder command;
    command.append_string("insert", ns.collection).begin_array("documents");
    for (int number = from; number < std::min(count, from + batch); ++number) {
      command.begin_document(bson::array_index_name(static_cast<std::size_t>(number - from)));
      // Every number once (7919 is a prime), but not in their order: order is the index's work.
      const auto id = static_cast<std::int32_t>(number * std::int64_t{7919} % count);
      command.append_int32("_id", id).append_string("pad", pad).end();
    }
    command.end();
    const bson::Document document = std::move(command).finish();
    const bson::Document reply = or_throw(client.run(ns.database, document.view()));
    if (!first_failure(reply.view()).ok()) throw std::runtime_error("insert was refused");
  }
}

ClusterTime newest_time(Client& client) {
  const bson::Document reply = run_text(client, "admin", R"({"ping": 1})");
  const auto time = reply.view().find("operationTime");
  return time ? ClusterTime::from_packed(time->as_timestamp()) : ClusterTime();
}

Result<std::vector<bson::Document>> read_all(DocumentCursor& cursor) {
  std::vector<bson::Document> documents;
  for (;;) {
    HOLDFAST_TRY(const auto next, cursor.next());
    if (!next) return documents;
    documents.emplace_back(*next);
  }
}

}  // namespace holdfast::mongo
