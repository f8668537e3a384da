#include "cli/commands/config_show.h"

#include <fmt/format.h>

#include "cli/open.h"
#include "cli/table.h"

namespace holdfast::cli {
namespace {

class ConfigShowCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    std::vector<std::string_view> all;
    for (const SettingInfo& setting : setting_table()) {
      const bool common = setting.name.starts_with("log.");
      const bool twice = setting.name == "restore.workers";  // shares its flag
      if (!setting.flag.empty() && !common && !twice) all.push_back(setting.name);
    }
    return {
        .name = "config show",
        .group = "Help",
        .summary = "Show every setting and where it comes from",
        .description =
            "Shows each setting's value and origin: a flag, the environment, the configuration "
            "file with its line, or the default. Secrets are masked. Flags can be given to see "
            "what they would change.",
        .examples = {{"holdfast config show", "What would a backup use here?"},
                     {"holdfast config show --config /etc/holdfast/shop.yaml",
                      "With that file instead of the default one."}},
        .settings = all,
    };
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    const Settings& settings = context.settings;
    Table table({{"SETTING"}, {"VALUE"}, {"ORIGIN"}});
    Json list = Json::array();
    for (const SettingInfo& info : setting_table()) {
      const auto at = settings.values.find(info.name);
      const bool set = at != settings.values.end();
      const std::string value = set ? shown_value(info, at->second) : "-";
      const std::string origin = !set                       ? "not set"
                                 : at->second.where.empty() ? "default"
                                                            : at->second.where;
      table.add_row({std::string(info.name), value, origin});
      list.push_back({{"name", info.name},
                      {"value", set ? Json(value) : Json(nullptr)},
                      {"origin", set ? Json(name_of(at->second.origin)) : Json(nullptr)},
                      {"where", set ? Json(at->second.where) : Json(nullptr)}});
    }
    const std::string file = settings.config_file.empty()
                                 ? fmt::format("none ({} does not exist)", default_config_file)
                                 : settings.config_file;
    context.output.print(fmt::format("configuration file: {}\n\n{}", file, table.text()));
    context.output.document(
        "holdfast.config/1",
        Json{{"config_file",
              settings.config_file.empty() ? Json(nullptr) : Json(settings.config_file)},
             {"settings", list}});
    return ExitCode::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_config_show_command() {
  return std::make_unique<ConfigShowCommand>();
}

}  // namespace holdfast::cli
