#include "smokava/traffic_scratch.h"

#include <fmt/format.h>

#include "bson/builder.h"
#include "mongo/catalog.h"
#include "smokava/persian_texts.h"

namespace holdfast::smokava {
namespace {

constexpr std::string_view prefix = "scratch_";
constexpr std::size_t most_scratches = 4;

}  // namespace

ScratchWorker::ScratchWorker(mongo::Client& client, const std::string& database,
                             TrafficRecord& record, std::int32_t thread, std::uint64_t seed)
    : client_(client),
      database_(database),
      commands_(client, database, record, thread),
      dice_(seed, Topic::traffic, 1'000'000) {}

Status ScratchWorker::clear() {
  HOLDFAST_TRY(const auto catalog, mongo::read_catalog(client_, database_));
  for (const auto& info : catalog) {
    if (!info.ns.collection.starts_with(prefix)) continue;
    scratches_.push_back({info.ns.collection});
    HOLDFAST_CHECK(drop(scratches_.size() - 1));
  }
  return {};
}

Status ScratchWorker::step() {
  const auto luck = dice_.below(100);
  if (scratches_.empty() || (luck < 20 && scratches_.size() < most_scratches)) return create();
  const auto at = dice_.below(scratches_.size());
  if (luck < 60) return fill(scratches_[at]);
  if (luck < 75) return toggle_index(scratches_[at]);
  if (luck < 90) return rename(scratches_[at]);
  return drop(at);
}

std::string ScratchWorker::new_name() {
  // A few names that come back: the same name is not the same collection.
  for (;;) {
    auto name = fmt::format("{}{}", prefix, names_made_++ % (2 * most_scratches));
    bool taken = false;
    for (const auto& scratch : scratches_) taken = taken || scratch.name == name;
    if (!taken) return name;
  }
}

Result<bool> ScratchWorker::define(std::string_view operation, std::string_view collection,
                                   bson::DocumentView command) {
  HOLDFAST_TRY(const auto outcome, commands_.define(operation, collection, command));
  const bool done = outcome.kind == WriteOutcome::Kind::done;
  if (done) {
    ++summary_.ddl;
    ++summary_.by_operation[std::string(operation)];
  } else {
    ++summary_.without_effect;
  }
  return done;
}

Status ScratchWorker::create() {
  Scratch scratch{new_name()};
  bson::Builder command;
  command.append_string("create", scratch.name);
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto done, define("create", scratch.name, document.view()));
  if (done) scratches_.push_back(std::move(scratch));
  return {};
}

Status ScratchWorker::fill(const Scratch& scratch) {
  bson::Builder made;
  made.append_int64("_id", ++documents_made_);
  made.append_string("text", dice_.pick(texts::comments()));
  made.append_int32("number", static_cast<std::int32_t>(dice_.below(1000)));
  const auto document = std::move(made).finish();
  bson::Builder command;
  command.append_string("insert", scratch.name);
  command.begin_array("documents").append_document("0", document.view()).end();
  const auto insert = std::move(command).finish();
  HOLDFAST_TRY(const auto outcome,
               commands_.write_and_read_back({"insert", scratch.name, *document.view().find("_id")},
                                             insert.view()));
  if (outcome.kind == WriteOutcome::Kind::done) {
    ++summary_.writes;
    ++summary_.by_operation["insert"];
  }
  return {};
}

Status ScratchWorker::toggle_index(Scratch& scratch) {
  constexpr std::string_view index = "number_-1";
  bson::Builder command;
  if (scratch.indexed) {
    command.append_string("dropIndexes", scratch.name).append_string("index", index);
  } else {
    command.append_string("createIndexes", scratch.name);
    command.begin_array("indexes").begin_document("0");
    command.begin_document("key").append_int32("number", -1).end();
    command.append_string("name", index).end().end();
  }
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto done, define(scratch.indexed ? "drop-index" : "create-index",
                                       scratch.name, document.view()));
  if (done) scratch.indexed = !scratch.indexed;
  return {};
}

Status ScratchWorker::rename(Scratch& scratch) {
  const auto name = new_name();
  bson::Builder command;
  command.append_string("renameCollection", fmt::format("{}.{}", database_, scratch.name));
  command.append_string("to", fmt::format("{}.{}", database_, name));
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto done, define("rename", scratch.name, document.view()));
  if (done) scratch.name = name;
  return {};
}

Status ScratchWorker::drop(std::size_t at) {
  bson::Builder command;
  command.append_string("drop", scratches_[at].name);
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto done, define("drop", scratches_[at].name, document.view()));
  static_cast<void>(done);
  scratches_.erase(scratches_.begin() + static_cast<std::ptrdiff_t>(at));
  return {};
}

}  // namespace holdfast::smokava
