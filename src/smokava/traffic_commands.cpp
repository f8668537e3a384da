#include "smokava/traffic_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "bson/builder.h"

namespace holdfast::smokava {
namespace {

bool has_write_errors(bson::DocumentView reply) {
  const auto errors = reply.find_document("writeErrors");
  return errors && !errors->empty();
}

/// The server looked at the write and said no: anything else may or may not have happened.
bool is_refusal(const Error& error) {
  return mongo::code_of(error) != 0 && error.code() != ErrorCode::retry &&
         error.code() != ErrorCode::denied;
}

std::optional<bson::Document> first_of_batch(bson::DocumentView reply) {
  const auto cursor = reply.find_document("cursor");
  const auto batch = cursor ? cursor->find_document("firstBatch") : std::nullopt;
  if (!batch || batch->empty()) return std::nullopt;
  return bson::Document((*batch->begin()).value.as_document());
}

}  // namespace

TrafficEntry TrafficCommands::new_entry(std::string_view operation,
                                        std::string_view collection) const {
  TrafficEntry entry;
  entry.thread = thread_;
  entry.ns = fmt::format("{}.{}", database_, collection);
  entry.operation = operation;
  return entry;
}

void TrafficCommands::remember_time(bson::DocumentView reply) {
  const auto time = reply.find("operationTime");
  if (!time || time->type() != bson::Type::timestamp) return;
  newest_ = std::max(newest_, ClusterTime::from_packed(time->as_timestamp()));
}

Result<TrafficCommands::Reply> TrafficCommands::run(const TrafficEntry& attempt,
                                                    bson::DocumentView command) {
  Reply outcome;
  outcome.since = newest_;
  // renameCollection is a command of the admin database.
  const bool renames = command.find("renameCollection").has_value();
  auto reply = client_.run(renames ? "admin" : database_, command);
  if (!reply.ok()) {
    if (is_refusal(reply.error())) return outcome;
    auto entry = attempt;
    entry.since = outcome.since;
    entry.unknown = true;
    HOLDFAST_CHECK(record_.append(entry));
    return reply.error().with_context(fmt::format("{} in {}", attempt.operation, attempt.ns));
  }
  remember_time(reply->view());
  outcome.time = newest_;
  if (!has_write_errors(reply->view())) outcome.document = std::move(reply).value();
  return outcome;
}

Result<WriteOutcome> TrafficCommands::find_and_modify(const Write& write,
                                                      bson::DocumentView command) {
  auto entry = new_entry(write.operation, write.collection);
  entry.id = write.id;
  HOLDFAST_TRY(const auto reply, run(entry, command));
  if (!reply.document) return WriteOutcome{WriteOutcome::Kind::refused, {}};
  const auto value = reply.document->view().find_document("value");
  if (!value) return WriteOutcome{WriteOutcome::Kind::nothing, {}};
  WriteOutcome outcome;
  // A removal's reply holds the document that was.
  if (!write.removes) outcome.after = bson::Document(*value);
  if (outcome.after) entry.after = outcome.after->view();
  entry.since = reply.since;
  entry.time = reply.time;
  HOLDFAST_CHECK(record_.append(entry));
  return outcome;
}

Result<WriteOutcome> TrafficCommands::write_and_read_back(const Write& write,
                                                          bson::DocumentView command) {
  auto entry = new_entry(write.operation, write.collection);
  entry.id = write.id;
  HOLDFAST_TRY(const auto reply, run(entry, command));
  if (!reply.document) return WriteOutcome{WriteOutcome::Kind::refused, {}};
  if (reply.document->view().find_integral("n") == 0) {
    return WriteOutcome{WriteOutcome::Kind::nothing, {}};
  }
  WriteOutcome outcome;
  auto found = find(write.collection, write.id);
  if (!found.ok()) {
    entry.since = reply.since;
    entry.unknown = true;
    HOLDFAST_CHECK(record_.append(entry));
    return found.error();
  }
  outcome.after = std::move(found).value();
  if (outcome.after) entry.after = outcome.after->view();
  entry.since = reply.since;
  entry.time = reply.time;
  HOLDFAST_CHECK(record_.append(entry));
  return outcome;
}

Result<WriteOutcome> TrafficCommands::define(std::string_view operation,
                                             std::string_view collection,
                                             bson::DocumentView command) {
  auto entry = new_entry(operation, collection);
  entry.ddl = command;
  HOLDFAST_TRY(const auto reply, run(entry, command));
  if (!reply.document) return WriteOutcome{WriteOutcome::Kind::refused, {}};
  entry.since = reply.since;
  entry.time = reply.time;
  HOLDFAST_CHECK(record_.append(entry));
  return WriteOutcome{};
}

Result<std::optional<bson::Document>> TrafficCommands::find(std::string_view collection,
                                                            bson::ValueView id) {
  bson::Builder command;
  command.append_string("find", collection);
  command.begin_document("filter").append("_id", id).end();
  command.append_int32("limit", 1).append_bool("singleBatch", true);
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto reply, client_.run(database_, document.view()));
  remember_time(reply.view());
  return first_of_batch(reply.view());
}

}  // namespace holdfast::smokava
