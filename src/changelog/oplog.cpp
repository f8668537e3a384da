#include "changelog/oplog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bson/oplog_update.h"

namespace holdfast::changelog {

/// One entry, or one operation inside applyOps: its fields, as far as they matter.
struct OplogReader::Entry {
  std::string_view operation;
  std::string_view database;
  std::string_view collection;
  std::optional<Uuid> uuid;
  ClusterTime time;
  bson::DocumentView object;
  std::optional<bson::DocumentView> object2;
  std::optional<TransactionId> transaction;
  bool vectored = false;         ///< multiOpType 1: applied at once, as no transaction is.
  bool has_predecessor = false;  ///< prevOpTime names an entry of the same transaction.

  [[nodiscard]] std::string ns() const { return fmt::format("{}.{}", database, collection); }
};

namespace {

Error malformed(std::string_view what, ClusterTime time) {
  return {ErrorCode::corrupt, fmt::format("the oplog's entry at {} {}", time.text(), what)};
}

std::optional<Uuid> uuid_of(std::optional<bson::ValueView> value) {
  Uuid uuid{};
  if (!value || value->type() != bson::Type::binary) return std::nullopt;
  const ByteView bytes = value->binary_data();
  if (bytes.size() != uuid.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), uuid.begin());
  return uuid;
}

std::optional<TransactionId> transaction_of(bson::DocumentView entry) {
  const auto session = entry.find_document("lsid");
  const auto number = entry.find_integral("txnNumber");
  if (!session || !number) return std::nullopt;
  const auto id = uuid_of(session->find("id"));
  if (!id) return std::nullopt;
  return TransactionId{*id, *number};
}

/// {ts: Timestamp(0, 0), t: -1} says that there is none.
bool names_an_entry(std::optional<bson::DocumentView> optime) {
  if (!optime) return false;
  const auto time = optime->find("ts");
  return time && time->type() == bson::Type::timestamp && time->as_timestamp() != 0;
}

/// Commands that say nothing of the data, or whose end comes as another entry.
bool is_passed_over(std::string_view command) {
  constexpr std::array<std::string_view, 4> names = {"startIndexBuild", "abortIndexBuild",
                                                     "setMultikeyMetadata", "dropIdent"};
  return std::find(names.begin(), names.end(), command) != names.end();
}

/// The server's own bookkeeping, which no dump restores from its oplog.
bool belongs_to_the_server(std::string_view database, std::string_view collection) {
  if (database == "config" || database == "local" || database == "admin") return true;
  return collection == "system.profile";
}

std::optional<EventKind> kind_of_command(std::string_view command) {
  if (command == "create") return EventKind::create;
  if (command == "drop") return EventKind::drop;
  if (command == "renameCollection") return EventKind::rename;
  if (command == "dropDatabase") return EventKind::drop_database;
  constexpr std::array<std::string_view, 5> modifying = {"createIndexes", "commitIndexBuild",
                                                         "dropIndexes", "deleteIndexes", "collMod"};
  if (std::find(modifying.begin(), modifying.end(), command) != modifying.end()) {
    return EventKind::modify;
  }
  return std::nullopt;
}

std::pair<std::string_view, std::string_view> split_name(std::string_view ns) {
  const auto dot = ns.find('.');
  if (dot == std::string_view::npos) return {ns, {}};
  return {ns.substr(0, dot), ns.substr(dot + 1)};
}

}  // namespace

Status OplogReader::take(bson::DocumentView entry, const Visit& visit) {
  const auto time = entry.find("ts");
  if (!time || time->type() != bson::Type::timestamp) {
    return malformed("has no time", last_time_);
  }
  const auto now = ClusterTime::from_packed(time->as_timestamp());
  if (now < last_time_) return malformed("comes after a later one", now);
  last_time_ = now;
  // The hidden pre- and post-images that retryable writes leave are no changes.
  if (entry.find("needsRetryImage") && entry.find_string("op") == "n") return {};
  return take_operation(entry, now, 0, visit);
}

Status OplogReader::take_operation(bson::DocumentView operation, ClusterTime visible, int depth,
                                   const Visit& visit) {
  Entry entry;
  entry.time = visible;
  const auto op = operation.find_string("op");
  if (!op) return malformed("has no operation", visible);
  entry.operation = *op;
  constexpr std::array<std::string_view, 5> nothing = {"n", "km", "ci", "cu", "cd"};
  if (std::find(nothing.begin(), nothing.end(), *op) != nothing.end()) return {};
  const auto object = operation.find_document("o");
  if (!object) return malformed("has no document", visible);
  entry.object = *object;
  entry.object2 = operation.find_document("o2");
  std::tie(entry.database, entry.collection) = split_name(operation.find_string("ns").value_or(""));
  entry.uuid = uuid_of(operation.find("ui"));
  entry.transaction = transaction_of(operation);
  entry.vectored = operation.find_integral("multiOpType") == 1;
  entry.has_predecessor = names_an_entry(operation.find_document("prevOpTime"));
  if (entry.operation == "c") return take_command(entry, depth, visit);
  if (belongs_to_the_server(entry.database, entry.collection)) return {};
  OplogChange change;
  Event& event = change.event;
  event.database = entry.database;
  event.collection = entry.collection;
  event.uuid = entry.uuid;
  event.time = visible;
  event.raw = operation;
  event.body = entry.object;
  bson::DocumentView keyed = entry.object;
  if (entry.operation == "i") {
    event.kind = EventKind::insert;
  } else if (entry.operation == "d") {
    event.kind = EventKind::remove;
    event.body.reset();
  } else if (entry.operation == "u") {
    event.kind = bson::is_oplog_update(entry.object) ? EventKind::update : EventKind::replace;
    if (!entry.object2) return malformed("updates nothing that it names", visible);
    keyed = *entry.object2;
  } else {
    return Error(ErrorCode::unsupported, fmt::format("the oplog's operation '{}' on {} at {}",
                                                     entry.operation, entry.ns(), visible.text()));
  }
  event.key = keyed.find("_id");
  if (!event.key) return malformed("names no _id", visible);
  return visit(change);
}

