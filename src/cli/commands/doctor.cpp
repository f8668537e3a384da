#include "cli/commands/doctor.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <sstream>

#include "base/text.h"
#include "cli/open.h"
#include "service/doctor.h"

namespace holdfast::cli {
namespace {

class DoctorCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "doctor",
        .group = "Help",
        .summary = "Check server, rights and repository, and say what to do",
        .description =
            "Looks at the server (does it answer, its version, is it a replica set and what that "
            "means, may this account back up and restore, does its log open, its clock) and at the "
            "repository (does it open, is it whole, is there space for the next backup). Each line "
            "is ok, warn or fail, and says what to do, with the commands. Changes nothing. Exit "
            "code 0 if nothing fails, else 4.",
        .examples = {{"holdfast doctor --uri mongodb://localhost/shop -r /var/backups/shop",
                      "Is everything ready for backups of shop?"},
                     {"holdfast doctor --json | jq '.checks[] | select(.verdict != \"ok\")'",
                      "What is not well."}},
        .settings = {"uri", "repository", "password_file", "key_file", "recovery_key_file",
                     "databases", "all_databases"},
        .setting_help = {{"databases",
                          "A database whose backup is meant, repeatable; else the URI's"},
                         {"all_databases", "The backup of every database is meant"}},
    };
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    const Settings& settings = context.settings;
    if (settings.uri.empty() && settings.repository.empty()) {
      return Error(ErrorCode::usage, "neither a server nor a repository is named",
                   "give --uri and --repository, set MONGODB_URI and BACKUP_PATH, or write them "
                   "into the configuration file");
    }
    std::vector<service::Check> checks;
    look_at_configuration(settings, checks);
    look_at_server(context, checks);
    look_at_repository(context, checks);
    context.output.print(text_of(context.output, checks));
    Json list = Json::array();
    for (const auto& check : checks) {
      list.push_back({{"name", check.name},
                      {"verdict", service::name_of(check.verdict)},
                      {"finding", mask_uri(check.finding)},
                      {"advice", check.advice}});
    }
    const auto worst = service::worst_of(checks);
    context.output.document("holdfast.doctor/1",
                            Json{{"verdict", service::name_of(worst)}, {"checks", list}});
    return worst == service::Verdict::fail ? ExitCode::findings : ExitCode::done;
  }

 private:
  /// A password in a file that others may read is no secret.
  static void look_at_configuration(const Settings& settings, std::vector<service::Check>& checks) {
    const auto uri = settings.values.find("uri");
    const bool holds_secret = uri != settings.values.end() && uri->second.origin == Origin::file &&
                              mask_uri(settings.uri) != settings.uri;
    struct stat status {};
    if (!holds_secret || ::stat(settings.config_file.c_str(), &status) != 0) return;
    if ((status.st_mode & (S_IRGRP | S_IROTH)) == 0) return;
    checks.push_back({"configuration", service::Verdict::warn,
                      settings.config_file + " holds a password, and others may read it",
                      "chmod 600 " + settings.config_file});
  }

  static void look_at_server(Context& context, std::vector<service::Check>& checks) {
    if (context.settings.uri.empty()) {
      checks.push_back({"connection", service::Verdict::warn, "no server is configured",
                        "Give --uri or set MONGODB_URI."});
      return;
    }
    const auto began = context.clock.steady_now();
    const auto client = connect(context);
    if (!client.ok()) {
      checks.push_back(
          {"connection", service::Verdict::fail, client.error().message(), client.error().hint()});
      return;
    }
    const auto& connected = **client;
    checks.push_back({"connection",
                      service::Verdict::ok,
                      fmt::format("{} answers in {}", connected.masked_uri(),
                                  format_duration(context.clock.steady_now() - began)),
                      {}});
    for (auto& check : service::examine_server(**client, databases_of(context.settings, connected),
                                               context.clock)) {
      checks.push_back(std::move(check));
    }
  }

  static std::vector<std::string> databases_of(const Settings& settings,
                                               const mongo::Client& client) {
    if (!settings.databases.empty() || settings.all_databases) return settings.databases;
    const std::string named = data_database(client);
    return named.empty() ? std::vector<std::string>{} : std::vector<std::string>{named};
  }

  static void look_at_repository(Context& context, std::vector<service::Check>& checks) {
    if (context.settings.repository.empty()) {
      checks.push_back({"repository", service::Verdict::warn, "no repository is configured",
                        "Give --repository or set BACKUP_PATH."});
      return;
    }
    const auto repository = open_repository(context, blob::OpenMode::read_only);
    if (!repository.ok()) {
      checks.push_back({"repository", service::Verdict::fail, repository.error().message(),
                        repository.error().hint()});
      return;
    }
    checks.push_back(
        {"repository", service::Verdict::ok, (*repository)->store().location() + " opens", {}});
    for (auto& check : service::examine_repository(**repository, context.clock)) {
      checks.push_back(std::move(check));
    }
  }

  static std::string text_of(const Output& output, const std::vector<service::Check>& checks) {
    std::string text;
    for (const auto& check : checks) {
      const auto color = check.verdict == service::Verdict::ok     ? Output::Color::green
                         : check.verdict == service::Verdict::warn ? Output::Color::yellow
                                                                   : Output::Color::red;
      const std::string word = fmt::format("{:<4}", service::name_of(check.verdict));
      text += fmt::format("{}  {:<14}  {}\n", output.colored(word, color), check.name,
                          sanitize_for_terminal(mask_uri(check.finding)));
      std::istringstream lines(check.advice);
      for (std::string line; std::getline(lines, line);) {
        text += "      " + sanitize_for_terminal(line) + "\n";
      }
    }
    return text;
  }
};

}  // namespace

std::unique_ptr<Command> make_doctor_command() { return std::make_unique<DoctorCommand>(); }

}  // namespace holdfast::cli
