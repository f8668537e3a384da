#include "cli/commands/show.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "base/text.h"
#include "bson/extended_json.h"
#include "cli/open.h"
#include "cli/show_snapshot.h"
#include "cli/table.h"
#include "service/safety_snapshot.h"

namespace holdfast::cli {
namespace {

class ShowCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "show",
        .group = "Backups",
        .summary = "Show what a snapshot holds",
        .description =
            "Shows a snapshot: its collections with counts, sizes, indexes and consistency, and "
            "the reason for each that is only best-effort. Nothing is restored for it. With --json "
            "also each collection's options, index definitions and content fingerprint.",
        .examples = {{"holdfast show latest", "The newest snapshot."},
                     {"holdfast show 3f0a --json | jq '.collections[].name'",
                      "The first four digits of an id do, if they are unambiguous."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("snapshot", snapshot_, "Its id, the first digits of it, or 'latest'")
        ->type_name("SNAPSHOT")
        ->required();
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(const std::string id, service::resolve_latest(*repository, snapshot_));
    HOLDFAST_TRY(const auto manifest, repository->manifest(id));
    context.output.print(text_of(manifest, context.clock.now()));
    Json collections = Json::array();
    for (const auto& collection : manifest.collections) collections.push_back(json_of(collection));
    Json document = summary_json(manifest.summary);
    document["collections"] = std::move(collections);
    context.output.document("holdfast.show/1", std::move(document));
    return ExitCode::done;
  }

 private:
  static std::string text_of(const repository::Manifest& manifest, WallTime now) {
    const auto& summary = manifest.summary;
    std::string text = fmt::format("snapshot     {}\n", summary.id);
    const auto line = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) text += fmt::format("{:<12} {}\n", name, sanitize_for_terminal(value));
    };
    line("source", summary.source.description);
    line("server", summary.source.server_version);
    line("databases", joined(summary.databases) + (summary.whole ? "" : " (in part)"));
    line("started", shown_time(summary.started));
    line("finished",
         fmt::format("{}, {}", shown_time(summary.finished), shown_age(summary.finished, now)));
    line("content", fmt::format("{}, {}", counted(summary.documents, "document"),
                                format_bytes(summary.document_bytes)));
    line("stored", format_bytes(summary.stored_bytes) + " new");
    line("consistency", consistency_text(summary.consistency));
    line("tags", joined(summary.tags));
    line("critical", summary.critical_reason);
    text += "\n" + table_of(manifest);
    return text + reasons(manifest);
  }

  static std::string table_of(const repository::Manifest& manifest) {
    Table table({{"COLLECTION"},
                 {"TYPE"},
                 {"DOCUMENTS", Align::right},
                 {"SIZE", Align::right},
                 {"INDEXES", Align::right},
                 {"CONSISTENCY"}});
    for (const auto& collection : manifest.collections) {
      const auto& info = collection.info;
      const bool view = info.type == CollectionType::view;
      std::string type(name_of(info.type));
      if (info.capped()) type += ", capped";
      if (info.clustered()) type += ", clustered";
      table.add_row({info.ns.text(), type,
                     view ? "" : format_count(collection.fingerprint.documents),
                     view ? "" : format_bytes(collection.document_bytes),
                     view ? "" : std::to_string(info.indexes.size()),
                     view ? "" : std::string(consistency_word(collection.consistency))});
    }
    return table.text();
  }

  /// What the table has no room for; collections that share a reason stand together.
  static std::string reasons(const repository::Manifest& manifest) {
    std::map<std::string, std::vector<std::string>> by_reason;
    std::string text;
    for (const auto& collection : manifest.collections) {
      const std::string name = collection.info.ns.text();
      if (collection.consistency.kind == Consistency::Kind::best_effort) {
        by_reason[collection.consistency.reason].push_back(name);
      }
      if (collection.order_uncertain > 0) {
        text +=
            fmt::format("{}: the order of fields is uncertain in {}\n", sanitize_for_terminal(name),
                        counted(collection.order_uncertain, "document"));
      }
    }
    for (const auto& [reason, names] : by_reason) {
      const bool all = names.size() == manifest.collections.size();
      text += fmt::format("best-effort because {}: {}\n", sanitize_for_terminal(reason),
                          all ? "all collections" : sanitize_for_terminal(joined(names)));
    }
    return text.empty() ? text : "\n" + text;
  }

  static Json parsed(const bson::Document& document) {
    return Json::parse(bson::to_json(document.view(), bson::JsonMode::relaxed), nullptr, false);
  }

  static Json json_of(const repository::SnapshotCollection& collection) {
    const auto& info = collection.info;
    Json indexes = Json::array();
    for (const auto& index : info.indexes) indexes.push_back(parsed(index));
    return Json{{"name", info.ns.text()},
                {"database", info.ns.database},
                {"collection", info.ns.collection},
                {"type", name_of(info.type)},
                {"documents", collection.fingerprint.documents},
                {"document_bytes", collection.document_bytes},
                {"fingerprint", collection.fingerprint.text()},
                {"order_uncertain", collection.order_uncertain},
                {"consistency", consistency_json(collection.consistency)},
                {"options", parsed(info.options)},
                {"indexes", indexes}};
  }

  std::string snapshot_;
};

}  // namespace

std::unique_ptr<Command> make_show_command() { return std::make_unique<ShowCommand>(); }

}  // namespace holdfast::cli
