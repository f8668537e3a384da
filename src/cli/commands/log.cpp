#include "cli/commands/log.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/text.h"
#include "bson/extended_json.h"
#include "changelog/event_selection.h"
#include "changelog/log_chain.h"
#include "cli/open.h"
#include "cli/parse_cluster_time.h"
#include "cli/show_snapshot.h"
#include "cli/table.h"

namespace holdfast::cli {
namespace {

using changelog::Event;
using changelog::EventSelection;
using changelog::LogChain;
using changelog::NamedEvent;

/// What is shown of an event, kept until all is known.
struct Row {
  std::string name;
  ClusterTime time;
  std::string operation;
  std::string collection;
  std::string id;           ///< Extended JSON.
  std::string transaction;  ///< "session/number"; empty outside of one.
  std::string content;      ///< Extended JSON of document or change, if asked for.
};

std::string collection_of(const Event& event) {
  std::string name(event.database);
  if (!event.collection.empty()) name.append(".").append(event.collection);
  if (event.kind == changelog::EventKind::rename) {
    name.append(" → ").append(event.to_database).append(".").append(event.to_collection);
  }
  return name;
}

/// How many changes of each kind a minute and a collection have.
struct Counts {
  std::uint64_t inserts = 0;
  std::uint64_t updates = 0;
  std::uint64_t replaces = 0;
  std::uint64_t deletes = 0;
  std::uint64_t others = 0;

  void add(changelog::EventKind kind) {
    switch (kind) {
      case changelog::EventKind::insert: ++inserts; break;
      case changelog::EventKind::update: ++updates; break;
      case changelog::EventKind::replace: ++replaces; break;
      case changelog::EventKind::remove: ++deletes; break;
      default: ++others;
    }
  }
};
constexpr std::uint32_t seconds_a_minute = 60;
using CountsByMinute = std::map<std::pair<std::uint32_t, std::string>, Counts>;

class LogCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "log",
        .group = "Backups",
        .summary = "List the stored changes: what happened when",
        .description =
            "Lists changes from the stored log: name, time, operation, collection and _id. The "
            "name can be given to commands that take an event. Without --from the newest are "
            "shown, else the first from there. --counts counts them instead, by minute and "
            "collection: that shows when a bad thing happened. What documents held is shown only "
            "with --show-documents.\n\n"
            "Times: 2026-11-23T09:14:14Z, with +03:30 instead of Z, seconds since 1970, or "
            "SECONDS:NUMBER. A time without a zone is refused.",
        .examples = {{"holdfast log --counts --from 2026-11-23T06:00:00Z --op delete",
                      "When were so many documents deleted?"},
                     {"holdfast log --collection shop.users --id 64b7f0c2a1b2c3d4e5f60718",
                      "All that happened to one document."},
                     {"holdfast log --from 1795425254 --limit 20 --show-documents --json",
                      "Twenty changes with their content, for programs."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("--from", from_, "Not before this time")->type_name("TIME");
    app.add_option("--to", to_, "Not after this time")->type_name("TIME");
    app.add_option("--collection", collections_, "Collections (name or database.name, * and ?)")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    app.add_option("--id", ids_, "Documents with this _id: ObjectId digits or Extended JSON")
        ->type_name("ID")
        ->allow_extra_args(false);
    app.add_option("--op", operations_, "insert, update, replace, delete, drop, …")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_option("--limit", limit_, "At most so many (default 100)")
        ->type_name("N")
        ->check(CLI::Range(std::uint64_t{1}, most_rows));
    app.add_flag("--counts", counts_, "Count by minute and collection");
    app.add_flag("--show-documents", show_documents_, "Show what documents held");
    app.add_option("--source", source_, "The source, if the repository has several")
        ->type_name("ID");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const EventSelection selection, make_selection());
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(const auto chains, choose_chains(*repository));
    HOLDFAST_CHECK(read(*repository, chains, selection, context.stop));
    tell_gaps(context, chains, selection);
    counts_ ? show_counts(context) : show_rows(context);
    return ExitCode::done;
  }

