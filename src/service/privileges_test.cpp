#include "service/privileges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "bson/extended_json.h"
#include "service/doctor.h"

namespace holdfast::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

AccountRights rights_of(const std::string& privileges) {
  const auto reply = bson::from_json(
      R"({"authInfo": {"authenticatedUsers": [{"user": "keeper", "db": "admin"}],
          "authenticatedUserPrivileges": )" +
      privileges + "}}");
  EXPECT_TRUE(reply.ok());
  return read_rights(reply->view());
}

TEST(Privileges, a_server_without_access_control_has_no_account) {
  const auto reply = bson::from_json(R"({"authInfo": {"authenticatedUsers": [],
                                          "authenticatedUserPrivileges": []}, "ok": 1})");
  EXPECT_FALSE(read_rights(reply->view()).authenticated);
}

TEST(Privileges, a_server_that_hides_what_roles_grant_is_asked_about_the_user) {
  const auto status = bson::from_json(R"({"authInfo": {
      "authenticatedUsers": [{"user": "keeper", "db": "admin"}],
      "authenticatedUserRoles": [{"role": "r", "db": "admin"}],
      "authenticatedUserPrivileges": []}})");
  AccountRights rights = read_rights(status->view());
  EXPECT_FALSE(rights.known);
  const auto info = bson::from_json(R"({"users": [{"user": "keeper", "inheritedPrivileges": [
      {"resource": {"db": "", "collection": ""}, "actions": ["find"]}]}]})");
  read_user_privileges(info->view(), rights);
  EXPECT_TRUE(rights.known);
  EXPECT_EQ(rights.privileges.size(), 1U);
}

TEST(Privileges, what_is_granted_is_not_missing) {
  const auto rights = rights_of(R"([
    {"resource": {"db": "shop", "collection": ""},
     "actions": ["find", "listCollections", "listIndexes", "collStats"]}])");
  EXPECT_EQ(rights.user, "keeper@admin");
  EXPECT_THAT(missing_rights(rights, backup_privileges({"shop"}, false)), IsEmpty());
  EXPECT_THAT(missing_rights(rights, backup_privileges({"crm"}, false)), Not(IsEmpty()));
}

TEST(Privileges, a_log_needs_the_change_stream_and_the_marker) {
  const auto rights = rights_of(R"([
    {"resource": {"db": "shop", "collection": ""},
     "actions": ["find", "listCollections", "listIndexes", "collStats"]}])");
  EXPECT_THAT(
      missing_rights(rights, backup_privileges({"shop"}, true)),
      ElementsAre("changeStream on database shop", "insert on shop.holdfast.barrier",
                  "update on shop.holdfast.barrier", "remove on shop.holdfast.barrier",
                  "dropCollection on shop.holdfast.barrier", "replSetGetConfig on the cluster"));
}

TEST(Privileges, wide_grants_cover_narrow_needs_and_never_the_reverse) {
  const auto root = rights_of(R"([{"resource": {"anyResource": true}, "actions": ["anyAction"]}])");
  EXPECT_THAT(missing_rights(root, backup_privileges({}, true)), IsEmpty());
  EXPECT_THAT(missing_rights(root, restore_privileges({"a", "b"})), IsEmpty());

  const auto narrow = rights_of(R"([
    {"resource": {"db": "shop", "collection": "users"},
     "actions": ["find", "listCollections", "listIndexes", "collStats"]}])");
  EXPECT_THAT(missing_rights(narrow, backup_privileges({"shop"}, false)), Not(IsEmpty()));

  const auto unknown = rights_of(R"([{"resource": {"system_buckets": "x"}, "actions": ["find"]}])");
  EXPECT_THAT(missing_rights(unknown, backup_privileges({"shop"}, false)), Not(IsEmpty()));
}

TEST(Privileges, several_databases_need_the_deployments_stream) {
  const auto needed = backup_privileges({"a", "b"}, true);
  EXPECT_EQ(needed.front().database, "");
}

TEST(Privileges, a_name_cannot_break_out_of_the_commands) {
  const auto text = create_role_commands("r", "u", restore_privileges({"a\"}]}); evil(\\"}));
  EXPECT_THAT(text, HasSubstr(R"(db: "a\"}]}); evil(\\")"));
}

TEST(Privileges, the_reference_shows_the_same_commands) {
  std::ifstream file(std::string(HOLDFAST_SOURCE_DIR) + "/docs/reference/doctor.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(page, HasSubstr(create_role_commands("holdfastBackup", "holdfast",
                                                   backup_privileges({"shop"}, true))));
  EXPECT_THAT(page, HasSubstr(create_role_commands("holdfastRestore", "holdfast_restore",
                                                   restore_privileges({"shop"}))));
}

TEST(ReplicaSetSteps, name_the_host_of_the_uri) {
  const auto steps = replica_set_steps("mongodb://me:***@db.example:27018,other/shop?x=y");
  EXPECT_THAT(steps, HasSubstr("mongosh 'mongodb://db.example:27018'"));
  EXPECT_THAT(steps, HasSubstr("host: \"db.example:27018\""));
}

}  // namespace
}  // namespace holdfast::service
