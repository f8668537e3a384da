#include "cli/commands/snapshots.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/open.h"
#include "cli/show_snapshot.h"
#include "cli/table.h"

namespace holdfast::cli {
namespace {

class SnapshotsCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "snapshots",
        .group = "Backups",
        .summary = "List the snapshots",
        .description =
            "Lists every snapshot, oldest first: when it was finished, what is in it, what it "
            "added to the repository, and how exact it is. A critical one carries its reason. "
            "Ends with exit code 4 if a manifest is damaged; the others are listed all the same.",
        .examples = {{"holdfast snapshots -r /var/backups/shop", "All snapshots as a table."},
                     {"holdfast snapshots --json | jq -r '.snapshots[-1].id'",
                      "The newest one's id."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(const auto listing, repository->list());
    context.output.print(listing.snapshots.empty() ? "no snapshots yet\n" : table_of(listing));
    Json snapshots = Json::array();
    Json damaged = Json::array();
    for (const auto& summary : listing.snapshots) snapshots.push_back(summary_json(summary));
    for (const auto& damage : listing.damaged) {
      damaged.push_back(damage_json(damage));
      context.output.warn("damaged: " + damage.where + ": " + damage.sentence);
    }
    context.output.document("holdfast.snapshots/1",
                            Json{{"snapshots", snapshots}, {"damaged", damaged}});
    return listing.damaged.empty() ? ExitCode::done : ExitCode::findings;
  }

 private:
  static std::string table_of(const repository::Repository::Listing& listing) {
    Table table({{"ID"},
                 {"FINISHED"},
                 {"KIND"},
                 {"SOURCE"},
                 {"DATABASES"},
                 {"DOCUMENTS", Align::right},
                 {"SIZE", Align::right},
                 {"STORED", Align::right},
                 {"CONSISTENCY"},
                 {"TAGS"},
                 {"CRITICAL"}});
    for (const auto& summary : listing.snapshots) {
      std::string databases = joined(summary.databases);
      if (!summary.whole) databases += " (in part)";
      table.add_row({summary.id, shown_time(summary.finished), std::string(name_of(summary.kind)),
                     summary.source.description, databases, format_count(summary.documents),
                     format_bytes(summary.document_bytes), format_bytes(summary.stored_bytes),
                     std::string(consistency_word(summary.consistency)), joined(summary.tags),
                     summary.critical_reason});
    }
    return table.text();
  }
};

}  // namespace

std::unique_ptr<Command> make_snapshots_command() { return std::make_unique<SnapshotsCommand>(); }

}  // namespace holdfast::cli
