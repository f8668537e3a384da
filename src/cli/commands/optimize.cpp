#include "cli/commands/optimize.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>

#include "base/text.h"
#include "cli/open.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "service/safety_snapshot.h"

namespace holdfast::cli {
namespace {

class OptimizeCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "optimize",
        .group = "Repository",
        .summary = "Lay a snapshot out for quick reading",
        .description =
            "A snapshot that builds on earlier ones is read through layers: a base, and patches "
            "above it. Where the patches of a segment have grown past a fifth of it, this writes "
            "that segment anew, and it merges patch layers that have become many. The content "
            "stays what it is, down to the fingerprints; earlier snapshots and whoever is reading "
            "are not touched. Backups do this by themselves when it is due.",
        .examples = {{"holdfast optimize latest", "The newest snapshot."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file",
                     "backup.compression"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("snapshot", snapshot_, "Its id, the first digits of it, or 'latest'")
        ->type_name("SNAPSHOT")
        ->required();
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
    HOLDFAST_TRY(const std::string id, service::resolve_latest(*repository, snapshot_));
    repository::OptimizeSettings settings;
    settings.layout.compression = context.settings.compression;
    const auto outcome = [&] {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      return repository->optimize(id, settings, progress, context.stop);
    }();
    if (!outcome.ok()) return outcome.error();
    context.output.report(text_of(*outcome));
    context.output.result("holdfast.optimize/1",
                          Json{{"snapshot", id},
                               {"collections", outcome->collections},
                               {"rewritten_segments", outcome->rewritten_segments},
                               {"layers_before", outcome->layers_before},
                               {"layers_after", outcome->layers_after},
                               {"stored_bytes", outcome->stored_bytes}});
    return ExitCode::done;
  }

 private:
  static std::string text_of(const repository::OptimizeOutcome& outcome) {
    if (outcome.collections == 0) return "nothing to do: no patch has grown past its share\n";
    return fmt::format("{} laid out anew: {} rewritten, at most {} instead of {}, {} stored\n",
                       counted(outcome.collections, "collection"),
                       counted(outcome.rewritten_segments, "segment"),
                       counted(outcome.layers_after, "layer"), outcome.layers_before,
                       format_bytes(outcome.stored_bytes));
  }

  std::string snapshot_;
};

}  // namespace

std::unique_ptr<Command> make_optimize_command() { return std::make_unique<OptimizeCommand>(); }

}  // namespace holdfast::cli
