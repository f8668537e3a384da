#include "cli/progress_display.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "cli/show_snapshot.h"

namespace holdfast::cli {
namespace {

constexpr auto bar_interval = std::chrono::milliseconds(100);
constexpr auto json_interval = std::chrono::seconds(1);
constexpr auto line_interval = std::chrono::minutes(1);
constexpr auto measure_interval = std::chrono::milliseconds(500);
/// Weight of the newest measurement in the shown rate: jumps are smoothed over a few seconds.
constexpr double rate_weight = 0.25;
constexpr std::size_t bar_columns = 24;

std::string duration_text(double seconds) {
  return format_duration(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

std::string done_text(const StageState& state) {
  if (state.total_bytes > 0) {
    return fmt::format("{} of {}", format_bytes(state.bytes), format_bytes(state.total_bytes));
  }
  if (state.total_documents > 0) {
    return fmt::format("{} of {}", format_count(state.documents),
                       format_count(state.total_documents));
  }
  if (state.bytes > 0) return format_bytes(state.bytes);
  if (state.documents > 0) return format_count(state.documents);
  return duration_text(state.seconds);
}

std::string rate_text(const StageState& state) {
  if (state.bytes > 0) {
    return format_bytes(static_cast<std::uint64_t>(state.bytes_per_second)) + "/s";
  }
  return format_count(static_cast<std::uint64_t>(state.documents_per_second)) + "/s";
}

}  // namespace

std::optional<double> StageState::fraction() const {
  double part = 0;
  if (total_bytes > 0) {
    part = static_cast<double>(bytes) / static_cast<double>(total_bytes);
  } else if (total_documents > 0) {
    part = static_cast<double>(documents) / static_cast<double>(total_documents);
  } else {
    return std::nullopt;
  }
  // Totals are estimates of a live server; more than all never helps the reader.
  return std::min(part, 1.0);
}

std::optional<double> StageState::seconds_left() const {
  const bool by_bytes = total_bytes > 0;
  const double rate = by_bytes ? bytes_per_second : documents_per_second;
  if (!fraction() || rate <= 0) return std::nullopt;
  const auto total = by_bytes ? total_bytes : total_documents;
  const auto done = by_bytes ? bytes : documents;
  return done >= total ? 0.0 : static_cast<double>(total - done) / rate;
}

std::string progress_bar(const StageState& state, std::size_t width) {
  std::string line = fmt::format("{:<8} ", state.name);
  const auto part = state.fraction();
  if (part && width >= 70) {
    const auto filled = static_cast<std::size_t>(*part * static_cast<double>(bar_columns));
    line += "[" + std::string(filled, '#') + std::string(bar_columns - filled, '-') + "] ";
  }
  if (part) line += fmt::format("{:>3} %  ", static_cast<int>(*part * 100));
  line += done_text(state);
  if (state.bytes_per_second > 0 || state.documents_per_second > 0) {
    line += "  " + rate_text(state);
  }
  if (const auto left = state.seconds_left())
    line += fmt::format("  {} left", duration_text(*left));
  return cut_to_width(line, width);
}

std::string progress_sentence(const StageState& state) {
  std::string line = state.name + ":";
  if (const auto part = state.fraction())
    line += fmt::format(" {} %,", static_cast<int>(*part * 100));
  line += fmt::format(" {}, {}, {}", counted(state.documents, "document"),
                      format_bytes(state.bytes), rate_text(state));
  if (const auto left = state.seconds_left())
    line += fmt::format(", {} left", duration_text(*left));
  return line;
}

Json progress_json(const StageState& state) {
  Json line{{"type", "progress"},
            {"stage", state.name},
            {"documents", state.documents},
            {"bytes", state.bytes},
            {"total_documents", state.total_documents},
            {"total_bytes", state.total_bytes},
            {"seconds", std::round(state.seconds * 1000) / 1000}};
  if (const auto part = state.fraction()) line["fraction"] = std::round(*part * 1000) / 1000;
  return line;
}

ProgressDisplay::ProgressDisplay(Terminal& terminal, Output& output, const Clock& clock)
    : terminal_(terminal), output_(output), clock_(clock) {
  mode_ = output.json()           ? Mode::json
          : output.quiet()        ? Mode::silent
          : terminal.can_redraw() ? Mode::bar
                                  : Mode::lines;
  if (mode_ == Mode::silent) return;
  ticker_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, bar_interval, [this] { return ended_; })) {
      lock.unlock();
      tick();
      lock.lock();
    }
  });
}

