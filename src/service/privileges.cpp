#include "service/privileges.h"

#include <fmt/format.h>

#include <algorithm>

#include "mongo/change_stream.h"

namespace holdfast::service {
namespace {

/// A string as JavaScript writes it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out.push_back('\\');
    out.push_back(letter);
  }
  return out + "\"";
}

std::string resource_text(const Privilege& privilege) {
  if (privilege.cluster) return "{cluster: true}";
  return fmt::format("{{db: {}, collection: {}}}", quoted(privilege.database),
                     quoted(privilege.collection));
}

std::string place_of(const Privilege& privilege) {
  if (privilege.cluster) return "the cluster";
  if (privilege.database.empty()) return "every database";
  return privilege.collection.empty() ? "database " + privilege.database
                                      : privilege.database + "." + privilege.collection;
}

bool covers(const Privilege& has, const Privilege& needs) {
  if (has.anything) return true;
  if (has.cluster != needs.cluster) return false;
  if (has.cluster) return true;
  const bool database = has.database.empty() || has.database == needs.database;
  const bool collection = has.collection.empty() || has.collection == needs.collection;
  return database && collection;
}

/// The documents of an array; anything else in it is passed over.
std::vector<bson::DocumentView> documents_at(bson::DocumentView document, std::string_view name) {
  std::vector<bson::DocumentView> documents;
  const auto list = document.find(name);
  if (!list || list->type() != bson::Type::array) return documents;
  for (const auto& element : list->as_document()) {
    if (element.value.type() == bson::Type::document) {
      documents.push_back(element.value.as_document());
    }
  }
  return documents;
}

std::vector<std::string> actions_of(bson::DocumentView privilege) {
  std::vector<std::string> actions;
  const auto list = privilege.find("actions");
  if (!list || list->type() != bson::Type::array) return actions;
  for (const auto& element : list->as_document()) {
    if (element.value.type() == bson::Type::string) {
      actions.emplace_back(element.value.as_string());
    }
  }
  return actions;
}

Privilege privilege_of(bson::DocumentView document) {
  Privilege privilege;
  privilege.actions = actions_of(document);
  if (const auto resource = document.find_document("resource")) {
    privilege.database = resource->find_string("db").value_or("");
    privilege.collection = resource->find_string("collection").value_or("");
    privilege.cluster = resource->find_truthy("cluster");
    privilege.anything = resource->find_truthy("anyResource");
    // A kind of resource that is not known here (system_buckets, …) covers nothing.
    const bool known = privilege.cluster || privilege.anything || resource->find("db");
    if (!known) privilege.actions.clear();
  }
  return privilege;
}

}  // namespace

AccountRights read_rights(bson::DocumentView connection_status) {
  AccountRights rights;
  const auto info = connection_status.find_document("authInfo");
  if (!info) return rights;
  for (const auto& user : documents_at(*info, "authenticatedUsers")) {
    rights.authenticated = true;
    rights.name = user.find_string("user").value_or("?");
    rights.database = user.find_string("db").value_or("?");
    rights.user = rights.name + "@" + rights.database;
  }
  for (const auto& privilege : documents_at(*info, "authenticatedUserPrivileges")) {
    rights.privileges.push_back(privilege_of(privilege));
  }
  rights.known =
      !rights.privileges.empty() || documents_at(*info, "authenticatedUserRoles").empty();
  return rights;
}

void read_user_privileges(bson::DocumentView users_info, AccountRights& rights) {
  for (const auto& user : documents_at(users_info, "users")) {
    for (const auto& privilege : documents_at(user, "inheritedPrivileges")) {
      rights.privileges.push_back(privilege_of(privilege));
      rights.known = true;
    }
  }
}

std::vector<Privilege> backup_privileges(const std::vector<std::string>& databases, bool has_log) {
  std::vector<std::string> reads{"find", "listCollections", "listIndexes", "collStats"};
  if (has_log) reads.emplace_back("changeStream");
  // Several databases are watched by one stream over the whole deployment.
  const bool everywhere = databases.size() != 1;
  const std::string database = everywhere ? std::string{} : databases.front();
  std::vector<Privilege> privileges;
  privileges.push_back({.database = database, .collection = {}, .actions = reads});
  if (has_log) {
    privileges.push_back({.database = database,
                          .collection = std::string(mongo::marker_collection),
                          .actions = {"insert", "update", "remove", "dropCollection"}});
  }
  std::vector<std::string> cluster;
  if (databases.empty()) cluster.emplace_back("listDatabases");
  if (has_log) cluster.emplace_back("replSetGetConfig");
  if (!cluster.empty()) {
    privileges.push_back({.database = {}, .collection = {}, .cluster = true, .actions = cluster});
  }
  return privileges;
}

std::vector<Privilege> restore_privileges(const std::vector<std::string>& databases) {
  const std::vector<std::string> actions{"find",
                                         "listCollections",
                                         "listIndexes",
                                         "collStats",
                                         "insert",
                                         "update",
                                         "remove",
                                         "createCollection",
                                         "createIndex",
                                         "dropCollection",
                                         "collMod",
                                         "renameCollectionSameDB",
                                         "bypassDocumentValidation"};
  std::vector<Privilege> privileges;
  if (databases.empty())
    privileges.push_back({.database = {}, .collection = {}, .actions = actions});
  for (const std::string& database : databases) {
    privileges.push_back({.database = database, .collection = {}, .actions = actions});
  }
  return privileges;
}

std::vector<std::string> missing_rights(const AccountRights& rights,
                                        const std::vector<Privilege>& needed) {
  std::vector<std::string> missing;
  for (const Privilege& need : needed) {
    for (const std::string& action : need.actions) {
      const bool granted =
          std::any_of(rights.privileges.begin(), rights.privileges.end(), [&](const auto& has) {
            return covers(has, need) &&
                   std::find_if(has.actions.begin(), has.actions.end(), [&](const auto& one) {
                     return one == action || one == "anyAction";
                   }) != has.actions.end();
          });
      if (!granted) missing.push_back(fmt::format("{} on {}", action, place_of(need)));
    }
  }
  return missing;
}

std::string create_role_commands(const std::string& role, const std::string& user,
                                 const std::vector<Privilege>& privileges) {
  std::string text = "use admin\n";
  text += fmt::format("db.createRole({{role: {}, roles: [], privileges: [\n", quoted(role));
  for (const Privilege& privilege : privileges) {
    std::string actions;
    for (const auto& action : privilege.actions) {
      actions += (actions.empty() ? "" : ", ") + quoted(action);
    }
    text +=
        fmt::format("  {{resource: {},\n   actions: [{}]}},\n", resource_text(privilege), actions);
  }
  text += "]})\n";
  text += fmt::format(
      "db.createUser({{user: {}, pwd: passwordPrompt(), roles: [{{role: {}, db: \"admin\"}}]}})",
      quoted(user), quoted(role));
  return text;
}

}  // namespace holdfast::service
