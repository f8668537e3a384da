#include "cli/commands/capture_status.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "changelog/log_chain.h"
#include "cli/capture_scope.h"
#include "cli/open.h"
#include "cli/parse_cluster_time.h"
#include "cli/show_coverage.h"
#include "cli/show_snapshot.h"
#include "mongo/oplog_window.h"

namespace holdfast::cli {
namespace {

using changelog::LogChain;

/// The rate is that of so long before the log's end.
constexpr std::uint32_t rate_seconds = 600;

/// What the newest chain tells.
struct LogState {
  ClusterTime end;
  WallTime written{};
  std::string writer;
  std::uint64_t segments = 0;
  std::uint64_t stored_bytes = 0;
  double events_per_second = 0;
  double bytes_per_second = 0;
};

std::optional<LogState> state_of(const std::vector<LogChain>& chains,
                                 const std::vector<std::string>& databases) {
  std::optional<LogState> state;
  for (const LogChain& chain : chains) {
    if (chain.databases != databases || (state && chain.end().time < state->end)) continue;
    const auto& last = chain.segments.back();
    state = LogState{last.end.time, last.written, last.writer, chain.segments.size(), 0, 0, 0};
    std::uint32_t seconds = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    for (auto at = chain.segments.rbegin(); at != chain.segments.rend(); ++at) {
      state->stored_bytes += at->stored_bytes;
      if (at->start.time.seconds + rate_seconds < state->end.seconds) continue;
      seconds = state->end.seconds - at->start.time.seconds;
      events += at->events;
      bytes += at->event_bytes;
    }
    if (seconds == 0) continue;
    state->events_per_second = static_cast<double>(events) / seconds;
    state->bytes_per_second = static_cast<double>(bytes) / seconds;
  }
  return state;
}

class CaptureStatusCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "capture status",
        .group = "Backups",
        .summary = "Say how far the stored log is behind the server",
        .description =
            "Lag: how far the stored log is behind the server's clock. Rate: changes a second in "
            "the ten minutes before its end. Head-room: how much longer capture may be away "
            "before the server's own log no longer reaches back to where the stored one ends; "
            "shown where the account may read 'local'. Then what can be restored.\n\n"
            "Exit code 4 if no log of these databases is stored, if the server has lost what comes "
            "next, or if there is less head-room than wanted.",
        .examples = {{"holdfast capture status", "For people."},
                     {"holdfast capture status --json | jq .lag_seconds", "For a monitor."}},
        .settings = {"uri", "repository", "password_file", "key_file", "recovery_key_file",
                     "databases", "all_databases", "capture.least_headroom_hours"},
        .setting_help = {{"databases", "The database that is captured, repeatable; else the URI's"},
                         {"all_databases", "The capture of every database"}},
    };
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    HOLDFAST_TRY(const auto client, connect(context));
    HOLDFAST_TRY(const CaptureScope scope, capture_scope(context, *client));
    HOLDFAST_TRY(const auto chains, changelog::read_log_chains(*repository, scope.source));
    const auto state = state_of(chains, scope.databases);
    const auto window = mongo::read_oplog_window(*client);
    HOLDFAST_TRY(const auto coverage, read_coverage(*repository, scope.source));
    Json document{{"healthy", true}, {"source", scope.source}, {"databases", scope.databases},
                  {"log", nullptr},  {"lag_seconds", nullptr}, {"oplog", nullptr}};
    std::string text;
    if (state) {
      text += describe(*state, client->server().local_time_ms, context.clock.now(), document);
    } else {
      text += "no log of these databases is stored\n";
    }
    const bool enough = check_window(context, state, window, text, document);
    for (const auto& one : coverage) text += coverage_text(one);
    Json list = Json::array();
    for (const auto& one : coverage) list.push_back(coverage_json(one));
    document["coverage"] = std::move(list);
    const bool healthy = state.has_value() && enough;
    document["healthy"] = healthy;
    context.output.print(text);
    context.output.document("holdfast.capture-status/1", std::move(document));
    return healthy ? ExitCode::done : ExitCode::findings;
  }

 private:
  static std::string describe(const LogState& state, std::int64_t server_time_ms, WallTime now,
                              Json& document) {
    constexpr std::int64_t ms_a_second = 1000;
    const std::int64_t lag =
        std::max<std::int64_t>(0, server_time_ms / ms_a_second - state.end.seconds);
    document["lag_seconds"] = lag;
    document["log"] = Json{{"end", state.end.text()},
                           {"end_time", json_time(wall_time_of(state.end))},
                           {"written", json_time(state.written)},
                           {"writer", state.writer},
                           {"segments", state.segments},
                           {"stored_bytes", state.stored_bytes},
                           {"events_per_second", state.events_per_second},
                           {"bytes_per_second", state.bytes_per_second}};
    std::string text = fmt::format("{:<10} {}, {} behind the server\n", "log up to",
                                   shown_time(wall_time_of(state.end)),
                                   format_duration(std::chrono::seconds(lag)));
    text += fmt::format("{:<10} {} by {}\n", "written", shown_age(state.written, now),
                        sanitize_for_terminal(state.writer));
    text += fmt::format("{:<10} {:.1f} changes a second, {} a second\n", "rate",
                        state.events_per_second,
                        format_bytes(static_cast<std::uint64_t>(state.bytes_per_second)));
    text += fmt::format("{:<10} {} in {}\n", "stored", format_bytes(state.stored_bytes),
                        counted(state.segments, "segment"));
    return text;
  }

  /// False if capture is about to lose its place, or has.
  static bool check_window(Context& context, const std::optional<LogState>& state,
                           const Result<mongo::OplogWindow>& window, std::string& text,
                           Json& document) {
    constexpr double seconds_an_hour = 3600;
    if (!window.ok()) {
      text += fmt::format("{:<10} unknown: {}\n", "head-room",
                          sanitize_for_terminal(window.error().message()));
      return true;
    }
    // Not full yet, it will reach back further at the same rate.
    const double held = static_cast<double>(window->seconds()) / seconds_an_hour;
    const double reach = held / window->fill;
    const bool lost = state && window->oldest > state->end;
    double headroom = lost ? 0 : reach;
    if (state && !lost && window->newest > state->end) {
      const auto behind = window->newest.seconds - state->end.seconds;
      headroom = std::max(0.0, reach - static_cast<double>(behind) / seconds_an_hour);
    }
    const double least = context.settings.capture_least_headroom_hours;
    document["oplog"] = Json{{"oldest", json_time(wall_time_of(window->oldest))},
                             {"newest", json_time(wall_time_of(window->newest))},
                             {"hours", reach},
                             {"headroom_hours", headroom},
                             {"lost", lost}};
    const auto shown = [](double hours) {
      return format_duration(
          std::chrono::seconds(static_cast<std::int64_t>(hours * seconds_an_hour)));
    };
    text += fmt::format("{:<10} {} of the {} that the server's log reaches back\n", "head-room",
                        shown(headroom), shown(reach));
    if (lost) {
      context.output.warn("the server has lost what comes next: the log will have a gap");
    } else if (headroom < least) {
      context.output.warn(
          fmt::format("the server's log outlasts an absence of {} only: make its oplog larger "
                      "(replSetResizeOplog), or see that capture runs",
                      shown(headroom)));
    }
    return !lost && headroom >= least;
  }
};

}  // namespace

std::unique_ptr<Command> make_capture_status_command() {
  return std::make_unique<CaptureStatusCommand>();
}

}  // namespace holdfast::cli
