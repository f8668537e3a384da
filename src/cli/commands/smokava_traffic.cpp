#include "cli/commands/smokava_traffic.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/open.h"
#include "cli/parse_time.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "smokava/traffic.h"

namespace holdfast::cli {
namespace {

class SmokavaTrafficCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "smokava traffic",
        .group = "Smokava",
        .summary = "Edit a seeded database as a busy day would",
        .description =
            "Writes to a seeded database at a given rate: every kind of update, inserts, deletes. "
            "It ends after --duration or --writes, or when it is interrupted, which is a normal "
            "end. --record keeps each acknowledged write with the document it left, so that the "
            "state at any moment is known. The data does not keep the rules of the business "
            "afterwards: for tests only.",
        .examples = {{"holdfast smokava traffic --uri mongodb://localhost/smokava_demo --rate 500 "
                      "--duration 30s",
                      "Half a minute of edits."},
                     {"holdfast smokava traffic --writes 10000 --rate 0 --record /tmp/writes.bson "
                      "--uri mongodb://localhost/smokava_demo",
                      "As fast as the server takes them, recorded."}},
        .settings = {"uri"},
        .setting_help = {{"uri", "The server and database to edit"}},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("--database", database_, "The database to edit; else the URI's")
        ->type_name("NAME");
    app.add_option("--rate", options_.writes_per_second,
                   "Writes a second; 0 for as many as the server takes (default 100)")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--duration", duration_, "End after this time: 30s, 5m, …")->type_name("TIME");
    app.add_option("--writes", writes_, "End after so many writes")->type_name("N");
    app.add_option("--seed", options_.seed, "Another number, other edits (default 1)")
        ->type_name("N");
    app.add_option("--threads", options_.threads, "Writing connections (default 2)")
        ->type_name("N");
    app.add_option("--record", options_.record_path,
                   "Keep every acknowledged write in this file (overwritten)")
        ->type_name("FILE");
    app.add_flag("--ddl", options_.ddl, "Also create, index, rename and drop scratch collections");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    if (!duration_.empty()) {
      HOLDFAST_TRY(options_.duration, parse_duration(duration_));
    }
    if (writes_ > 0) options_.writes = writes_;
    HOLDFAST_TRY(const auto client, connect(context));
    const std::string database = database_.empty() ? data_database(*client) : database_;
    if (database.empty()) {
      return Error(ErrorCode::usage, "which database? The URI names none", "give --database NAME");
    }
    const auto summary = [&] {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      return smokava::run_traffic(*client, database, options_, progress, context.stop);
    }();
    if (!summary.ok()) return summary.error();
    report(context, database, *summary);
    return ExitCode::done;
  }

 private:
  static void report(Context& context, const std::string& database,
                     const smokava::TrafficSummary& summary) {
    const auto duration = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(summary.seconds));
    const double rate =
        summary.seconds > 0 ? static_cast<double>(summary.writes) / summary.seconds : 0;
    context.output.report(
        fmt::format("{} to {} in {} ({:.0f} a second), {} without "
                    "effect, {} to the catalog\n",
                    counted(summary.writes, "write"), database, format_duration(duration), rate,
                    format_count(summary.without_effect), format_count(summary.ddl)));
    context.output.result(
        "holdfast.smokava-traffic/1",
        Json{{"database", database},
             {"writes", summary.writes},
             {"without_effect", summary.without_effect},
             {"ddl", summary.ddl},
             {"by_operation", summary.by_operation},
             {"seconds", summary.seconds},
             {"last_time",
              {{"seconds", summary.last_seconds}, {"increment", summary.last_increment}}}});
  }

  smokava::TrafficOptions options_;
  std::string database_;
  std::string duration_;
  std::uint64_t writes_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_smokava_traffic_command() {
  return std::make_unique<SmokavaTrafficCommand>();
}

}  // namespace holdfast::cli