Status OplogReader::take_command(const Entry& entry, int depth, const Visit& visit) {
  if (entry.object.empty()) return malformed("holds an empty command", entry.time);
  const bson::Element first = *entry.object.begin();
  const std::string_view name = first.name;
  if (name == "applyOps") return take_apply_ops(entry, depth, visit);
  if (name == "commitTransaction") {
    const auto commit = entry.object.find("commitTimestamp");
    if (!commit || commit->type() != bson::Type::timestamp) {
      return malformed("commits without a time", entry.time);
    }
    return end_transaction(entry, ClusterTime::from_packed(commit->as_timestamp()), visit);
  }
  if (name == "abortTransaction") {
    if (!entry.transaction) return malformed("aborts no transaction", entry.time);
    const auto waiting = waiting_.find(*entry.transaction);
    if (waiting == waiting_.end()) return {};
    waiting_bytes_ -= waiting->second.bytes;
    waiting_.erase(waiting);
    return {};
  }
  if (is_passed_over(name)) return {};
  const auto kind = kind_of_command(name);
  if (belongs_to_the_server(entry.database, "")) return {};
  if (!kind) {
    return Error(ErrorCode::unsupported, fmt::format("the oplog's command {} on {} at {}", name,
                                                     entry.ns(), entry.time.text()));
  }
  OplogChange change;
  Event& event = change.event;
  change.command = entry.object;
  event.kind = *kind;
  event.database = entry.database;
  event.uuid = entry.uuid;
  event.time = entry.time;
  if (*kind == EventKind::drop_database) return visit(change);
  if (first.value.type() != bson::Type::string) {
    return malformed("names no collection", entry.time);
  }
  event.collection = first.value.as_string();
  if (*kind == EventKind::rename) {
    const auto to = entry.object.find_string("to");
    if (!to) return malformed("renames to nothing", entry.time);
    std::tie(event.database, event.collection) = split_name(event.collection);
    std::tie(event.to_database, event.to_collection) = split_name(*to);
    event.replaced_uuid = uuid_of(entry.object.find("dropTarget"));
  }
  return visit(change);
}

Status OplogReader::take_apply_ops(const Entry& entry, int depth, const Visit& visit) {
  const auto operations = entry.object.find("applyOps");
  if (operations->type() != bson::Type::array) return malformed("applies no list", entry.time);
  if (depth > max_apply_ops_depth) return malformed("is nested too deeply", entry.time);
  const bool in_transaction = entry.transaction && !entry.vectored && depth == 0;
  if (!in_transaction) return unroll(operations->as_document(), entry.time, depth + 1, visit);
  return take_transaction(entry, operations->as_document(), visit);
}

Status OplogReader::take_transaction(const Entry& entry, bson::DocumentView operations,
                                     const Visit& visit) {
  const bool known = waiting_.contains(*entry.transaction);
  if (!known && entry.has_predecessor) {
    return malformed("goes on with a transaction that began before this oplog does", entry.time);
  }
  if (known && !entry.has_predecessor) {
    // The same number again from its start: the first attempt never ended.
    waiting_bytes_ -= waiting_[*entry.transaction].bytes;
    waiting_.erase(*entry.transaction);
  }
  const bool partial = entry.object.find_truthy("partialTxn");
  const bool prepare = entry.object.find_truthy("prepare");
  HOLDFAST_CHECK(keep(entry, operations));
  if (prepare) waiting_[*entry.transaction].prepared = true;
  if (partial || prepare) return {};
  return end_transaction(entry, entry.time, visit);
}

Status OplogReader::keep(const Entry& entry, bson::DocumentView operations) {
  Waiting& waiting = waiting_[*entry.transaction];
  waiting_bytes_ += operations.bytes().size();
  waiting.bytes += operations.bytes().size();
  if (waiting_bytes_ > max_waiting_oplog_bytes) {
    return Error(ErrorCode::unsupported, "the oplog's open transactions are larger than " +
                                             std::to_string(max_waiting_oplog_bytes) + " bytes");
  }
  waiting.operations.emplace_back(operations);
  return {};
}

Status OplogReader::end_transaction(const Entry& entry, ClusterTime visible, const Visit& visit) {
  if (!entry.transaction) return malformed("commits no transaction", entry.time);
  const auto waiting = waiting_.find(*entry.transaction);
  if (waiting == waiting_.end()) {
    return malformed("commits a transaction that began before this oplog does", entry.time);
  }
  const Waiting ended = std::move(waiting->second);
  waiting_bytes_ -= ended.bytes;
  waiting_.erase(waiting);
  for (const bson::Document& operations : ended.operations) {
    HOLDFAST_CHECK(unroll(operations.view(), visible, 1, visit));
  }
  return {};
}

Status OplogReader::unroll(bson::DocumentView operations, ClusterTime visible, int depth,
                           const Visit& visit) {
  for (const bson::Element& element : operations) {
    if (element.value.type() != bson::Type::document) {
      return malformed("applies something that is no operation", visible);
    }
    HOLDFAST_CHECK(take_operation(element.value.as_document(), visible, depth, visit));
  }
  return {};
}

}  // namespace holdfast::changelog
