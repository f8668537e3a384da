#include "cli/commands/key_list.h"

#include "cli/open.h"
#include "cli/show_snapshot.h"
#include "cli/table.h"

namespace holdfast::cli {
namespace {

class KeyListCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "key list",
        .group = "Repository",
        .summary = "List the keys that open the repository",
        .description =
            "Lists every password, key file and recovery key that opens the "
            "repository, by id, kind and label; never their content.",
        .examples = {{"holdfast key list -r /var/backups/shop", "Who can open this repository?"}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(const auto keys, repository->keys());
    Table table({{"ID"}, {"KIND"}, {"CREATED"}, {"LABEL"}});
    Json list = Json::array();
    for (const repository::KeyInfo& key : keys) {
      table.add_row({key.id, key.kind, shown_time(key.created), key.label});
      list.push_back({{"id", key.id},
                      {"kind", key.kind},
                      {"label", key.label},
                      {"created", json_time(key.created)}});
    }
    context.output.print(keys.empty() ? "no keys: this repository is not encrypted\n"
                                      : table.text());
    context.output.document("holdfast.key-list/1",
                            Json{{"encrypted", repository->encrypted()}, {"keys", list}});
    return ExitCode::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_key_list_command() { return std::make_unique<KeyListCommand>(); }

}  // namespace holdfast::cli
