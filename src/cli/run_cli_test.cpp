#include "cli/run_cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/temporary_folder_testing.h"
#include "cli/output.h"
#include "cli/terminal_testing.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// Runs the whole program but for the process around it; no server is needed for what is here.
class RunCli : public testing::Test {
 protected:
  ExitCode run(const std::vector<std::string>& arguments) {
    terminal.out.clear();
    terminal.errors.clear();
    return run_command_line(
        Invocation{.arguments = arguments,
                   .environment = [this](std::string_view name) -> std::optional<std::string> {
                     const auto at = variables.find(name);
                     return at == variables.end() ? std::nullopt : std::optional(at->second);
                   },
                   .terminal = terminal,
                   .clock = clock,
                   .random = random,
                   .stop = {},
                   .default_config_file = (folder.path() / "default.yaml").string()});
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(folder.path() / name) << content;
    return path(name);
  }
  static mode_t mode_of(const std::string& file) {
    struct stat status {};
    EXPECT_EQ(::stat(file.c_str(), &status), 0);
    return status.st_mode & 07777U;
  }
  /// A repository with the password "secret", named by the environment.
  void make_repository() {
    variables["HOLDFAST_REPOSITORY"] = path("repository");
    variables["HOLDFAST_PASSWORD"] = "secret";
    ASSERT_EQ(run({"init", "--recovery-key-file", path("recovery")}), ExitCode::done)
        << terminal.errors;
  }

  TemporaryFolder folder;
  FakeTerminal terminal;
  std::map<std::string, std::string, std::less<>> variables;
  SystemClock clock;
  SystemRandom random;
};

TEST_F(RunCli, shows_help_on_standard_output) {
  EXPECT_EQ(run({"--help"}), ExitCode::done);
  EXPECT_THAT(terminal.out, HasSubstr("Exit codes:"));
  EXPECT_EQ(run({"backup", "--help"}), ExitCode::done);
  EXPECT_THAT(terminal.out, StartsWith("holdfast backup - "));
  EXPECT_EQ(run({"help", "snapshot", "tag"}), ExitCode::done);
  EXPECT_THAT(terminal.out, StartsWith("holdfast snapshot tag - "));
  EXPECT_EQ(run({"snapshot", "--help"}), ExitCode::done);
  EXPECT_THAT(terminal.out, HasSubstr("snapshot untag"));
  EXPECT_EQ(run({"--version"}), ExitCode::done);
  EXPECT_THAT(terminal.out, StartsWith("holdfast 0."));
  EXPECT_THAT(terminal.errors, IsEmpty());
}

TEST_F(RunCli, shows_help_even_when_the_rest_of_the_line_is_wrong) {
  EXPECT_EQ(run({"restore", "--nonsense", "--help"}), ExitCode::done);
  EXPECT_THAT(terminal.out, StartsWith("holdfast restore - "));
}

TEST_F(RunCli, refuses_a_wrong_line_with_a_hint) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "Usage:"},
      {{"bakcup"}, "did you mean 'backup'?"},
      {{"snapshot"}, "needs one of: create, tag, untag, remove"},
      {{"snapshot", "tagg"}, "did you mean 'snapshot tag'?"},
      {{"backup", "--tga", "x"}, "unknown option '--tga'\nhint: did you mean '--tag'?"},
      {{"backup", "--tga=x"}, "unknown option '--tga'"},
      {{"backup", "-Z"}, "unknown option '-Z'"},
      {{"show"}, "snapshot is required"},
      {{"show", "a", "b"}, "unexpected argument 'b'"},
      {{"show", "verify", "backup"}, "unexpected argument 'backup'"},
      {{"restore", "x", "--drop", "--merge"}, "--drop excludes --merge"},
      {{"restore", "x", "--in-place"}, "--in-place requires --drop"},
      {{"restore", "x", "--on-conflict", "keep"}, "--on-conflict requires --merge"},
      {{"restore", "x", "--merge", "--on-conflict", "maybe"}, "maybe not in"},
      {{"backup", "--uri", "a", "--uri", "b"}, "--uri"},
      {{"smokava", "seed", "--userpackages", "many"}, "--userpackages"},
      {{"help", "bakcup"}, "did you mean 'backup'?"},
  };
  for (const auto& [arguments, expected] : cases) {
    EXPECT_EQ(run(arguments), ExitCode::usage) << testing::PrintToString(arguments);
    EXPECT_THAT(terminal.errors, HasSubstr(expected));
    EXPECT_THAT(terminal.out, IsEmpty());
  }
}

