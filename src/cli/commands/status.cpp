#include "cli/commands/status.h"

#include <algorithm>

#include "base/text.h"
#include "cli/open.h"
#include "cli/show_coverage.h"
#include "cli/show_snapshot.h"
#include "service/overview.h"
#include "service/safety_snapshot.h"

namespace holdfast::cli {
namespace {

class StatusCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "status",
        .group = "Backups",
        .summary = "Say in one line how things stand",
        .description =
            "One line: what can be restored, to any second where a log is stored, when the last "
            "backup ended and how exact it is, how much is stored. Exit code 4 if there "
            "is no backup or a manifest is damaged.",
        .examples = {{"holdfast status", "For people, and for a login message."},
                     {"holdfast status --json | jq .last_backup.age_seconds",
                      "For a monitor that knows how old a backup may be."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(const auto listing, repository->list());
    const WallTime now = context.clock.now();
    const auto line = service::glance(listing.snapshots, listing.damaged, now);
    HOLDFAST_TRY(const auto coverage, read_coverage(*repository));
    const std::string any_second = coverage_glance(coverage, now);
    const std::string text = any_second.empty() ? line.text : any_second + " · " + line.text;
    context.output.print(text + "\n");
    Json spans = Json::array();
    for (const auto& one : coverage) spans.push_back(coverage_json(one));
    Json document{{"healthy", line.healthy},
                  {"text", text},
                  {"snapshots", listing.snapshots.size()},
                  {"damaged_manifests", listing.damaged.size()},
                  {"coverage", spans},
                  {"last_backup", nullptr}};
    const auto last =
        std::find_if(listing.snapshots.rbegin(), listing.snapshots.rend(),
                     [](const auto& one) { return !service::is_safety_snapshot(one); });
    if (last != listing.snapshots.rend()) {
      Json json = summary_json(*last);
      json["age_seconds"] =
          std::chrono::duration_cast<std::chrono::seconds>(now - last->finished).count();
      document["last_backup"] = std::move(json);
    }
    context.output.document("holdfast.status/1", std::move(document));
    return line.healthy ? ExitCode::done : ExitCode::findings;
  }
};

}  // namespace

std::unique_ptr<Command> make_status_command() { return std::make_unique<StatusCommand>(); }

}  // namespace holdfast::cli
