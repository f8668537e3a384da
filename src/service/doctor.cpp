#include "service/doctor.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/text.h"
#include "bson/builder.h"
#include "mongo/change_stream.h"
#include "service/privileges.h"

namespace holdfast::service {
namespace {

/// Wire version 9 is MongoDB 4.4, the oldest whose change streams and commands are used here.
constexpr std::int32_t oldest_wire_version = 9;
/// A larger difference makes times in lists misleading.
constexpr auto tolerable_clock_difference = std::chrono::seconds(2);

Check ok(std::string name, std::string finding) {
  return {std::move(name), Verdict::ok, std::move(finding), {}};
}
Check warn(std::string name, std::string finding, std::string advice) {
  return {std::move(name), Verdict::warn, std::move(finding), std::move(advice)};
}
Check fail(std::string name, std::string finding, std::string advice) {
  return {std::move(name), Verdict::fail, std::move(finding), std::move(advice)};
}

bson::Document command(std::string_view name) {
  bson::Builder builder;
  builder.append_int32(name, 1);
  return std::move(builder).finish();
}

Check check_version(const mongo::ServerInfo& server) {
  const std::string finding =
      fmt::format("MongoDB {} (wire version {})", server.version, server.wire_version);
  if (server.wire_version >= oldest_wire_version) return ok("version", finding);
  return fail("version", finding + " is older than 4.4", "Upgrade the server to 4.4 or later.");
}

Check check_topology(const mongo::Client& client) {
  const auto& server = client.server();
  if (server.sharded) {
    return warn("topology", "a sharded cluster: untested with this version of Holdfast",
                "Verify a restore into another database before you rely on it.");
  }
  if (server.replica_set) {
    return ok("topology", fmt::format("replica set {} of {} {}: backups are exact while the "
                                      "application writes",
                                      server.set_name, server.hosts.size(),
                                      server.hosts.size() == 1 ? "node" : "nodes"));
  }
  return warn("topology",
              "a standalone server keeps no log: backups are best-effort (each document is right, "
              "but they are not all of one moment)",
              replica_set_steps(client.masked_uri()));
}

Check check_log(mongo::Client& client, const std::vector<std::string>& databases) {
  ClusterTime opened_at;
  mongo::ChangeStreamOptions options;
  options.databases = databases;
  const auto stream = mongo::open_change_stream(client, options, opened_at);
  if (stream.ok()) return ok("log", "the change stream opens");
  return fail("log", "the change stream does not open: " + stream.error().message(),
              stream.error().hint());
}

Check check_clock(mongo::Client& client, const Clock& clock) {
  const WallTime before = clock.now();
  const auto reply = client.run("admin", command("hello").view());
  const WallTime after = clock.now();
  if (!reply.ok()) return warn("clock", "cannot ask: " + reply.error().message(), "");
  const auto local = reply->view().find("localTime");
  if (!local || local->type() != bson::Type::date) {
    return ok("clock", "the server does not tell its time");
  }
  const WallTime server{std::chrono::milliseconds(local->as_date())};
  const auto difference = server - (before + (after - before) / 2);
  const auto size = difference < difference.zero() ? -difference : difference;
  const std::string finding =
      fmt::format("the server's clock is {} {} this machine's", format_duration(size),
                  difference < difference.zero() ? "behind" : "ahead of");
  if (size <= tolerable_clock_difference + (after - before)) return ok("clock", finding);
  return warn("clock", finding,
              "Let both follow NTP. No safety rests on clocks, but times in lists mislead.");
}

Check check_backup_rights(const AccountRights& rights, const std::vector<std::string>& databases,
                          bool has_log) {
  const auto needed = backup_privileges(databases, has_log);
  const auto missing = missing_rights(rights, needed);
  if (missing.empty()) {
    return ok("backup rights", fmt::format("{} may do all that a backup needs", rights.user));
  }
  return fail("backup rights", fmt::format("{} lacks: {}", rights.user, fmt::join(missing, ", ")),
              "This role suffices; in mongosh, as an administrator:\n" +
                  create_role_commands("holdfastBackup", "holdfast", needed));
}

Check check_restore_rights(const AccountRights& rights, const std::vector<std::string>& databases) {
  const auto needed = restore_privileges(databases);
  const auto missing = missing_rights(rights, needed);
  if (missing.empty()) {
    return ok("restore rights", fmt::format("{} may do all that a restore needs", rights.user));
  }
  return warn("restore rights",
              fmt::format("{} cannot restore (good for an account that only backs up); it lacks: "
                          "{}",
                          rights.user, fmt::join(missing, ", ")),
              "For restores use an account with this role; in mongosh, as an administrator:\n" +
                  create_role_commands("holdfastRestore", "holdfast_restore", needed));
}

void ask_for_user(mongo::Client& client, AccountRights& rights) {
  bson::Builder builder;
  builder.begin_document("usersInfo");
  builder.append_string("user", rights.name).append_string("db", rights.database);
  builder.end();
  builder.append_bool("showPrivileges", true);
  const auto reply = client.run("admin", std::move(builder).finish().view());
  if (reply.ok()) read_user_privileges(reply->view(), rights);
}

std::vector<Check> check_rights(mongo::Client& client, const std::vector<std::string>& databases) {
  bson::Builder builder;
  builder.append_int32("connectionStatus", 1).append_bool("showPrivileges", true);
  const auto reply = client.run("admin", std::move(builder).finish().view());
  if (!reply.ok()) {
    return {warn("account", "cannot ask what it may do: " + reply.error().message(), "")};
  }
  AccountRights rights = read_rights(reply->view());
  if (!rights.authenticated) {
    return {warn("account", "nobody is logged in: this server asks for no password",
                 "Whoever reaches its port can read and delete everything. Turn access control on "
                 "(security.authorization: enabled) and give Holdfast an account of its own.")};
  }
  if (!rights.known) ask_for_user(client, rights);
  if (!rights.known) {
    return {
        warn("account", fmt::format("the server does not tell what {} may do", rights.user),
             "This role suffices for a backup; in mongosh, as an administrator:\n" +
                 create_role_commands("holdfastBackup", "holdfast",
                                      backup_privileges(databases, client.server().has_log())))};
  }
  return {check_backup_rights(rights, databases, client.server().has_log()),
          check_restore_rights(rights, databases)};
}

Check check_space(repository::Repository& repository,
                  const std::vector<repository::SnapshotSummary>& snapshots) {
  const auto free = repository.store().free_space();
  if (!free.ok()) return ok("space", "the store does not tell how much is free");
  std::uint64_t largest = 0;
  for (const auto& summary : snapshots) largest = std::max(largest, summary.stored_bytes);
  const std::string finding = fmt::format("{} free; the largest backup so far stored {}",
                                          format_bytes(*free), format_bytes(largest));
  if (snapshots.empty()) return ok("space", format_bytes(*free) + " free");
  if (*free < largest) {
    return fail("space", finding, "The next backup may not fit: free some space first.");
  }
  if (*free / 3 < largest) return warn("space", finding, "Three more backups may not fit.");
  return ok("space", finding);
}

}  // namespace

std::vector<Check> examine_server(mongo::Client& client, const std::vector<std::string>& databases,
                                  const Clock& clock) {
  std::vector<Check> checks;
  checks.push_back(check_version(client.server()));
  checks.push_back(check_topology(client));
  if (client.server().has_log()) checks.push_back(check_log(client, databases));
  for (Check& check : check_rights(client, databases)) checks.push_back(std::move(check));
  checks.push_back(check_clock(client, clock));
  return checks;
}

std::vector<Check> examine_repository(repository::Repository& repository, const Clock& clock) {
  std::vector<Check> checks;
  checks.push_back(repository.encrypted()
                       ? ok("encryption", "on")
                       : warn("encryption", "off: whoever reaches the folder can read and forge",
                              "Make a new repository with 'holdfast init'."));
  const auto listing = repository.list();
  if (!listing.ok()) {
    checks.push_back(fail("snapshots", "cannot be listed: " + listing.error().message(),
                          listing.error().hint()));
    return checks;
  }
  const auto& snapshots = listing->snapshots;
  if (!listing->damaged.empty()) {
    checks.push_back(fail("snapshots",
                          fmt::format("{} damaged; the first: {}", listing->damaged.size(),
                                      listing->damaged.front().sentence),
                          "'holdfast verify --read-data' says what is still restorable."));
  } else if (snapshots.empty()) {
    checks.push_back(warn("snapshots", "there is no backup yet", "'holdfast backup' takes one."));
  } else {
    const auto age = clock.now() - snapshots.back().finished;
    checks.push_back(ok("snapshots", fmt::format("{}; the newest finished {} ago", snapshots.size(),
                                                 format_duration(age))));
  }
  checks.push_back(check_space(repository, snapshots));
  return checks;
}

std::string replica_set_steps(std::string_view uri) {
  std::string_view host = uri;
  if (const auto scheme = host.find("://"); scheme != std::string_view::npos) {
    host.remove_prefix(scheme + 3);
  }
  host = host.substr(0, host.find_first_of("/?"));
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  host = host.substr(0, host.find(','));
  return fmt::format(
      "Make it a replica set of one node (some seconds of downtime, no data is moved):\n"
      "1. In mongod.conf (or 'mongod --replSet rs0'; in Docker: command: --replSet rs0):\n"
      "     replication:\n"
      "       replSetName: rs0\n"
      "   With access control on, a key file too: openssl rand -base64 756 > /etc/mongod.key,\n"
      "   chmod 400, owned by mongod's user; in mongod.conf:\n"
      "     security:\n"
      "       keyFile: /etc/mongod.key\n"
      "2. Restart mongod.\n"
      "3. Once, with the name by which the application reaches the server:\n"
      "     mongosh 'mongodb://{0}' --eval 'rs.initiate({{_id: \"rs0\", members: [{{_id: 0, host: "
      "\"{0}\"}}]}})'\n"
      "4. Add replicaSet=rs0 to the connection strings.",
      host);
}

}  // namespace holdfast::service
