#include "cli/commands/profile_validate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/show_snapshot.h"
#include "profile/profile.h"

namespace holdfast::cli {
namespace {

class ProfileValidateCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "profile validate",
        .group = "Rules",
        .summary = "Check a profile itself",
        .description =
            "Reads a profile and says whether it makes sense: its names, schemas and expressions. "
            "No data are looked at. An error names the line; the exit code is then 2.",
        .examples = {{"holdfast profile validate shop.yaml", "In an editor's hook."}},
        .settings = {},
        .reads_settings = false,
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("file", file_, "The profile")->type_name("FILE")->required();
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto profile, profile::read_profile(file_));
    context.output.print(fmt::format("{} is valid: {}, {}, {}\n", profile.name,
                                     counted(profile.collections.size(), "collection"),
                                     counted(profile.views.size(), "view"),
                                     counted(profile.rules.size(), "rule")));
    Json rules = Json::array();
    for (const auto& rule : profile.rules) {
      rules.push_back({{"id", rule.id},
                       {"severity", profile::name_of(rule.severity)},
                       {"collection", profile.collection_of(rule)},
                       {"sentence", rule.sentence}});
    }
    context.output.document("holdfast.profile-validate/1",
                            Json{{"profile", profile.name},
                                 {"collections", profile.collections.size()},
                                 {"views", profile.views.size()},
                                 {"rules", rules}});
    return ExitCode::done;
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> make_profile_validate_command() {
  return std::make_unique<ProfileValidateCommand>();
}

}  // namespace holdfast::cli