TEST_F(RunCli, takes_no_secret_as_a_flags_value) {
  EXPECT_EQ(run({"snapshots", "--password", "hunter2"}), ExitCode::usage);
  EXPECT_THAT(terminal.errors, HasSubstr("--password-file"));
  EXPECT_THAT(terminal.errors, Not(HasSubstr("hunter2")));
  EXPECT_EQ(run({"snapshots", "--password=hunter2"}), ExitCode::usage);
  EXPECT_THAT(terminal.errors, Not(HasSubstr("hunter2")));
}

TEST_F(RunCli, takes_common_options_before_the_command) {
  EXPECT_EQ(run({"--json", "version"}), ExitCode::done);
  EXPECT_EQ(Json::parse(terminal.out)["format"], "holdfast.version/1");
  EXPECT_EQ(run({"--log-level", "debug", "--json", "version"}), ExitCode::done);
  EXPECT_EQ(run({"--log-level"}), ExitCode::usage);
}

TEST_F(RunCli, reports_errors_in_json_too) {
  EXPECT_EQ(run({"snapshots", "--json", "-r", path("nowhere")}), ExitCode::no_repository);
  const Json error = Json::parse(terminal.out);
  EXPECT_EQ(error["type"], "error");
  EXPECT_EQ(error["code"], "no_repository");
  EXPECT_EQ(error["exit_code"], 10);
  EXPECT_THAT(terminal.errors, StartsWith("error: "));
  EXPECT_EQ(run({"bakcup", "--json"}), ExitCode::usage);
  EXPECT_EQ(Json::parse(terminal.out)["exit_code"], 2);
  EXPECT_EQ(run({"show", "--json"}), ExitCode::usage);
  EXPECT_EQ(Json::parse(terminal.out)["exit_code"], 2);
}

TEST_F(RunCli, says_what_is_not_configured) {
  EXPECT_EQ(run({"snapshots"}), ExitCode::usage);
  EXPECT_THAT(terminal.errors, HasSubstr("BACKUP_PATH"));
  EXPECT_EQ(run({"smokava", "seed"}), ExitCode::usage);
  EXPECT_THAT(terminal.errors, HasSubstr("MONGODB_URI"));
  EXPECT_EQ(run({"doctor"}), ExitCode::usage);
}

TEST_F(RunCli, works_around_a_broken_configuration_only_for_help_and_version) {
  write("default.yaml", "nonsense: 1\n");
  EXPECT_EQ(run({"version"}), ExitCode::done);
  EXPECT_EQ(run({"help"}), ExitCode::done);
  EXPECT_EQ(run({"config", "show"}), ExitCode::usage);
  EXPECT_THAT(terminal.errors, HasSubstr("line 1: unknown key 'nonsense'"));
}

TEST_F(RunCli, config_show_names_each_origin_and_masks_secrets) {
  write("default.yaml", "repository: /from/file\n");
  variables["MONGODB_URI"] = "mongodb://me:hunter2@h/shop";
  variables["HOLDFAST_PASSWORD"] = "hunter3";
  EXPECT_EQ(run({"config", "show", "--compression", "max"}), ExitCode::done) << terminal.errors;
  EXPECT_THAT(terminal.out, HasSubstr("MONGODB_URI"));
  EXPECT_THAT(terminal.out, HasSubstr("default.yaml line 1"));
  EXPECT_THAT(terminal.out, HasSubstr("--compression"));
  EXPECT_THAT(terminal.out, HasSubstr("mongodb://me:***@h/shop"));
  EXPECT_THAT(terminal.out, Not(HasSubstr("hunter")));
  EXPECT_EQ(run({"config", "show", "--json"}), ExitCode::done);
  EXPECT_THAT(terminal.out, Not(HasSubstr("hunter")));
  EXPECT_EQ(Json::parse(terminal.out)["settings"][0]["origin"], "environment");
}