 private:
  static constexpr std::uint64_t most_rows = 1'000'000;

  Result<EventSelection> make_selection() const {
    EventSelection selection;
    selection.collections = collections_;
    for (const std::string& id : ids_) {
      HOLDFAST_TRY(bson::Value value, changelog::parse_document_id(id));
      selection.ids.push_back(std::move(value));
    }
    for (const std::string& operation : operations_) {
      HOLDFAST_TRY(std::string name, changelog::parse_operation(operation));
      selection.operations.push_back(std::move(name));
    }
    if (!from_.empty()) {
      HOLDFAST_TRY(const auto span, parse_cluster_time(from_));
      selection.from = span.first;
    }
    if (!to_.empty()) {
      HOLDFAST_TRY(const auto span, parse_cluster_time(to_));
      selection.until = span.last;
    }
    return selection;
  }

  /// The chains of one source and one set of databases: of those that there are, the one whose log
  /// is newest.
  Result<std::vector<LogChain>> choose_chains(repository::Repository& repository) const {
    HOLDFAST_TRY(auto chains, changelog::read_log_chains(repository, source_));
    if (chains.empty()) {
      return Error(ErrorCode::not_found, "no log is stored",
                   "'holdfast capture' stores one; so do incremental backups");
    }
    const bool several = std::any_of(
        chains.begin(), chains.end(),
        [&chains](const LogChain& chain) { return chain.source != chains.front().source; });
    if (several) {
      return Error(ErrorCode::usage, "the repository holds logs of several sources",
                   "choose one with --source; 'holdfast info' lists them");
    }
    const auto newest = std::max_element(
        chains.begin(), chains.end(),
        [](const LogChain& a, const LogChain& b) { return a.end().time < b.end().time; });
    const auto databases = newest->databases;
    std::erase_if(chains,
                  [&databases](const LogChain& chain) { return chain.databases != databases; });
    return chains;
  }

  /// Chains may overlap, where a backup and a capture stored the same: each time is read once.
  Status read(repository::Repository& repository, const std::vector<LogChain>& chains,
              const EventSelection& selection, const std::stop_token& stop) {
    ClusterTime read_until;
    for (const LogChain& chain : chains) {
      std::vector<repository::LogSegmentInfo> segments;
      for (const auto& segment : chain.segments) {
        if (segment.end.time <= read_until) continue;
        if (selection.until && segment.start.time >= *selection.until) continue;
        if (selection.from && segment.end.time < *selection.from) continue;
        segments.push_back(segment);
      }
      const changelog::SegmentEvents events(repository, std::move(segments));
      const Status visited = changelog::visit_named(events, [&](const NamedEvent& named) -> Status {
        if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
        if (named.event.time <= read_until || !selection.matches(named)) return {};
        ++matched_;
        return take(named);
      });
      if (!visited.ok()) {
        const bool enough = enough_ && visited.error().code() == ErrorCode::cancelled;
        return enough ? Status() : visited;
      }
      read_until = std::max(read_until, chain.end().time);
    }
    return {};
  }

  Status take(const NamedEvent& named) {
    const Event& event = named.event;
    if (counts_) {
      counted_[{event.time.seconds / seconds_a_minute, collection_of(event)}].add(event.kind);
      return {};
    }
    if (!from_.empty() && rows_.size() == limit_) {
      enough_ = true;
      return Error(ErrorCode::cancelled, "enough");
    }
    Row row{named.name_text(),
            event.time,
            std::string(changelog::operation_of(event)),
            collection_of(event),
            {},
            {},
            {}};
    if (event.key) row.id = bson::to_json(*event.key, bson::JsonMode::relaxed);
    if (event.transaction) {
      row.transaction =
          fmt::format("{}/{}", to_text(event.transaction->session), event.transaction->number);
    }
    if (show_documents_ && event.body) {
      row.content = bson::to_json(*event.body, bson::JsonMode::relaxed);
    }
    rows_.push_back(std::move(row));
    if (rows_.size() > limit_) rows_.pop_front();
    return {};
  }

