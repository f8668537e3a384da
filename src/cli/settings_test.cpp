#include "cli/settings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/temporary_folder_testing.h"

namespace holdfast::cli {
namespace {

Environment environment_of(std::map<std::string, std::string, std::less<>> variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  };
}

class SettingsTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    const auto path = folder_.path() / name;
    std::ofstream(path) << content;
    return path.string();
  }

  SettingsInput input_with_file(const std::string& content) {
    SettingsInput input;
    input.default_file = write("holdfast.yaml", content);
    return input;
  }

  static void flag(SettingsInput& input, const std::string& name, std::vector<std::string> values) {
    input.flags[name] = SettingValue{std::move(values), Origin::flag, "--" + name};
  }

  static Error error_of(const Result<Settings>& settings) {
    EXPECT_FALSE(settings.ok());
    return settings.ok() ? Error(ErrorCode::io, "no error") : settings.error();
  }

  TemporaryFolder folder_;
};

TEST_F(SettingsTest, a_flag_wins_over_the_environment_over_the_file_over_the_default) {
  SettingsInput input = input_with_file(
      "uri: mongodb://file/\nrepository: /file\nbackup:\n  compression: max\n  workers: 5\n");
  flag(input, "uri", {"mongodb://flag/"});
  const auto settings =
      resolve_settings(input, environment_of({{"MONGODB_URI", "mongodb://environment/"},
                                              {"BACKUP_PATH", "/environment"},
                                              {"HOLDFAST_BACKUP_WORKERS", "7"}}));
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  EXPECT_EQ(settings->uri, "mongodb://flag/");
  EXPECT_EQ(settings->repository, "/environment");
  EXPECT_EQ(settings->backup_workers, 7U);
  EXPECT_EQ(settings->compression, repository::Compression::max);
  EXPECT_EQ(settings->restore_workers, 4U);
  EXPECT_EQ(settings->values.at("repository").where, "BACKUP_PATH");
  EXPECT_EQ(settings->values.at("backup.compression").where, input.default_file + " line 4");
  EXPECT_EQ(settings->values.at("restore.workers").origin, Origin::standard);
}

TEST_F(SettingsTest, the_own_variable_wins_over_the_common_one) {
  const auto settings = resolve_settings(
      {.default_file = "/nowhere"},
      environment_of({{"HOLDFAST_URI", "mongodb://own/"}, {"MONGODB_URI", "mongodb://common/"}}));
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->uri, "mongodb://own/");
}

TEST_F(SettingsTest, an_empty_variable_is_not_set) {
  const auto settings =
      resolve_settings({.default_file = "/nowhere"}, environment_of({{"MONGODB_URI", ""}}));
  ASSERT_TRUE(settings.ok());
  EXPECT_TRUE(settings->uri.empty());
}

TEST_F(SettingsTest, the_core_has_no_default_server_and_no_default_repository) {
  const auto settings = resolve_settings({.default_file = "/nowhere"}, environment_of({}));
  ASSERT_TRUE(settings.ok());
  EXPECT_TRUE(settings->uri.empty());
  EXPECT_TRUE(settings->repository.empty());
  EXPECT_FALSE(settings->key);
}

TEST_F(SettingsTest, smokavas_profile_has_the_guides_defaults) {
  SettingsInput input;
  input.config_flag = std::string(HOLDFAST_SOURCE_DIR) + "/profiles/smokava/holdfast.yaml";
  const auto settings = resolve_settings(input, environment_of({}));
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  EXPECT_EQ(settings->uri, "mongodb://localhost:27017/smokava");
  EXPECT_EQ(settings->repository, "/var/backups/smokava");
}

TEST_F(SettingsTest, an_unknown_key_fails_with_its_line_and_the_nearest_name) {
  const auto error = error_of(
      resolve_settings(input_with_file("uri: mongodb://h/\nrepostory: /x\n"), environment_of({})));
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_NE(error.message().find("line 2: unknown key 'repostory'"), std::string::npos)
      << error.message();
  EXPECT_NE(error.hint().find("'repository'"), std::string::npos) << error.hint();
}

TEST_F(SettingsTest, an_unknown_key_in_a_section_is_named_in_full) {
  const auto error =
      error_of(resolve_settings(input_with_file("backup:\n  wokers: 3\n"), environment_of({})));
  EXPECT_NE(error.message().find("line 2: unknown key 'backup.wokers'"), std::string::npos);
}

