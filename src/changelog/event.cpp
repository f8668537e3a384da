#include "changelog/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bson/extended_json.h"

namespace holdfast::changelog {

namespace {

struct Operation {
  std::string_view name;
  EventKind kind;
};

constexpr std::array operations{
    Operation{"insert", EventKind::insert},
    Operation{"update", EventKind::update},
    Operation{"replace", EventKind::replace},
    Operation{"delete", EventKind::remove},
    Operation{"create", EventKind::create},
    Operation{"drop", EventKind::drop},
    Operation{"rename", EventKind::rename},
    Operation{"dropDatabase", EventKind::drop_database},
    Operation{"modify", EventKind::modify},
    Operation{"createIndexes", EventKind::modify},
    Operation{"dropIndexes", EventKind::modify},
    Operation{"startIndexBuild", EventKind::other},
    Operation{"abortIndexBuild", EventKind::other},
    Operation{"commitIndexBuild", EventKind::modify},
    Operation{"invalidate", EventKind::other},
    Operation{"shardCollection", EventKind::other},
    Operation{"refineCollectionShardKey", EventKind::other},
    Operation{"reshardCollection", EventKind::other},
};

std::optional<Uuid> read_uuid(std::optional<bson::ValueView> value) {
  if (!value || value->type() != bson::Type::binary) return std::nullopt;
  const ByteView data = value->binary_data();
  Uuid uuid{};
  if (data.size() != uuid.size()) return std::nullopt;
  std::copy(data.begin(), data.end(), uuid.begin());
  return uuid;
}

Error malformed(std::string_view what, bson::DocumentView raw) {
  std::string shown = bson::to_json(raw, bson::JsonMode::relaxed);
  if (shown.size() > 300) shown = shown.substr(0, 300) + "…";
  return Error(ErrorCode::corrupt, fmt::format("change event without a usable {}: {}", what, shown),
               "the server sent something that Holdfast does not understand; please report it "
               "with the server's version");
}

std::optional<TransactionId> read_transaction(bson::DocumentView raw) {
  const auto number = raw.find_integral("txnNumber");
  const auto session = raw.find_document("lsid");
  if (!number || !session) return std::nullopt;
  const auto id = read_uuid(session->find("id"));
  if (!id) return std::nullopt;
  return TransactionId{*id, *number};
}

Status read_names(bson::DocumentView raw, Event& event) {
  const auto ns = raw.find_document("ns");
  if (!ns) return malformed("ns", raw);
  event.database = ns->find_string("db").value_or("");
  event.collection = ns->find_string("coll").value_or("");
  if (event.database.empty()) return malformed("ns.db", raw);
  if (event.kind != EventKind::drop_database && event.collection.empty()) {
    return malformed("ns.coll", raw);
  }
  if (event.kind != EventKind::rename) return {};
  const auto to = raw.find_document("to");
  if (!to) return malformed("to", raw);
  event.to_database = to->find_string("db").value_or("");
  event.to_collection = to->find_string("coll").value_or("");
  if (event.to_database.empty() || event.to_collection.empty()) return malformed("to", raw);
  if (const auto description = raw.find_document("operationDescription")) {
    event.replaced_uuid = read_uuid(description->find("dropTarget"));
  }
  return {};
}

Status read_body(bson::DocumentView raw, Event& event) {
  const auto document_key = raw.find_document("documentKey");
  if (!document_key) return malformed("documentKey", raw);
  event.key = document_key->find("_id");
  if (!event.key) return malformed("documentKey._id", raw);
  if (event.kind == EventKind::remove) return {};
  const bool update = event.kind == EventKind::update;
  const std::string_view field = update ? "updateDescription" : "fullDocument";
  event.body = raw.find_document(field);
  if (!event.body) return malformed(field, raw);
  return {};
}

}  // namespace

Result<Event> parse_event(bson::DocumentView raw) {
  const auto name = raw.find_string("operationType");
  if (!name) return malformed("operationType", raw);
  const auto* const operation = std::find_if(operations.begin(), operations.end(),
                                             [&](const Operation& o) { return o.name == *name; });
  if (operation == operations.end()) {
    return Error(ErrorCode::unsupported,
                 fmt::format("change event of an unknown kind, '{}'", *name),
                 "this server is newer than this Holdfast; a newer Holdfast may know it");
  }
  Event event;
  event.raw = raw;
  event.kind = operation->kind;
  if (const auto time = raw.find("clusterTime"); time && time->type() == bson::Type::timestamp) {
    event.time = ClusterTime::from_packed(time->as_timestamp());
  } else if (event.kind != EventKind::other) {
    return malformed("clusterTime", raw);
  }
  if (event.kind == EventKind::other) return event;
  event.uuid = read_uuid(raw.find("collectionUUID"));
  event.transaction = read_transaction(raw);
  HOLDFAST_CHECK(read_names(raw, event));
  if (event.is_document_change()) HOLDFAST_CHECK(read_body(raw, event));
  return event;
}

}  // namespace holdfast::changelog
