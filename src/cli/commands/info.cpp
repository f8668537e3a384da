#include "cli/commands/info.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/open.h"
#include "cli/show_coverage.h"
#include "cli/show_snapshot.h"
#include "cli/table.h"
#include "service/overview.h"

namespace holdfast::cli {
namespace {

class InfoCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "info",
        .group = "Repository",
        .summary = "Show the repository at a glance",
        .description =
            "Format, encryption, keys, sources, snapshots with the first and the last, sizes, and "
            "how much no snapshot uses any more (which may belong to a backup that runs now). "
            "Exit code 4 if a manifest is damaged.",
        .examples = {{"holdfast info -r /var/backups/shop", "Everything about this repository."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(const auto overview, service::look_over(*repository));
    HOLDFAST_TRY(const auto coverage, read_coverage(*repository));
    HOLDFAST_TRY(const auto log, repository->list_log({}));
    std::string text = text_of(overview, context.clock.now());
    Json document = json_of(overview);
    document["log_segments"] = log.segments.size();
    document["coverage"] = Json::array();
    for (const auto& one : coverage) document["coverage"].push_back(coverage_json(one));
    if (!log.segments.empty()) text += "\n" + log_text(log.segments);
    for (const auto& one : coverage) {
      if (!log.segments.empty()) text += coverage_text(one);
    }
    context.output.print(text);
    context.output.document("holdfast.info/1", std::move(document));
    for (const auto& damage : overview.damaged) {
      context.output.warn("damaged: " + damage.where + ": " + damage.sentence);
    }
    return overview.damaged.empty() ? ExitCode::done : ExitCode::findings;
  }

 private:
  static std::string text_of(const service::RepositoryOverview& overview, WallTime now) {
    std::string text;
    const auto line = [&](std::string_view name, const std::string& value) {
      text += fmt::format("{:<12} {}\n", name, sanitize_for_terminal(value));
    };
    line("repository", fmt::format("{} at {}", overview.id, overview.location));
    line("created", shown_time(overview.created));
    line("format", std::to_string(overview.format));
    line("encryption", overview.encrypted ? "on" : "OFF");
    line("keys", keys_text(overview.keys));
    line("snapshots", fmt::format("{} ({} exact, {} critical)", overview.snapshots,
                                  overview.exact_snapshots, overview.critical_snapshots));
    if (overview.first && overview.last) {
      line("first", fmt::format("{} {}", overview.first->id, shown_time(overview.first->finished)));
      line("last", fmt::format("{} {}, {}", overview.last->id, shown_time(overview.last->finished),
                               shown_age(overview.last->finished, now)));
    }
    line("size", fmt::format("{} stored for {} of documents", format_bytes(overview.stored_bytes),
                             format_bytes(overview.document_bytes)));
    line("unused", fmt::format("{} in {}", format_bytes(overview.garbage_bytes),
                               counted(overview.garbage_files, "file")));
    if (overview.sources.empty()) return text;
    Table table({{"SOURCE"},
                 {"SERVER"},
                 {"SNAPSHOTS", Align::right},
                 {"EXACT", Align::right},
                 {"FIRST"},
                 {"LAST"}});
    for (const auto& source : overview.sources) {
      table.add_row({source.identity.description, source.identity.server_version,
                     format_count(source.snapshots), format_count(source.exact_snapshots),
                     shown_time(source.first), shown_time(source.last)});
    }
    return text + "\n" + table.text();
  }

  static std::string log_text(const std::vector<repository::LogSegmentInfo>& segments) {
    std::uint64_t events = 0;
    std::uint64_t stored = 0;
    for (const auto& segment : segments) {
      events += segment.events;
      stored += segment.stored_bytes;
    }
    return fmt::format("{:<12} {} with {}, {}\n", "log", counted(segments.size(), "segment"),
                       counted(events, "change"), format_bytes(stored));
  }

  static std::string keys_text(const std::vector<repository::KeyInfo>& keys) {
    if (keys.empty()) return "none";
    std::vector<std::string> words;
    for (const auto& key : keys) {
      words.push_back(key.label.empty() ? key.kind : fmt::format("{} ({})", key.kind, key.label));
    }
    return joined(words);
  }

  static Json json_of(const service::RepositoryOverview& overview) {
    Json keys = Json::array();
    for (const auto& key : overview.keys) {
      keys.push_back({{"id", key.id}, {"kind", key.kind}, {"label", key.label}});
    }
    Json sources = Json::array();
    for (const auto& source : overview.sources) {
      sources.push_back({{"id", source.identity.id},
                         {"description", source.identity.description},
                         {"server_version", source.identity.server_version},
                         {"snapshots", source.snapshots},
                         {"exact_snapshots", source.exact_snapshots},
                         {"first", json_time(source.first)},
                         {"last", json_time(source.last)}});
    }
    Json damaged = Json::array();
    for (const auto& damage : overview.damaged) damaged.push_back(damage_json(damage));
    return Json{{"repository_id", overview.id},
                {"location", overview.location},
                {"created", json_time(overview.created)},
                {"repository_format", overview.format},
                {"encrypted", overview.encrypted},
                {"keys", keys},
                {"sources", sources},
                {"snapshots", overview.snapshots},
                {"exact_snapshots", overview.exact_snapshots},
                {"critical_snapshots", overview.critical_snapshots},
                {"first", overview.first ? summary_json(*overview.first) : Json(nullptr)},
                {"last", overview.last ? summary_json(*overview.last) : Json(nullptr)},
                {"document_bytes", overview.document_bytes},
                {"stored_bytes", overview.stored_bytes},
                {"garbage_files", overview.garbage_files},
                {"garbage_bytes", overview.garbage_bytes},
                {"damaged", damaged}};
  }
};

}  // namespace

std::unique_ptr<Command> make_info_command() { return std::make_unique<InfoCommand>(); }

}  // namespace holdfast::cli