TEST_F(SettingsTest, a_repeated_key_and_a_wrong_kind_of_value_fail_with_their_line) {
  for (const auto& [text, expected] : std::map<std::string, std::string>{
           {"uri: a\nuri: b\n", "line 2: 'uri' stands there twice (first on line 1)"},
           {"uri: [a, b]\n", "line 1: 'uri' takes one value"},
           {"backup: 3\n", "line 1: 'backup' holds settings"},
           {"backup:\n  exclude: {a: b}\n", "line 2: 'backup.exclude' takes a value or a list"},
           {"\nuri: [a\n", "line"},
           {"- a\n", "expected lines"},
           {"log:\n  level: loud\n", "'loud' is not one of debug, info, warning, error"},
           {"backup:\n  workers: 0\n", "'0' is not a number from 1 to 64"},
           {"backup:\n  workers: many\n", "'many' is not a number"},
           {"all_databases: perhaps\n", "'perhaps' is not true or false"}}) {
    const auto error = error_of(resolve_settings(input_with_file(text), environment_of({})));
    EXPECT_EQ(error.code(), ErrorCode::usage) << text;
    EXPECT_NE(error.message().find(expected), std::string::npos) << error.message();
  }
}

TEST_F(SettingsTest, a_password_in_the_file_is_refused_without_repeating_it) {
  const auto error =
      error_of(resolve_settings(input_with_file("password: hunter2\n"), environment_of({})));
  EXPECT_EQ(error.message().find("hunter2"), std::string::npos);
  EXPECT_NE(error.hint().find("password_file"), std::string::npos);
}

TEST_F(SettingsTest, a_named_file_must_exist_and_the_default_one_need_not) {
  EXPECT_TRUE(resolve_settings({.default_file = "/nowhere"}, environment_of({})).ok());
  SettingsInput input;
  input.config_flag = "/nowhere";
  EXPECT_FALSE(resolve_settings(input, environment_of({})).ok());
  EXPECT_FALSE(resolve_settings({.default_file = "/nowhere"},
                                environment_of({{"HOLDFAST_CONFIG", "/nowhere/either"}}))
                   .ok());
}

TEST_F(SettingsTest, an_empty_file_is_fine) {
  EXPECT_TRUE(resolve_settings(input_with_file(""), environment_of({})).ok());
  EXPECT_TRUE(resolve_settings(input_with_file("# nothing\nbackup:\n"), environment_of({})).ok());
}

TEST_F(SettingsTest, a_uri_is_read_from_a_file) {
  const auto path = write("uri", "mongodb://me:hunter2@h/\nsecond line\n");
  const auto by_variable =
      resolve_settings({.default_file = "/nowhere"}, environment_of({{"MONGODB_URI_FILE", path}}));
  ASSERT_TRUE(by_variable.ok());
  EXPECT_EQ(by_variable->uri, "mongodb://me:hunter2@h/");
  const auto by_file =
      resolve_settings(input_with_file("uri_file: " + path + "\n"), environment_of({}));
  ASSERT_TRUE(by_file.ok());
  EXPECT_EQ(by_file->uri, "mongodb://me:hunter2@h/");
}

TEST_F(SettingsTest, a_value_and_its_file_at_once_contradict_each_other) {
  const auto path = write("uri", "mongodb://h/\n");
  EXPECT_EQ(
      error_of(resolve_settings({.default_file = "/nowhere"},
                                environment_of({{"MONGODB_URI", "x"}, {"MONGODB_URI_FILE", path}})))
          .code(),
      ErrorCode::usage);
  EXPECT_EQ(error_of(resolve_settings(input_with_file("uri: x\nuri_file: " + path + "\n"),
                                      environment_of({})))
                .code(),
            ErrorCode::usage);
}

TEST_F(SettingsTest, the_strongest_origin_says_how_to_open_the_repository) {
  SettingsInput input = input_with_file("password_file: /from/file\n");
  flag(input, "key_file", {"/from/flag"});
  const auto settings =
      resolve_settings(input, environment_of({{"HOLDFAST_PASSWORD", "from environment"}}));
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  ASSERT_TRUE(settings->key);
  EXPECT_EQ(settings->key->kind, KeyChoice::Kind::key_file);
  EXPECT_EQ(settings->key->value, "/from/flag");
}

TEST_F(SettingsTest, two_keys_of_one_origin_contradict_each_other) {
  const auto error = error_of(resolve_settings(
      {.default_file = "/nowhere"},
      environment_of({{"HOLDFAST_PASSWORD", "hunter2"}, {"HOLDFAST_KEY_FILE", "/k"}})));
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_EQ(error.message().find("hunter2"), std::string::npos);
}

