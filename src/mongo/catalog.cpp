#include "mongo/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "bson/builder.h"
#include "mongo/catalog_internal.h"
#include "mongo/change_stream.h"
#include "mongo/command_cursor_internal.h"

namespace holdfast::mongo {
namespace {

/// MaxTimeMSExpired.
constexpr int max_time_expired = 50;

/// A database with more collections than this is none of ours to keep in memory.
constexpr std::size_t most_entries = 1'000'000;

/// All documents of a cursor command's batches.
Result<std::vector<bson::Document>> drain(Client& client, const std::string& database,
                                          bson::DocumentView command) {
  HOLDFAST_TRY(const auto cursor, CommandCursor::open(driver_of(client), database, command));
  std::vector<bson::Document> documents;
  for (;;) {
    HOLDFAST_TRY(const auto next, cursor->next_in_batch());
    if (next) {
      if (documents.size() == most_entries) {
        return Error(ErrorCode::unsupported, "more than a million entries in one catalog");
      }
      documents.emplace_back(*next);
    } else if (cursor->open_at_server()) {
      HOLDFAST_CHECK(cursor->fetch(0, 0));
    } else {
      return documents;
    }
  }
}

Result<std::vector<bson::Document>> list_collections(Client& client, const std::string& database,
                                                     const std::string* name) {
  bson::Builder command;
  command.append_int32("listCollections", 1);
  if (name != nullptr) command.begin_document("filter").append_string("name", *name).end();
  const bson::Document document = std::move(command).finish();
  return drain(client, database, document.view());
}

bool is_internal(std::string_view name) {
  return (name.starts_with("system.") && name != "system.js") || name == marker_collection;
}

CollectionType type_of(bson::DocumentView listed, bson::DocumentView options) {
  if (listed.find_string("type").value_or("") == "view") return CollectionType::view;
  // One of the test servers lists a time series as a plain collection with these options.
  if (options.find("timeseries")) return CollectionType::timeseries;
  return CollectionType::collection;
}

/// One listIndexes entry as a specification; nothing while the index is being built. Newer
/// servers wrap the specification where build information was asked for.
std::optional<bson::Document> index_of(bson::DocumentView listed) {
  if (listed.find("indexBuildInfo") || listed.find("buildUUID")) return std::nullopt;
  const auto specification = listed.find_document("spec");
  if (specification && !listed.find("key")) return bson::Document(*specification);
  return bson::Document(listed);
}

Result<std::vector<bson::Document>> list_indexes(Client& client, const Namespace& ns,
                                                 bool mark_builds) {
  bson::Builder command;
  command.append_string("listIndexes", ns.collection);
  if (mark_builds) command.append_bool("includeBuildUUIDs", true);
  const bson::Document document = std::move(command).finish();
  return drain(client, ns.database, document.view());
}

Result<std::vector<bson::Document>> read_indexes(Client& client, const Namespace& ns) {
  const DriverClient& driver = driver_of(client);
  // Entries of indexes being built look like finished ones unless mongod is asked to mark them
  // (its list_indexes.idl, since 4.4; imitations don't know the field).
  const bool mark_builds = driver.genuine() && driver.at_least(4, 4);
  auto answer = list_indexes(client, ns, mark_builds);
  if (mark_builds && !answer.ok() && answer.error().code() == ErrorCode::unsupported) {
    answer = list_indexes(client, ns, false);
  }
  HOLDFAST_TRY(const auto listed, std::move(answer));
  std::vector<bson::Document> indexes;
  for (const bson::Document& entry : listed) {
    if (auto index = index_of(entry.view())) indexes.push_back(std::move(*index));
  }
  return indexes;
}

/// Nothing when the collection vanished between the two commands.
Result<std::optional<CollectionInfo>> read_entry(Client& client, const std::string& database,
                                                 bson::DocumentView listed) {
  CollectionInfo info;
  info.ns.database = database;
  info.ns.collection = std::string(listed.find_string("name").value_or(""));
  const auto options = listed.find_document("options").value_or(bson::DocumentView());
  info.options = bson::Document(options);
  info.type = type_of(listed, options);
  if (info.type == CollectionType::view) return std::optional(std::move(info));
  info.uuid = uuid_of(listed);
  auto indexes = read_indexes(client, info.ns);
  if (!indexes.ok()) {
    if (indexes.error().code() == ErrorCode::not_found) return std::optional<CollectionInfo>();
    return indexes.error().with_context("cannot list the indexes of " + info.ns.text());
  }
  info.indexes = std::move(indexes).value();
  return std::optional(std::move(info));
}

}  // namespace

std::optional<Uuid> uuid_of(bson::DocumentView listed) {
  const auto info = listed.find_document("info");
  const auto uuid = info ? info->find("uuid") : std::nullopt;
  if (!uuid || uuid->type() != bson::Type::binary) return std::nullopt;
  const ByteView bytes = uuid->binary_data();
  Uuid out{};
  if (bytes.size() != out.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

Result<std::optional<bson::Document>> find_listed(Client& client, const Namespace& ns) {
  HOLDFAST_TRY(auto listed, list_collections(client, ns.database, &ns.collection));
  for (bson::Document& entry : listed) {
    // Servers compare names exactly; make sure of it.
    if (entry.view().find_string("name").value_or("") == ns.collection) {
      return std::optional(std::move(entry));
    }
  }
  return std::optional<bson::Document>();
}

Result<std::optional<bson::Document>> find_listed_retrying(Client& client, const Namespace& ns) {
  constexpr std::uint32_t deadline_ms = 60'000;  // longer than an election or a restart
  Backoff backoff(deadline_ms);
  for (;;) {
    auto found = find_listed(client, ns);
    if (found.ok() || found.error().code() != ErrorCode::retry || !backoff.wait()) return found;
  }
}

Status check_still_there(Client& client, const CollectionInfo& expected) {
  auto listed = find_listed(client, expected.ns);
  if (!listed.ok()) {
    return listed.error().with_context("cannot list the collections of " + expected.ns.database);
  }
  if (!*listed) {
    return Error(ErrorCode::precondition,
                 fmt::format("collection {} was dropped or renamed", expected.ns.text()));
  }
  const auto uuid = uuid_of((*listed)->view());
  if (expected.uuid && uuid && *uuid != *expected.uuid) {
    return Error(ErrorCode::precondition,
                 fmt::format("another collection took the name {}", expected.ns.text()));
  }
  return {};
}

Result<std::vector<std::string>> list_databases(Client& client) {
  bson::Builder command;
  command.append_int32("listDatabases", 1).append_bool("nameOnly", true);
  const bson::Document document = std::move(command).finish();
  auto reply = client.run("admin", document.view());
  if (!reply.ok()) return reply.error().with_context("cannot list the databases");
  std::vector<std::string> names;
  if (const auto list = reply->view().find("databases");
      list && list->type() == bson::Type::array) {
    for (const bson::Element& entry : list->as_document()) {
      if (entry.value.type() != bson::Type::document) continue;
      const auto name = entry.value.as_document().find_string("name").value_or("");
      if (name.empty() || name == "admin" || name == "config" || name == "local") continue;
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<CollectionInfo>> read_catalog(Client& client, const std::string& database) {
  auto listed = list_collections(client, database, nullptr);
  if (!listed.ok()) {
    return listed.error().with_context("cannot list the collections of " + database);
  }
  std::vector<CollectionInfo> catalog;
  for (const bson::Document& entry : *listed) {
    if (is_internal(entry.view().find_string("name").value_or(""))) continue;
    HOLDFAST_TRY(auto info, read_entry(client, database, entry.view()));
    if (info) catalog.push_back(std::move(*info));
  }
  std::sort(catalog.begin(), catalog.end(),
            [](const CollectionInfo& a, const CollectionInfo& b) { return a.ns < b.ns; });
  return catalog;
}

Result<CollectionInfo> read_catalog_entry(Client& client, const Namespace& ns) {
  HOLDFAST_TRY(const auto listed, find_listed(client, ns));
  if (listed) {
    HOLDFAST_TRY(auto info, read_entry(client, ns.database, listed->view()));
    if (info) return std::move(*info);
  }
  return Error(ErrorCode::not_found, "there is no collection " + ns.text());
}

Result<CollectionStatistics> read_statistics(Client& client, const Namespace& ns,
                                             std::uint32_t max_time_ms) {
  bson::Builder command;
  command.append_string("collStats", ns.collection);
  if (max_time_ms > 0) command.append_int64("maxTimeMS", max_time_ms);
  const bson::Document document = std::move(command).finish();
  CollectionStatistics statistics;
  auto reply = client.run(ns.database, document.view());
  if (!reply.ok()) {
    const ErrorCode code = reply.error().code();
    if (code_of(reply.error()) == max_time_expired) {
      return Error(ErrorCode::busy, reply.error().message());
    }
    // A view has none; some servers refuse instead of telling zeros.
    if (code == ErrorCode::precondition || code == ErrorCode::unsupported ||
        code == ErrorCode::not_found) {
      return statistics;
    }
    return reply.error().with_context("cannot read the statistics of " + ns.text());
  }
  const auto number = [&reply](std::string_view name) {
    const auto value = reply->view().find_integral(name).value_or(0);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
  };
  statistics.documents = number("count");
  statistics.bytes = number("size");
  return statistics;
}

}  // namespace holdfast::mongo
