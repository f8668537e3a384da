#include "cli/commands/key_add.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/open.h"
#include "cli/secret_input.h"

namespace holdfast::cli {
namespace {

class KeyAddCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "key add",
        .group = "Repository",
        .summary = "Add a password, a key file or a recovery key",
        .description =
            "Adds one more way to open the repository; the others stay. To change a password, add "
            "the new one and remove the old one. Without options it asks for a new password on "
            "the terminal. A new recovery key is shown once, or written into "
            "--new-recovery-key-file.",
        .examples = {{"holdfast key add -r /var/backups/shop --label anna",
                      "Asks for the present password, then twice for the new one."},
                     {"holdfast key add -r /var/backups/shop --new-key-file /root/shop.key",
                      "The content of that file opens the repository from now on."},
                     {"holdfast key add --recovery --new-recovery-key-file /root/recovery-key",
                      "Another recovery key, when the first was lost."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  void declare(CLI::App& app) override {
    auto* password = app.add_option("--new-password-file", new_password_file_,
                                    "A file that holds the new password (its first line)")
                         ->type_name("FILE");
    auto* file =
        app.add_option("--new-key-file", new_key_file_, "A file whose content becomes a key")
            ->type_name("FILE");
    auto* recovery = app.add_flag("--recovery", recovery_, "Make a new recovery key");
    app.add_option("--new-recovery-key-file", new_recovery_key_file_,
                   "Write the new recovery key into this file, which must not exist")
        ->type_name("FILE")
        ->needs(recovery);
    app.add_option("--label", label_, "A word by which people know this key")->type_name("TEXT");
    password->excludes(file)->excludes(recovery);
    file->excludes(recovery);
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_CHECK(check(context));
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
    if (!repository->encrypted()) {
      return Error(ErrorCode::precondition, "this repository is not encrypted: it has no keys");
    }
    HOLDFAST_TRY(const repository::Unlock key, new_key(context));
    if (!new_recovery_key_file_.empty()) {
      HOLDFAST_CHECK(reserve_secret_file(new_recovery_key_file_));
    }
    auto added = repository->add_key(key, recovery_, label_);
    if (!added.ok()) {
      if (!new_recovery_key_file_.empty()) discard_secret_file(new_recovery_key_file_);
      return added.error();
    }
    const auto& [info, recovery_text] = *added;
    context.output.report(fmt::format("key {} added ({})\n", info.id, info.kind));
    if (recovery_text) HOLDFAST_CHECK(hand_over(context, recovery_text->view()));
    context.output.document("holdfast.key-add/1", Json{{"id", info.id},
                                                       {"kind", info.kind},
                                                       {"label", info.label},
                                                       {"created", json_time(info.created)}});
    return ExitCode::done;
  }

 private:
  Status check(Context& context) const {
    const bool can_show = context.terminal.out_is_terminal() && !context.output.json();
    if (recovery_ && new_recovery_key_file_.empty() && !can_show) {
      return Error(ErrorCode::usage,
                   "the recovery key is shown on a terminal only, and there is none",
                   "give --new-recovery-key-file FILE");
    }
    const bool asks = !recovery_ && new_password_file_.empty() && new_key_file_.empty();
    if (asks && !context.terminal.can_ask()) {
      return Error(ErrorCode::usage, "no new key is given, and nobody is here to ask",
                   "give --new-password-file, --new-key-file or --recovery");
    }
    return {};
  }

  Result<repository::Unlock> new_key(Context& context) const {
    repository::Unlock key;
    if (recovery_) return key;
    if (!new_password_file_.empty()) {
      HOLDFAST_TRY(key.password, read_secret_line(new_password_file_));
    } else if (!new_key_file_.empty()) {
      HOLDFAST_TRY(key.key_file, read_secret_file(new_key_file_));
    } else {
      HOLDFAST_TRY(key.password, ask_new_password(context, "New password"));
    }
    return key;
  }

  Status hand_over(Context& context, ByteView text) const {
    if (!new_recovery_key_file_.empty()) return fill_secret_file(new_recovery_key_file_, text);
    context.terminal.write_out(
        fmt::format("\nRecovery key, shown this once:\n\n    {}\n\n", as_text(text)));
    return {};
  }

  std::string new_password_file_;
  std::string new_key_file_;
  std::string new_recovery_key_file_;
  std::string label_;
  bool recovery_ = false;
};

}  // namespace

std::unique_ptr<Command> make_key_add_command() { return std::make_unique<KeyAddCommand>(); }

}  // namespace holdfast::cli
