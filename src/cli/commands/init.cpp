#include "cli/commands/init.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/open.h"
#include "cli/secret_input.h"
#include "repository/repository.h"

namespace holdfast::cli {
namespace {

constexpr std::string_view no_encryption_meaning =
    "WITHOUT ENCRYPTION: whoever can read this folder or a copy of it can read every document in\n"
    "it, phone numbers and password hashes included, and whoever can write to it can forge a\n"
    "backup. This cannot be changed later; a new repository would be needed.\n";

class InitCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "init",
        .group = "Repository",
        .summary = "Make a backup repository",
        .description =
            "Makes a repository in an empty or new folder, encrypted by a password or a key file. "
            "A recovery key is made as well and shown once: with it the backups can be read when "
            "the password is lost. Without a terminal it goes only into the file that "
            "--recovery-key-file names. Nothing that exists is ever overwritten.",
        .examples =
            {{"holdfast init -r /var/backups/shop",
              "Asks for a password twice and shows the recovery key."},
             {"holdfast init -r /var/backups/shop --password-file /etc/holdfast/password "
              "--recovery-key-file /root/recovery-key",
              "For scripts: nothing is asked; the recovery key goes into a new file (0600). Keep "
              "it somewhere else."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
        .setting_help = {{"repository", "Where: a folder that is empty or does not exist"},
                         {"password_file", "A file that holds the new password (its first line)"},
                         {"key_file", "A file whose content becomes the key"},
                         {"recovery_key_file",
                          "Write the recovery key into this file, which must not exist"}},
        .recovery_key_opens = false,
    };
  }

  void declare(CLI::App& app) override {
    app.add_flag("--no-encryption", no_encryption_,
                 "Keep everything readable and forgeable for whoever reaches the folder");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_CHECK(check(context));
    repository::InitOptions options;
    options.encrypt = !no_encryption_;
    if (options.encrypt) {
      HOLDFAST_TRY(options.first_key, read_key(context.settings.key));
      if (!context.settings.key) {
        HOLDFAST_TRY(options.first_key.password, ask_new_password(context, "New password"));
      }
    }
    const std::string& recovery_file = context.settings.recovery_key_file;
    if (!recovery_file.empty()) HOLDFAST_CHECK(reserve_secret_file(recovery_file));
    auto outcome = initialize(context, options);
    if (!outcome.ok()) {
      if (!recovery_file.empty()) discard_secret_file(recovery_file);
      return outcome.error();
    }
    return tell(context, *outcome);
  }

 private:
  /// Everything that can be refused before anything is made.
  Status check(Context& context) const {
    const Settings& settings = context.settings;
    if (settings.repository.empty()) return open_store(context, blob::OpenMode::create).error();
    if (no_encryption_) {
      if (settings.key && settings.key->origin == Origin::flag) {
        return Error(ErrorCode::usage, "--no-encryption and a key exclude each other");
      }
      if (!settings.recovery_key_file.empty()) {
        return Error(ErrorCode::usage, "without encryption there is no recovery key to write");
      }
      return {};
    }
    if (!settings.key && !context.terminal.can_ask()) {
      return Error(ErrorCode::usage, "no password or key file is given, and nobody is here to ask",
                   "give --password-file or --key-file, or set HOLDFAST_PASSWORD");
    }
    const bool can_show = context.terminal.out_is_terminal() && !context.output.json();
    if (settings.recovery_key_file.empty() && !can_show) {
      return Error(ErrorCode::usage,
                   "the recovery key is shown on a terminal only, and there is none",
                   "give --recovery-key-file FILE, and move that file to a safe place");
    }
    return check_recovery_file(settings);
  }

  /// A recovery key beside the data that it opens protects nothing.
  static Status check_recovery_file(const Settings& settings) {
    if (settings.recovery_key_file.empty()) return {};
    namespace fs = std::filesystem;
    std::error_code ignored;
    const auto file =
        fs::weakly_canonical(fs::absolute(settings.recovery_key_file, ignored), ignored);
    const auto folder = fs::weakly_canonical(fs::absolute(settings.repository, ignored), ignored);
    const auto relative = file.lexically_relative(folder);
    if (!relative.empty() && *relative.begin() != "..") {
      return Error(ErrorCode::usage,
                   "the recovery key file would lie inside the repository that it opens",
                   "name a file elsewhere, best on another machine");
    }
    return {};
  }

  static Result<repository::InitOutcome> initialize(Context& context,
                                                    const repository::InitOptions& options) {
    HOLDFAST_TRY(const auto store, open_store(context, blob::OpenMode::create));
    return repository::Repository::init(*store, options, context.random, context.clock);
  }

  Result<ExitCode> tell(Context& context, const repository::InitOutcome& outcome) const {
    const Settings& settings = context.settings;
    context.output.report(
        fmt::format("repository {} made at {}\n", outcome.repository_id, settings.repository));
    if (no_encryption_) context.terminal.write_error(std::string(no_encryption_meaning));
    if (outcome.recovery_key_text) {
      const ByteView text = outcome.recovery_key_text->view();
      if (!settings.recovery_key_file.empty()) {
        auto filled = fill_secret_file(settings.recovery_key_file, text);
        if (!filled.ok()) {
          return filled.error()
              .with_context("the repository was made, but its recovery key could not be written")
              .with_hint("'holdfast key add --recovery' makes another one");
        }
        context.output.report(fmt::format("recovery key written to {}; keep it somewhere else\n",
                                          settings.recovery_key_file));
      } else {
        context.terminal.write_out(fmt::format(
            "\nRecovery key, shown this once. Write it down and keep it away from this machine:\n"
            "\n    {}\n\nIt opens the backups when the password is lost.\n",
            as_text(text)));
      }
    }
    context.output.document(
        "holdfast.init/1",
        Json{{"repository_id", outcome.repository_id},
             {"repository", settings.repository},
             {"encrypted", !no_encryption_},
             {"recovery_key_file",
              outcome.recovery_key_text ? Json(settings.recovery_key_file) : Json(nullptr)}});
    return ExitCode::done;
  }

  bool no_encryption_ = false;
};

}  // namespace

std::unique_ptr<Command> make_init_command() { return std::make_unique<InitCommand>(); }

}  // namespace holdfast::cli
