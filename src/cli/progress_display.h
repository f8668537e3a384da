#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/progress.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace holdfast::cli {

/// How far a stage is, and how fast; from it the lines are made. A value.
struct StageState {
  std::string name;
  std::uint64_t total_documents = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;           ///< Since the stage began.
  double bytes_per_second = 0;  ///< Of late.
  double documents_per_second = 0;

  /// 0 … 1 by bytes, else by documents; nothing where no total is known.
  [[nodiscard]] std::optional<double> fraction() const;
  [[nodiscard]] std::optional<double> seconds_left() const;
};

/// "scan  [#####-----]  45 %  1.2 GB of 2.7 GB  210.0 MB/s  7.1 s left", at most `width` columns.
[[nodiscard]] std::string progress_bar(const StageState& state, std::size_t width);
/// The same as a sentence, for logs: "scan: 45 %, 1,234 documents, 1.2 GB, 210.0 MB/s, …".
[[nodiscard]] std::string progress_sentence(const StageState& state);
[[nodiscard]] Json progress_json(const StageState& state);

/// Shows progress: a bar redrawn at most ten times a second where the terminal can, else a line a
/// minute, and in JSON mode a line a second on standard output. Ends every stage with its final
/// line. Nothing with --quiet but in JSON mode. Thread-safe; its own thread keeps it alive while
/// the work stalls.
class ProgressDisplay final : public ProgressSink {
 public:
  ProgressDisplay(Terminal& terminal, Output& output, const Clock& clock);
  ~ProgressDisplay() override;
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void stage(std::string_view name, std::uint64_t total_documents,
             std::uint64_t total_bytes) override;
  void advance(std::uint64_t documents, std::uint64_t bytes) override;
  void note(std::string_view sentence) override;

  /// Ends the current stage with its final line and takes the bar away. The destructor does it too.
  void finish();
  /// What the ticker calls; a test calls it with a clock of its own.
  void tick();

 private:
  enum class Mode { bar, lines, json, silent };

  [[nodiscard]] StageState state_now() const;  // with mutex_ held
  void measure_rate();                         // with mutex_ held
  void end_stage();                            // with mutex_ held
  void draw(const StageState& state);          // with mutex_ held
  void clear_bar();                            // with mutex_ held

  Terminal& terminal_;
  Output& output_;
  const Clock& clock_;
  Mode mode_;

  std::atomic<std::uint64_t> documents_{0};
  std::atomic<std::uint64_t> bytes_{0};

  std::mutex mutex_;
  StageState current_;
  bool in_stage_ = false;
  bool bar_shown_ = false;
  SteadyTime stage_began_{};
  SteadyTime last_shown_{};
  SteadyTime last_measured_{};
  std::uint64_t measured_documents_ = 0;
  std::uint64_t measured_bytes_ = 0;

  std::condition_variable wake_;
  bool ended_ = false;
  std::thread ticker_;
};

}  // namespace holdfast::cli