TEST_F(RunCli, init_makes_nothing_when_the_recovery_key_has_nowhere_to_go) {
  variables["HOLDFAST_PASSWORD"] = "secret";
  EXPECT_EQ(run({"init", "-r", path("repository")}), ExitCode::usage);
  EXPECT_FALSE(std::filesystem::exists(path("repository")));
  write("taken", "precious");
  EXPECT_EQ(run({"init", "-r", path("repository"), "--recovery-key-file", path("taken")}),
            ExitCode::failed);
  EXPECT_FALSE(std::filesystem::exists(path("repository")));
  EXPECT_EQ(std::filesystem::file_size(path("taken")), 8U);
  EXPECT_EQ(run({"init", "-r", path("repository"), "--recovery-key-file",
                 path("repository/../repository/recovery")}),
            ExitCode::usage);
  EXPECT_FALSE(std::filesystem::exists(path("repository")));
}

TEST_F(RunCli, init_without_a_terminal_wants_a_key) {
  EXPECT_EQ(run({"init", "-r", path("repository"), "--recovery-key-file", path("recovery")}),
            ExitCode::usage);
  EXPECT_FALSE(std::filesystem::exists(path("recovery")));
  EXPECT_FALSE(std::filesystem::exists(path("repository")));
}

TEST_F(RunCli, init_takes_the_reserved_recovery_file_away_when_it_fails) {
  variables["HOLDFAST_PASSWORD"] = "secret";
  std::filesystem::create_directory(path("full"));
  write("full/something", "else");
  EXPECT_EQ(run({"init", "-r", path("full"), "--recovery-key-file", path("recovery")}),
            ExitCode::failed);
  EXPECT_FALSE(std::filesystem::exists(path("recovery")));
}

TEST_F(RunCli, init_writes_files_for_the_owner_only_whatever_the_umask) {
  const mode_t before = ::umask(0);
  make_repository();
  ::umask(before);
  EXPECT_EQ(mode_of(path("recovery")), 0600U);
  EXPECT_EQ(mode_of(path("repository")), 0700U);
  EXPECT_EQ(mode_of(path("repository/holdfast.json")), 0600U);
}

TEST_F(RunCli, init_asks_twice_and_shows_the_recovery_key_once_on_a_terminal) {
  terminal.interactive = true;
  terminal.answers = {"one", "two"};
  EXPECT_EQ(run({"init", "-r", path("repository")}), ExitCode::usage);
  EXPECT_FALSE(std::filesystem::exists(path("repository")));
  terminal.answers = {"secret", "secret"};
  ASSERT_EQ(run({"init", "-r", path("repository")}), ExitCode::done) << terminal.errors;
  EXPECT_THAT(terminal.out, HasSubstr("Recovery key, shown this once"));
  EXPECT_THAT(terminal.out + terminal.errors, Not(HasSubstr("secret")));
  // Asked for again, with a wrong one first.
  terminal.answers = {"wrong", "secret"};
  EXPECT_EQ(run({"snapshots", "-r", path("repository")}), ExitCode::done) << terminal.errors;
  EXPECT_THAT(terminal.errors, HasSubstr("that is not it"));
}

TEST_F(RunCli, init_without_encryption_says_what_that_means) {
  EXPECT_EQ(run({"init", "-r", path("repository"), "--no-encryption"}), ExitCode::done)
      << terminal.errors;
  EXPECT_THAT(terminal.errors, HasSubstr("WITHOUT ENCRYPTION"));
  EXPECT_EQ(run({"key", "list", "-r", path("repository")}), ExitCode::done);
  EXPECT_THAT(terminal.out, HasSubstr("not encrypted"));
}

