#include "smokava/traffic_worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "bson/builder.h"
#include "smokava/seed.h"
#include "smokava/traffic_documents.h"
#include "smokava/traffic_edits.h"

namespace holdfast::smokava {
namespace {

/// Deleted documents that may come back under the same `_id`.
constexpr std::size_t most_deleted = 64;
/// A collection of which a thread owns no more than this is not thinned out further.
constexpr std::size_t fewest_left = 8;

std::int64_t now_in_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bson::ValueView value_of(const ObjectId& id) { return {bson::Type::object_id, id.bytes}; }

std::string_view pick_collection(Dice& dice) {
  for (;;) {
    const auto name = dice.pick(collection_names());
    if (may_come_and_go(name)) return name;
  }
}

/// A filter for one `_id`, joined with what else an edit wants.
void append_filter(bson::Builder& out, std::string_view name, const ObjectId& id,
                   std::optional<bson::DocumentView> where) {
  out.begin_document(name).append_object_id("_id", id);
  if (where) {
    for (const auto& element : *where) out.append(element.name, element.value);
  }
  out.end();
}

}  // namespace

TrafficWorker::TrafficWorker(mongo::Client& client, const std::string& database,
                             TrafficRecord& record, const TrafficTargets& everybody,
                             const Place& place)
    : place_(place),
      everybody_(everybody),
      mine_(everybody.share_of(place.thread, place.threads)),
      commands_(client, database, record, static_cast<std::int32_t>(place.thread)),
      dice_(place.seed, Topic::traffic, place.thread),
      process_(scramble(static_cast<std::uint64_t>(now_in_ms()) ^ (place.seed << 8U)) +
               place.thread) {}

Status TrafficWorker::step() {
  const auto luck = dice_.below(100);
  if (luck < 78) return edit();
  if (luck < 83) return replace();
  if (luck < 91) return insert();
  if (luck < 94) return upsert();
  if (luck < 98) return remove();
  return insert_again();
}

Result<WriteOutcome> TrafficWorker::count(std::string_view operation,
                                          Result<WriteOutcome> outcome) {
  if (!outcome.ok()) return outcome;
  if (outcome->kind == WriteOutcome::Kind::done) {
    ++summary_.writes;
    ++summary_.by_operation[std::string(operation)];
    summary_.last_seconds = commands_.newest_time().seconds;
    summary_.last_increment = commands_.newest_time().increment;
  } else {
    ++summary_.without_effect;
  }
  return outcome;
}

ObjectId TrafficWorker::new_id() {
  // Looks like a driver's ids; goes on until this thread owns one.
  ObjectId id;
  do {
    const auto second = static_cast<std::uint64_t>(now_in_ms() / 1000);
    ++ids_made_;
    for (unsigned i = 0; i < 4; ++i) {
      id.bytes[i] = static_cast<std::uint8_t>(second >> (24U - 8U * i));
    }
    for (unsigned i = 0; i < 5; ++i)
      id.bytes[4 + i] = static_cast<std::uint8_t>(process_ >> (8U * i));
    for (unsigned i = 0; i < 3; ++i) {
      id.bytes[9 + i] = static_cast<std::uint8_t>(ids_made_ >> (16U - 8U * i));
    }
  } while (!TrafficTargets::owns(id, place_.thread, place_.threads));
  return id;
}

Status TrafficWorker::edit() {
  const auto& chosen = pick_edit(dice_);
  const auto* id = mine_.pick(chosen.collection, dice_);
  if (id == nullptr) return {};
  const auto filled = fill_in(chosen.text, dice_, everybody_, now_in_ms());
  const auto update = filled.view().find("update");
  const auto filters = filled.view().find("arrayFilters");
  const auto where = filled.view().find_document("where");
  const TrafficCommands::Write write{chosen.operation, chosen.collection, value_of(*id)};
  bson::Builder command;
  const bool plain = dice_.chance(200);
  if (plain) {
    command.append_string("update", chosen.collection);
    command.begin_array("updates").begin_document("0");
    append_filter(command, "q", *id, where);
    command.append("u", *update);
    if (filters) command.append("arrayFilters", *filters);
    command.end().end();
  } else {
    command.append_string("findAndModify", chosen.collection);
    append_filter(command, "query", *id, where);
    command.append("update", *update).append_bool("new", true);
    if (filters) command.append("arrayFilters", *filters);
  }
  const auto document = std::move(command).finish();
  HOLDFAST_CHECK(count(chosen.operation, plain
                                             ? commands_.write_and_read_back(write, document.view())
                                             : commands_.find_and_modify(write, document.view())));
  return {};
}

Status TrafficWorker::replace() {
  const auto collection = dice_.pick(collection_names());
  const auto* id = mine_.pick(collection, dice_);
  if (id == nullptr) return {};
  HOLDFAST_TRY(const auto before, commands_.find(collection, value_of(*id)));
  if (!before) return {};
  const auto after = rearranged(before->view(), dice_, now_in_ms());
  bson::Builder command;
  command.append_string("findAndModify", collection);
  append_filter(command, "query", *id, {});
  command.append_document("update", after.view()).append_bool("new", true);
  const auto document = std::move(command).finish();
  HOLDFAST_CHECK(count("replace", commands_.find_and_modify({"replace", collection, value_of(*id)},
                                                            document.view())));
  return {};
}

Status TrafficWorker::insert_document(std::string_view operation, std::string_view collection,
                                      bson::DocumentView document) {
  const auto id = document.find("_id");
  bson::Builder command;
  command.append_string("insert", collection);
  command.begin_array("documents").append_document("0", document).end();
  const auto insert_command = std::move(command).finish();
  HOLDFAST_TRY(const auto outcome,
               count(operation, commands_.write_and_read_back({operation, collection, *id},
                                                              insert_command.view())));
  if (outcome.kind == WriteOutcome::Kind::done) {
    ObjectId added;
    std::ranges::copy(id->as_object_id(), added.bytes.begin());
    mine_.add(collection, added);
  }
  return {};
}

Status TrafficWorker::insert() {
  const auto collection = pick_collection(dice_);
  const auto* pattern = mine_.pick(collection, dice_);
  if (pattern == nullptr) return {};
  HOLDFAST_TRY(const auto found, commands_.find(collection, value_of(*pattern)));
  if (!found) return {};
  return insert_document("insert", collection,
                         clone_with_id(found->view(), new_id(), dice_).view());
}

Status TrafficWorker::upsert() {
  // Not into users: without a phone number the second one would be refused.
  const std::string_view collection = dice_.chance(600) ? "userpackages" : "posts";
  const auto* known = mine_.pick(collection, dice_);
  const bool is_new = known == nullptr || dice_.chance(600);
  const auto id = is_new ? new_id() : *known;
  const auto filled = fill_in(
      R"({"update": {"$set": {"flavor": <flavor>, "upserted.at": <now>, "upserted.by": <admin>},
          "$setOnInsert": {"user": <user>, "createdAt": <now>}, "$inc": {"__v": 1},
          "$push": {"history": {"restaurant": <restaurant>, "count": 1}}}})",
      dice_, everybody_, now_in_ms());
  bson::Builder command;
  command.append_string("findAndModify", collection);
  append_filter(command, "query", id, {});
  command.append("update", *filled.view().find("update"));
  command.append_bool("upsert", true).append_bool("new", true);
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto outcome,
               count("upsert", commands_.find_and_modify({"upsert", collection, value_of(id)},
                                                         document.view())));
  if (is_new && outcome.kind == WriteOutcome::Kind::done) mine_.add(collection, id);
  return {};
}

Status TrafficWorker::remove() {
  const auto collection = pick_collection(dice_);
  if (mine_.of(collection).size() <= fewest_left) return {};
  const auto id = *mine_.pick(collection, dice_);
  HOLDFAST_TRY(auto before, commands_.find(collection, value_of(id)));
  bson::Builder command;
  command.append_string("findAndModify", collection);
  append_filter(command, "query", id, {});
  command.append_bool("remove", true);
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto outcome,
               count("delete", commands_.find_and_modify({"delete", collection, value_of(id), true},
                                                         document.view())));
  if (outcome.kind == WriteOutcome::Kind::refused) return {};
  mine_.remove(collection, id);
  if (before) deleted_.push_back({std::string(collection), *std::move(before)});
  if (deleted_.size() > most_deleted) deleted_.pop_front();
  return {};
}

Status TrafficWorker::insert_again() {
  if (deleted_.empty()) return {};
  const auto back = std::move(deleted_.front());
  deleted_.pop_front();
  return insert_document("insert-again", back.collection, back.document.view());
}

}  // namespace holdfast::smokava
