#include "transfer/keyed_writes.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "bson/builder.h"

namespace holdfast::transfer {

namespace {

/// The first value at a dotted path through documents.
std::optional<bson::ValueView> value_at(bson::DocumentView document, std::string_view path) {
  const auto dot = path.find('.');
  const auto found = document.find(path.substr(0, dot));
  if (!found || dot == std::string_view::npos) return found;
  if (found->type() != bson::Type::document) return std::nullopt;
  return value_at(found->as_document(), path.substr(dot + 1));
}

/// One statement's query, or the reason why there is none.
Result<bson::Document> query_of(bson::DocumentView document,
                                const std::vector<std::string>& key_fields) {
  bson::Builder query;
  const auto add = [&](const std::string& field) -> Status {
    const auto value = value_at(document, field);
    if (!value) return Error(ErrorCode::usage, "it has no field " + field);
    query.begin_document(field).append("$eq", *value).end();
    return {};
  };
  if (key_fields.empty()) HOLDFAST_CHECK(add("_id"));
  for (const std::string& field : key_fields) HOLDFAST_CHECK(add(field));
  return std::move(query).finish();
}

/// {$set: …} of all fields but `_id`, which only an insert takes.
Result<bson::Document> merge_of(bson::DocumentView document) {
  bson::Builder fields;
  bson::Builder update;
  bool any = false;
  for (const bson::Element& element : document) {
    if (element.name == "_id") {
      update.begin_document("$setOnInsert").append("_id", element.value).end();
      continue;
    }
    const bool plain = !element.name.empty() && element.name.front() != '$' &&
                       element.name.find('.') == std::string_view::npos;
    if (!plain) {
      return Error(ErrorCode::usage,
                   fmt::format("a field named '{}' cannot be merged", element.name));
    }
    fields.append(element.name, element.value);
    any = true;
  }
  if (any) update.append_document("$set", std::move(fields).finish().view());
  return std::move(update).finish();
}

void append_statement(bson::Builder& statements, std::size_t number, ImportMode mode,
                      const bson::Document& query, bson::DocumentView change) {
  statements.begin_document(bson::array_index_name(number));
  statements.append_document("q", query.view());
  if (mode == ImportMode::remove) {
    statements.append_int32("limit", 1);
  } else {
    statements.append_document("u", change);
    statements.append_bool("upsert", true);
  }
  statements.end();
}

bson::Value id_of(bson::DocumentView document) {
  const auto id = document.find("_id");
  return id ? bson::Value(*id) : bson::Value(bson::Type::null, {});
}

}  // namespace

Result<KeyedOutcome> write_by_key(mongo::Client& client, const Namespace& ns, ImportMode mode,
                                  const std::vector<std::string>& key_fields,
                                  const std::vector<bson::DocumentView>& batch) {
  KeyedOutcome outcome;
  const bool removes = mode == ImportMode::remove;
  bson::Builder command;
  command.append_string(removes ? "delete" : "update", ns.collection);
  command.append_bool("ordered", false);
  if (!removes) command.append_bool("bypassDocumentValidation", true);
  command.begin_document("writeConcern").append_string("w", "majority").end();
  command.begin_array(removes ? "deletes" : "updates");
  std::vector<bson::DocumentView> sent;
  for (const bson::DocumentView document : batch) {
    const auto query = query_of(document, key_fields);
    auto change = mode == ImportMode::merge ? merge_of(document)
                                            : Result<bson::Document>(bson::Document(document));
    if (!query.ok() || !change.ok()) {
      const Error& error = query.ok() ? change.error() : query.error();
      outcome.refused.push_back({id_of(document), error.message()});
      continue;
    }
    append_statement(command, sent.size(), mode, *query, change->view());
    sent.push_back(document);
  }
  command.end();
  if (sent.empty()) return outcome;
  const bson::Document whole = std::move(command).finish();
  HOLDFAST_TRY(const bson::Document reply, client.run(ns.database, whole.view()));
  outcome.written = static_cast<std::uint64_t>(reply.view().find_integral("n").value_or(0));
  const auto errors = reply.view().find("writeErrors");
  if (!errors || errors->type() != bson::Type::array) return outcome;
  for (const bson::Element& error : errors->as_document()) {
    if (error.value.type() != bson::Type::document) continue;
    const bson::DocumentView entry = error.value.as_document();
    const auto index = static_cast<std::size_t>(entry.find_integral("index").value_or(0));
    if (index >= sent.size()) continue;
    outcome.refused.push_back(
        {id_of(sent[index]), std::string(entry.find_string("errmsg").value_or("refused"))});
  }
  return outcome;
}

}  // namespace holdfast::transfer