TEST_F(RunCli, init_refuses_a_repository_that_exists) {
  make_repository();
  EXPECT_EQ(run({"init", "--recovery-key-file", path("another")}), ExitCode::failed);
  EXPECT_FALSE(std::filesystem::exists(path("another")));
  EXPECT_EQ(run({"snapshots"}), ExitCode::done);
}

TEST_F(RunCli, tells_a_wrong_key_from_no_repository) {
  make_repository();
  variables["HOLDFAST_PASSWORD"] = "wrong";
  EXPECT_EQ(run({"snapshots"}), ExitCode::wrong_key);
  EXPECT_THAT(terminal.errors, Not(HasSubstr("wrong\n")));
  variables.erase("HOLDFAST_PASSWORD");
  EXPECT_EQ(run({"snapshots"}), ExitCode::wrong_key);
  EXPECT_THAT(terminal.errors, HasSubstr("--password-file"));
  EXPECT_EQ(run({"snapshots", "-r", path("empty")}), ExitCode::no_repository);
  std::filesystem::create_directory(path("empty"));
  EXPECT_EQ(run({"snapshots", "-r", path("empty")}), ExitCode::no_repository);
}

TEST_F(RunCli, keys_are_added_listed_used_and_removed) {
  make_repository();
  const auto key = write("new.key", "0123456789abcdef0123456789abcdef");
  ASSERT_EQ(run({"key", "add", "--new-key-file", key, "--label", "anna"}), ExitCode::done)
      << terminal.errors;
  ASSERT_EQ(run({"key", "add", "--recovery"}), ExitCode::usage);
  ASSERT_EQ(run({"key", "add", "--recovery", "--new-recovery-key-file", path("second")}),
            ExitCode::done)
      << terminal.errors;
  EXPECT_EQ(mode_of(path("second")), 0600U);
  ASSERT_EQ(run({"key", "list", "--json"}), ExitCode::done);
  const Json keys = Json::parse(terminal.out)["keys"];
  EXPECT_EQ(keys.size(), 4U);
  variables.erase("HOLDFAST_PASSWORD");
  EXPECT_EQ(run({"snapshots", "--key-file", key}), ExitCode::done) << terminal.errors;
  EXPECT_EQ(run({"snapshots", "--recovery-key-file", path("recovery")}), ExitCode::done);
  EXPECT_EQ(run({"snapshots", "--recovery-key-file", path("second")}), ExitCode::done);
  for (const auto& one : keys) {
    if (one["label"] != "anna") continue;
    const std::string id = one["id"];
    EXPECT_EQ(run({"key", "remove", id, "--recovery-key-file", path("second")}), ExitCode::usage);
    EXPECT_THAT(terminal.errors, HasSubstr("--yes"));
    EXPECT_EQ(run({"key", "remove", id, "--yes", "--recovery-key-file", path("second")}),
              ExitCode::done);
  }
  EXPECT_EQ(run({"snapshots", "--key-file", key}), ExitCode::wrong_key);
}

TEST_F(RunCli, tells_of_an_empty_repository) {
  make_repository();
  EXPECT_EQ(run({"snapshots"}), ExitCode::done);
  EXPECT_EQ(terminal.out, "no snapshots yet\n");
  EXPECT_EQ(run({"status"}), ExitCode::findings);
  EXPECT_EQ(terminal.out, "no backup yet\n");
  EXPECT_EQ(run({"verify"}), ExitCode::done);
  EXPECT_EQ(run({"info", "--json"}), ExitCode::done);
  EXPECT_EQ(Json::parse(terminal.out)["snapshots"], 0);
  EXPECT_EQ(run({"show", "latest"}), ExitCode::failed);
  EXPECT_EQ(run({"show", "abcd1234"}), ExitCode::failed);
  EXPECT_EQ(run({"snapshot", "remove", "latest"}), ExitCode::usage);
}

}  // namespace
}  // namespace holdfast::cli