TEST_F(SettingsTest, a_recovery_key_file_is_no_key_where_it_is_an_output) {
  SettingsInput input{.default_file = "/nowhere"};
  flag(input, "recovery_key_file", {"/r"});
  flag(input, "password_file", {"/p"});
  EXPECT_FALSE(resolve_settings(input, environment_of({})).ok());
  input.recovery_key_opens = false;
  const auto settings = resolve_settings(input, environment_of({}));
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->key->kind, KeyChoice::Kind::password_file);
  EXPECT_EQ(settings->recovery_key_file, "/r");
}

TEST_F(SettingsTest, lists_come_from_commas_or_from_yaml) {
  const auto settings =
      resolve_settings(input_with_file("backup:\n  exclude: [سفارش‌ها, \"tmp_*\"]\n"),
                       environment_of({{"HOLDFAST_DATABASES", " shop, crm ,,"}}));
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->databases, (std::vector<std::string>{"shop", "crm"}));
  EXPECT_EQ(settings->exclude, (std::vector<std::string>{"سفارش‌ها", "tmp_*"}));
}

TEST_F(SettingsTest, a_stronger_database_replaces_a_weaker_all_and_the_reverse) {
  SettingsInput input = input_with_file("all_databases: true\n");
  flag(input, "databases", {"shop"});
  auto settings = resolve_settings(input, environment_of({}));
  ASSERT_TRUE(settings.ok());
  EXPECT_FALSE(settings->all_databases);

  SettingsInput reverse = input_with_file("databases: [shop]\n");
  flag(reverse, "all_databases", {"true"});
  settings = resolve_settings(reverse, environment_of({}));
  ASSERT_TRUE(settings.ok());
  EXPECT_TRUE(settings->all_databases);
  EXPECT_TRUE(settings->databases.empty());

  flag(reverse, "databases", {"shop"});
  EXPECT_FALSE(resolve_settings(reverse, environment_of({})).ok());
}

TEST_F(SettingsTest, tmpdir_is_below_the_file_and_above_the_default) {
  const auto spool = [&](const std::string& file, const std::string& tmpdir) {
    return resolve_settings(input_with_file(file), environment_of({{"TMPDIR", tmpdir}}))
        .value()
        .spool_folder;
  };
  EXPECT_EQ(spool("", ""), "/tmp");
  EXPECT_EQ(spool("", "/big"), "/big");
  EXPECT_EQ(spool("backup:\n  spool_folder: /chosen\n", "/big"), "/chosen");
}

TEST_F(SettingsTest, what_is_shown_holds_no_secret) {
  const auto settings = resolve_settings({.default_file = "/nowhere"},
                                         environment_of({{"MONGODB_URI", "mongodb://me:hunter2@h/"},
                                                         {"HOLDFAST_PASSWORD", "hunter2"}}));
  ASSERT_TRUE(settings.ok());
  for (const auto& [name, value] : settings->values) {
    EXPECT_EQ(shown_value(setting_named(name), value).find("hunter2"), std::string::npos) << name;
  }
}

TEST(SettingTable, the_reference_explains_every_setting_flag_and_variable) {
  std::ifstream file(std::string(HOLDFAST_SOURCE_DIR) + "/docs/reference/settings.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  for (const SettingInfo& info : setting_table()) {
    EXPECT_NE(page.find("| `" + std::string(info.name) + "`"), std::string::npos) << info.name;
    const std::string flag(info.flag.empty() ? "" : info.flag.substr(info.flag.find("--")));
    EXPECT_NE(page.find(flag), std::string::npos) << flag;
    for (const auto variable : info.variables) {
      EXPECT_NE(page.find("`" + std::string(variable) + "`"), std::string::npos) << variable;
    }
    for (const auto variable : info.file_variables) {
      EXPECT_NE(page.find("`" + std::string(variable) + "`"), std::string::npos) << variable;
    }
  }
}

TEST(SettingTable, no_secret_is_a_flags_value) {
  for (const SettingInfo& info : setting_table()) {
    if (info.secrecy == SettingSecrecy::whole) {
      EXPECT_TRUE(info.flag.empty()) << info.name;
      EXPECT_FALSE(info.in_file) << info.name;
    }
  }
}

}  // namespace
}  // namespace holdfast::cli
