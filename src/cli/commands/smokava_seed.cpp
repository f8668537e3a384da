#include "cli/commands/smokava_seed.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/open.h"
#include "cli/parse_time.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "cli/table.h"
#include "smokava/seed.h"

namespace holdfast::cli {
namespace {

class SmokavaSeedCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "smokava seed",
        .group = "Smokava",
        .summary = "Fill a database with made-up Smokava data",
        .description =
            "Generates a whole Smokava database, as three years of business would leave it, with "
            "its indexes; every rule of the data holds at --now. The same options give the same "
            "documents, to the byte. It refuses a database that already holds any of the "
            "fourteen collections, unless --drop replaces them.",
        .examples = {{"holdfast smokava seed --uri mongodb://localhost/smokava_demo",
                      "A small one: 1000 userpackages."},
                     {"holdfast smokava seed --userpackages 200000 --seed 7 --now "
                      "2026-11-01T00:00:00Z --uri mongodb://localhost/smokava_demo",
                      "About 300 MB, the same each time."}},
        .settings = {"uri"},
        .setting_help = {{"uri", "The server and database to fill"}},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("--database", database_, "The database to fill; else the URI's")
        ->type_name("NAME");
    app.add_option("--userpackages", options_.userpackages,
                   "How many; all else in proportion (default 1000)")
        ->type_name("N");
    app.add_option("--seed", options_.seed, "Another number, other data (default 1)")
        ->type_name("N");
    app.add_option("--now", now_, "The moment at which the data is true (default: this minute)")
        ->type_name("TIME");
    app.add_option("--threads", options_.threads, "Inserting connections (default 4)")
        ->type_name("N");
    app.add_flag("--drop", options_.drop_existing, "Replace the fourteen collections");
    app.add_flag("-y,--yes", yes_, "Don't ask");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    options_.now = std::chrono::floor<std::chrono::minutes>(context.clock.now());
    if (!now_.empty()) {
      HOLDFAST_TRY(options_.now, parse_time(now_));
    }
    HOLDFAST_TRY(const auto client, connect(context));
    const std::string database = database_.empty() ? data_database(*client) : database_;
    if (database.empty()) {
      return Error(ErrorCode::usage, "which database? The URI names none", "give --database NAME");
    }
    if (options_.drop_existing) {
      HOLDFAST_CHECK(confirm(context, yes_,
                             fmt::format("The Smokava collections of {} on {} will be replaced.",
                                         database, client->masked_uri())));
    }
    const auto summary = [&] {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      return smokava::seed(*client, database, options_, progress, context.stop);
    }();
    if (!summary.ok()) return summary.error();
    report(context, database, *summary);
    return ExitCode::done;
  }

 private:
  void report(Context& context, const std::string& database,
              const smokava::SeedSummary& summary) const {
    const std::string now = fmt::format(
        "{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(options_.now)));
    Table table({{"COLLECTION"}, {"DOCUMENTS", Align::right}, {"SIZE", Align::right}});
    Json collections = Json::object();
    for (const auto& [name, collection] : summary.collections) {
      table.add_row({name, format_count(collection.documents), format_bytes(collection.bytes)});
      collections[name] = {{"documents", collection.documents}, {"bytes", collection.bytes}};
    }
    context.output.report(fmt::format(
        "{}\n{}, {} in {}\nagain: --userpackages {} "
        "--seed {} --now {}\n",
        table.text(), counted(summary.total.documents, "document"),
        format_bytes(summary.total.bytes), database, options_.userpackages, options_.seed, now));
    context.output.result("holdfast.smokava-seed/1", Json{{"database", database},
                                                          {"userpackages", options_.userpackages},
                                                          {"seed", options_.seed},
                                                          {"now", now},
                                                          {"documents", summary.total.documents},
                                                          {"bytes", summary.total.bytes},
                                                          {"collections", collections}});
  }

  smokava::SeedOptions options_;
  std::string database_;
  std::string now_;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_smokava_seed_command() {
  return std::make_unique<SmokavaSeedCommand>();
}

}  // namespace holdfast::cli