ProgressDisplay::~ProgressDisplay() {
  finish();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  if (ticker_.joinable()) ticker_.join();
}

void ProgressDisplay::stage(std::string_view name, std::uint64_t total_documents,
                            std::uint64_t total_bytes) {
  const std::lock_guard lock(mutex_);
  end_stage();
  current_ = StageState{};
  current_.name = sanitize_for_terminal(name);
  current_.total_documents = total_documents;
  current_.total_bytes = total_bytes;
  documents_.store(0);
  bytes_.store(0);
  measured_documents_ = 0;
  measured_bytes_ = 0;
  in_stage_ = true;
  stage_began_ = last_shown_ = last_measured_ = clock_.steady_now();
}

void ProgressDisplay::advance(std::uint64_t documents, std::uint64_t bytes) {
  documents_.fetch_add(documents, std::memory_order_relaxed);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

void ProgressDisplay::note(std::string_view sentence) {
  const std::lock_guard lock(mutex_);
  clear_bar();
  if (mode_ == Mode::json) {
    output_.line(Json{{"type", "note"}, {"message", sentence}});
  } else {
    terminal_.write_error(fmt::format("note: {}\n", sanitize_for_terminal(sentence)));
  }
}

void ProgressDisplay::finish() {
  const std::lock_guard lock(mutex_);
  end_stage();
}

void ProgressDisplay::tick() {
  const std::lock_guard lock(mutex_);
  if (!in_stage_ || mode_ == Mode::silent) return;
  measure_rate();
  const auto interval = mode_ == Mode::bar    ? SteadyTime::duration(bar_interval)
                        : mode_ == Mode::json ? SteadyTime::duration(json_interval)
                                              : SteadyTime::duration(line_interval);
  if (clock_.steady_now() - last_shown_ < interval) return;
  last_shown_ = clock_.steady_now();
  draw(state_now());
}

StageState ProgressDisplay::state_now() const {
  StageState state = current_;
  state.documents = documents_.load();
  state.bytes = bytes_.load();
  state.seconds = std::chrono::duration<double>(clock_.steady_now() - stage_began_).count();
  return state;
}

void ProgressDisplay::measure_rate() {
  const auto now = clock_.steady_now();
  if (now - last_measured_ < measure_interval) return;
  const double seconds = std::chrono::duration<double>(now - last_measured_).count();
  const auto smooth = [&](double& rate, std::uint64_t current, std::uint64_t& measured) {
    const double newest = static_cast<double>(current - measured) / seconds;
    rate = measured == 0 ? newest : rate + rate_weight * (newest - rate);
    measured = current;
  };
  smooth(current_.documents_per_second, documents_.load(), measured_documents_);
  smooth(current_.bytes_per_second, bytes_.load(), measured_bytes_);
  last_measured_ = now;
}

void ProgressDisplay::end_stage() {
  if (!in_stage_) return;
  in_stage_ = false;
  clear_bar();
  StageState state = state_now();
  if (mode_ == Mode::json) output_.line(progress_json(state));
  if (mode_ == Mode::json || mode_ == Mode::silent) return;
  std::string line = fmt::format("{:<8} ", state.name);
  if (state.documents > 0) line += counted(state.documents, "document") + ", ";
  if (state.bytes > 0) line += fmt::format("{}, ", format_bytes(state.bytes));
  line += duration_text(state.seconds);
  if (state.bytes > 0 && state.seconds > 0.1) {
    const double rate = static_cast<double>(state.bytes) / state.seconds;
    line += fmt::format(" ({}/s)", format_bytes(static_cast<std::uint64_t>(rate)));
  }
  terminal_.write_error(line + "\n");
}

void ProgressDisplay::draw(const StageState& state) {
  if (mode_ == Mode::json) {
    output_.line(progress_json(state));
  } else if (mode_ == Mode::lines) {
    terminal_.write_error(progress_sentence(state) + "\n");
  } else {
    // The cursor goes back to the line's start, so that a log line written meanwhile covers it.
    const std::size_t width = std::max<std::size_t>(terminal_.width(), 20) - 1;
    terminal_.write_error("\r\x1b[K" + progress_bar(state, width) + "\r");
    bar_shown_ = true;
  }
}

void ProgressDisplay::clear_bar() {
  if (bar_shown_) terminal_.write_error("\r\x1b[K");
  bar_shown_ = false;
}

}  // namespace holdfast::cli
