#pragma once

#include <string>
#include <vector>

#include "bson/document.h"

namespace holdfast::service {

/// One right: actions on a resource, as createRole takes it. With `cluster` the names are empty;
/// an empty database means every one, an empty collection every one but system's.
struct Privilege {
  std::string database;
  std::string collection;
  bool cluster = false;
  bool anything = false;  ///< anyResource: only in what a server reports.
  std::vector<std::string> actions;
};

/// What an account may do, as `connectionStatus` with showPrivileges tells.
struct AccountRights {
  bool authenticated = false;  ///< False: nobody logged in (the server asks for no password).
  std::string user;            ///< "name@database"
  std::string name;            ///< Its two parts.
  std::string database;
  /// False where the account has roles, but the server does not list what they grant.
  bool known = true;
  std::vector<Privilege> privileges;
};
[[nodiscard]] AccountRights read_rights(bson::DocumentView connection_status);
/// Fills in the privileges from the reply to `usersInfo` with showPrivileges, which some servers
/// answer where the former is silent.
void read_user_privileges(bson::DocumentView users_info, AccountRights& rights);

/// The least that a backup of these databases needs; none means the whole server. On a deployment
/// with a log that includes change streams and Holdfast's own marker collection.
[[nodiscard]] std::vector<Privilege> backup_privileges(const std::vector<std::string>& databases,
                                                       bool has_log);
/// The least that a restore into these databases needs.
[[nodiscard]] std::vector<Privilege> restore_privileges(const std::vector<std::string>& databases);

/// What of `needed` the rights lack, as "action on database.collection".
[[nodiscard]] std::vector<std::string> missing_rights(const AccountRights& rights,
                                                      const std::vector<Privilege>& needed);

/// Commands for mongosh that make a role with exactly these privileges and a user who has it.
[[nodiscard]] std::string create_role_commands(const std::string& role, const std::string& user,
                                               const std::vector<Privilege>& privileges);

}  // namespace holdfast::service