  static void tell_gaps(Context& context, const std::vector<LogChain>& chains,
                        const EventSelection& selection) {
    ClusterTime reached;
    for (const LogChain& chain : chains) {
      const ClusterTime since = std::exchange(reached, std::max(reached, chain.end().time));
      if (!chain.gap || since.is_null() || chain.start().time <= since) continue;
      if (selection.until && since > *selection.until) continue;
      if (selection.from && chain.start().time < *selection.from) continue;
      context.output.warn(fmt::format("GAP {} → {}: {}", shown_time(wall_time_of(since)),
                                      shown_time(wall_time_of(chain.start().time)),
                                      sanitize_for_terminal(chain.gap->cause)));
    }
  }

  void show_rows(Context& context) const {
    for (const Row& row : rows_) {
      Json line{{"type", "event"},
                {"event", row.name},
                {"time", json_time(wall_time_of(row.time))},
                {"op", row.operation},
                {"collection", row.collection},
                {"id", row.id.empty() ? Json(nullptr) : Json::parse(row.id, nullptr, false)},
                {"transaction", row.transaction.empty() ? Json(nullptr) : Json(row.transaction)}};
      if (!row.content.empty()) line["content"] = Json::parse(row.content, nullptr, false);
      context.output.line(line);
    }
    context.output.result("holdfast.log/1", Json{{"events", rows_.size()}, {"more", more()}});
    if (rows_.empty()) {
      context.output.print("no change in the stored log fits\n");
      return;
    }
    Table table({{"EVENT"}, {"TIME"}, {"OP"}, {"COLLECTION"}, {"ID"}, {"TRANSACTION"}});
    std::string contents;
    for (const Row& row : rows_) {
      table.add_row({row.name, shown_time(wall_time_of(row.time)), row.operation, row.collection,
                     row.id, row.transaction});
      if (!row.content.empty()) {
        contents += fmt::format("{}  {}\n", row.name, sanitize_for_terminal(row.content));
      }
    }
    std::string text = table.text();
    if (!contents.empty()) text += "\n" + contents;
    context.output.print(text);
    if (more()) {
      context.output.tell(fmt::format("there are more; --limit shows more than {}\n", limit_));
    }
  }

  [[nodiscard]] bool more() const { return enough_ || matched_ > rows_.size(); }

  void show_counts(Context& context) const {
    Table table({{"MINUTE"},
                 {"COLLECTION"},
                 {"INSERTS", Align::right},
                 {"UPDATES", Align::right},
                 {"REPLACES", Align::right},
                 {"DELETES", Align::right},
                 {"OTHERS", Align::right}});
    for (const auto& [where, counts] : counted_) {
      const WallTime minute = wall_time_of({where.first * seconds_a_minute, 0});
      table.add_row({shown_time(minute), where.second, format_count(counts.inserts),
                     format_count(counts.updates), format_count(counts.replaces),
                     format_count(counts.deletes), format_count(counts.others)});
      context.output.line(Json{{"type", "counts"},
                               {"minute", json_time(minute)},
                               {"collection", where.second},
                               {"inserts", counts.inserts},
                               {"updates", counts.updates},
                               {"replaces", counts.replaces},
                               {"deletes", counts.deletes},
                               {"others", counts.others}});
    }
    context.output.result("holdfast.log-counts/1", Json{{"events", matched_}});
    context.output.print(counted_.empty() ? "no change in the stored log fits\n" : table.text());
  }

  std::string from_;
  std::string to_;
  std::vector<std::string> collections_;
  std::vector<std::string> ids_;
  std::vector<std::string> operations_;
  std::uint64_t limit_ = 100;
  bool counts_ = false;
  bool show_documents_ = false;
  std::string source_;

  std::deque<Row> rows_;
  CountsByMinute counted_;
  std::uint64_t matched_ = 0;
  bool enough_ = false;
};

}  // namespace

std::unique_ptr<Command> make_log_command() { return std::make_unique<LogCommand>(); }

}  // namespace holdfast::cli
